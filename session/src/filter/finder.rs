//! The key finder: for a sampled client, which places hold a value, and a keyed hash of it.
//!
//! From these the aggregator proposes key rules. Values never leave the filter, and the hashes are
//! keyed apart from session ids, so that nobody can join the two.

use std::borrow::Cow;

use serde_json::Value;

use crate::extract::{Parts, is_empty_like};
use crate::hex::Hex;
use crate::identity::Hasher;

const PLACES_MAX: usize = 64;
const JSON_DEPTH_MAX: usize = 4;
/// Longer names are no field names but data.
const NAME_BYTES_MAX: usize = 64;
/// Shorter values (`1`, `en`) identify nobody.
const VALUE_BYTES_MIN: usize = 6;

/// Headers that every client sends or Envoy makes: never whose request it is.
const BORING: [&str; 22] = [
    "accept",
    "accept-encoding",
    "accept-language",
    "cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "date",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "origin",
    "pragma",
    "referer",
    "traceparent",
    "tracestate",
    "user-agent",
    "via",
    "x-request-id",
];

/// Everything that could be a key, in the words of the policy.
#[must_use]
pub fn places(parts: &Parts<'_>, hasher: &Hasher) -> Vec<(Cow<'static, str>, Hex<8>)> {
    let mut found = Found {
        places: Vec::new(),
        hasher,
    };
    for (name, value) in parts.request.headers.into_iter().flatten() {
        match name {
            b"authorization" => found.bearer(value),
            _ => found.header("header", name, value),
        }
    }
    for (header, cookies) in parts.request.headers.into_iter().flatten() {
        if header == b"cookie" {
            for cookie in cookies.split(|byte| *byte == b';') {
                found.cookie("cookie", cookie);
            }
        }
    }
    for (name, value) in parts.request.query_pairs() {
        found.add("query", &name, &crate::text::percent_decoded(value));
    }
    if let Some(Ok(json)) = parts.request_body.as_ref().map(|body| body.json()) {
        found.json("json", "", json, 0);
    }
    for (name, value) in parts.response.into_iter().flatten() {
        match name {
            b"set-cookie" => {
                found.cookie(
                    "response.cookie",
                    value.split(|byte| *byte == b';').next().unwrap_or_default(),
                );
            }
            _ => found.header("response.header", name, value),
        }
    }
    if let Some(Ok(json)) = parts.response_body.as_ref().map(|body| body.json()) {
        found.json("response.json", "", json, 0);
    }
    found.places
}

struct Found<'h> {
    places: Vec<(Cow<'static, str>, Hex<8>)>,
    hasher: &'h Hasher,
}

impl Found<'_> {
    fn add(&mut self, kind: &str, name: &[u8], value: &[u8]) {
        let value = value.trim_ascii();
        let fits = name.len() <= NAME_BYTES_MAX && value.len() >= VALUE_BYTES_MIN;
        if self.places.len() >= PLACES_MAX || !fits || is_empty_like(value) {
            return;
        }
        // A name that is a value would be stored in the clear.
        let (name, _) = crate::redact::name(name, false, NAME_BYTES_MAX, self.hasher);
        if name.starts_with('~') {
            return;
        }
        let place = if name.is_empty() {
            kind.to_owned()
        } else {
            format!("{kind}:{name}")
        };
        self.places
            .push((Cow::Owned(place), self.hasher.finder(value)));
    }

    fn header(&mut self, kind: &str, name: &[u8], value: &[u8]) {
        let is_boring = |name: &str| {
            name.starts_with(':')
                || name.starts_with("sec-")
                || name.starts_with("x-envoy-")
                || name.starts_with("x-forwarded-")
                || BORING.contains(&name)
        };
        if std::str::from_utf8(name).is_ok_and(|name| !is_boring(name)) {
            self.add(kind, name, value);
        }
    }

    fn bearer(&mut self, value: &[u8]) {
        let token = value
            .split_at_checked(7)
            .filter(|(s, _)| s.eq_ignore_ascii_case(b"bearer "));
        if let Some((_, token)) = token {
            self.add("bearer", b"", token);
        }
    }

    fn cookie(&mut self, kind: &str, cookie: &[u8]) {
        let mut halves = cookie.splitn(2, |byte| *byte == b'=');
        if let (Some(name), Some(value)) = (halves.next(), halves.next()) {
            self.add(kind, name.trim_ascii(), value);
        }
    }

    fn json(&mut self, kind: &str, path: &str, json: &Value, depth: usize) {
        // A long name before many short ones would be copied for each of them.
        if self.places.len() >= PLACES_MAX || path.len() > NAME_BYTES_MAX {
            return;
        }
        match json {
            Value::Object(fields) if depth < JSON_DEPTH_MAX => {
                for (key, field) in fields {
                    let key = key.replace('~', "~0").replace('/', "~1");
                    self.json(
                        kind,
                        &format!("{path}/{key}"),
                        field,
                        depth.saturating_add(1),
                    );
                }
            }
            Value::String(text) => self.add(kind, path.as_bytes(), text.as_bytes()),
            Value::Number(number) => self.add(kind, path.as_bytes(), number.to_string().as_bytes()),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::{Body, Extent};
    use crate::headers::HeaderBlock;
    use crate::request::Request;

    #[test]
    fn names_places_and_hides_values() {
        let request = HeaderBlock::from_pairs(&[
            (
                b":path",
                b"/x?token=token-1&page=2&9f86d081884c7d659a2feaa0c55ad015=abcdefgh",
            ),
            (b"authorization", b"Bearer token-1"),
            (b"cookie", b"sid=session-1; theme=dark; x"),
            (b"user-agent", b"Mozilla/5.0"),
            (b"x-device", b"device-1"),
        ]);
        let response = HeaderBlock::from_pairs(&[(b"set-cookie", b"sid=session-1; HttpOnly")]);
        let parts = Parts {
            request: Request::new(&request),
            response: Some(&response),
            response_body: Some(Body::new(
                br#"{"user":{"id":1234567},"token":"token-1","list":["aaaaaaaa"]}"#,
                Extent::Whole,
                b"application/json",
                b"",
            )),
            ended: true,
            ..Parts::default()
        };
        let hasher = Hasher::new(&[7; 16]).unwrap();
        let found = places(&parts, &hasher);
        let names: Vec<_> = found.iter().map(|(name, _)| &**name).collect();
        assert_eq!(
            names,
            [
                "bearer",
                "header:x-device",
                "cookie:sid",
                "query:token",
                "response.cookie:sid",
                "response.json:/token",
                "response.json:/user/id",
            ]
        );
        let token = hasher.finder(b"token-1");
        assert_eq!(found.iter().filter(|(_, hash)| *hash == token).count(), 3);
        assert!(!format!("{found:?}").contains("token-1"));
    }

    #[test]
    fn is_bounded() {
        let many: String = (0..1000)
            .map(|number| format!("n{number}=value-{number}&"))
            .collect();
        let path = format!("/?{many}");
        let request = HeaderBlock::from_pairs(&[(b":path", path.as_bytes())]);
        let parts = Parts {
            request: Request::new(&request),
            ..Parts::default()
        };
        assert_eq!(
            places(&parts, &Hasher::new(&[7; 16]).unwrap()).len(),
            PLACES_MAX
        );
    }

    #[test]
    fn a_long_name_is_not_copied_for_every_field_below_it() {
        let fields: Vec<_> = (0..50_000)
            .map(|number| format!(r#""{number}":0"#))
            .collect();
        let json = format!(r#"{{"{}":{{{}}}}}"#, "n".repeat(400_000), fields.join(","));
        let parts = Parts {
            request_body: Some(Body::new(
                json.as_bytes(),
                Extent::Whole,
                b"application/json",
                b"",
            )),
            ..Parts::default()
        };
        let start = std::time::Instant::now();
        assert_eq!(places(&parts, &Hasher::new(&[7; 16]).unwrap()), []);
        assert!(start.elapsed().as_secs() < 2);
    }
}
