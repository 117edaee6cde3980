//! request → session key: where in a request a value can be found.
//!
//! A source is one file here, one variant of [`Source`] and one line in [`Source::find`].

mod bearer;
mod cookie;
mod header;
mod query;

use std::borrow::Cow;

use serde::Deserialize;

use crate::request::Request;

/// A place in a request that holds a value, as the policy names it: `{"cookie": "sid"}`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Source {
    /// The token of `Authorization: Bearer`.
    Bearer {},
    /// A cookie by its name.
    Cookie(String),
    /// A header by its name, in any case.
    Header(String),
    /// A query parameter by its name.
    Query(String),
}

/// Every source by the name it has in the policy.
pub const ALL: [&str; 4] = ["bearer", "cookie", "header", "query"];

impl Source {
    /// The value at this place, trimmed and decoded; `None` where there is none or it is
    /// [empty-like](is_empty_like).
    #[must_use]
    pub fn find<'a>(&self, request: &Request<'a>) -> Option<Cow<'a, [u8]>> {
        let found = match self {
            Self::Bearer {} => bearer::find(request).map(Cow::Borrowed),
            Self::Cookie(name) => cookie::find(request, name).map(Cow::Borrowed),
            Self::Header(name) => header::find(request, name).map(Cow::Borrowed),
            Self::Query(name) => query::find(request, name),
        };
        found.filter(|value| !is_empty_like(value))
    }

    /// What the policy calls the place, e.g. a cookie's name; the bearer token has none.
    #[must_use]
    pub fn argument(&self) -> Option<&str> {
        match self {
            Self::Bearer {} => None,
            Self::Cookie(name) | Self::Header(name) | Self::Query(name) => Some(name),
        }
    }
}

/// Values that clients send when they have none; as a key they would merge strangers.
#[must_use]
pub fn is_empty_like(value: &[u8]) -> bool {
    const WORDS: [&[u8]; 8] = [
        b"",
        b"0",
        b"-",
        b"null",
        b"nil",
        b"none",
        b"undefined",
        b"[object Object]",
    ];
    WORDS.iter().any(|word| value.eq_ignore_ascii_case(word))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::headers::HeaderBlock;

    /// Asserts what `source` finds in a request with these headers.
    pub(crate) fn check(source: &Source, headers: &[(&str, &str)], expected: Option<&str>) {
        let pairs: Vec<_> = headers
            .iter()
            .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
            .collect();
        let block = HeaderBlock::from_pairs(&pairs);
        let request = Request::new(&block);
        let found = source.find(&request);
        assert_eq!(
            found.as_deref(),
            expected.map(str::as_bytes),
            "{source:?} in {headers:?}"
        );
    }

    #[test]
    fn every_file_is_a_source() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/extract");
        let mut files: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| {
                entry
                    .unwrap()
                    .path()
                    .file_stem()
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned()
            })
            .filter(|name| name != "mod")
            .collect();
        files.sort();
        assert_eq!(files, ALL);
    }

    #[test]
    fn empty_like_values_are_not_found() {
        let source = Source::Header("x-device".into());
        for value in [
            "",
            "  ",
            "null",
            "NULL",
            "undefined",
            "0",
            "none",
            "-",
            "[object Object]",
        ] {
            check(&source, &[("x-device", value)], None);
        }
        check(&source, &[("x-device", "00")], Some("00"));
    }
}
