//! A query parameter by its name, percent-decoded: the same token found in a header and in a
//! query string is the same value.

use std::borrow::Cow;

use super::Outcome;
use crate::request::Request;
use crate::text::percent_decoded;

pub(super) fn find<'a>(request: &Request<'a>, name: &str) -> Outcome<'a> {
    let found = request
        .query_pairs()
        .find(|(candidate, _)| **candidate == *name.as_bytes());
    found
        .map(|(_, value)| match percent_decoded(value) {
            Cow::Borrowed(value) => Cow::Borrowed(value.trim_ascii()),
            Cow::Owned(value) => Cow::Owned(value.trim_ascii().to_vec()),
        })
        .into()
}

#[cfg(test)]
mod tests {
    use crate::extract::tests::Case;

    #[test]
    fn finds_a_parameter_by_its_name() {
        let case = |path| Case::new(r#"{"query":"access token"}"#).header(":path", path);
        for (path, expected) in [
            ("/a?access+token=abc", "abc"),
            ("/a?access%20token=abc", "abc"),
            ("/a?b=1&access+token=a%2Bb&c=2", "a+b"),
            ("/a?access+token=one&access+token=two", "one"),
            ("/a?access+token=a=b", "a=b"),
            ("/a?access+token=%61bc#access", "abc#access"),
            ("/a?access+token=+abc+", "abc"),
            ("/a?&&access+token=abc", "abc"),
            ("?access+token=abc", "abc"),
            ("/a?access+token=%zz", "%zz"),
        ] {
            case(path).finds(expected);
        }
        for path in [
            "/a?access+token=",
            "/a?access+token",
            "/a?access+token=null",
            "/a?xaccess+token=abc",
            "/a?Access+token=abc",
            "/access+token=abc",
            "/a?",
            "",
            "/a?access=token=abc",
            "/a?=abc",
        ] {
            case(path).finds_nothing();
        }
    }
}
