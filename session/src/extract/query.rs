//! A query parameter by its name, percent-decoded: the same token found in a header and in a
//! query string is the same value.

use std::borrow::Cow;

use crate::request::Request;
use crate::text::{percent_decoded, trimmed};

pub(super) fn find<'a>(request: &Request<'a>, name: &str) -> Option<Cow<'a, [u8]>> {
    request
        .query_pairs()
        .find(|(candidate, _)| **candidate == *name.as_bytes())
        .map(|(_, value)| match percent_decoded(value) {
            Cow::Borrowed(value) => Cow::Borrowed(trimmed(value)),
            Cow::Owned(value) => Cow::Owned(trimmed(&value).to_vec()),
        })
}

#[cfg(test)]
mod tests {
    use super::super::{Source, tests::check};

    #[test]
    fn finds_a_parameter_by_its_name() {
        let token = Source::Query("access token".into());
        for (path, expected) in [
            ("/a?access+token=abc", Some("abc")),
            ("/a?access%20token=abc", Some("abc")),
            ("/a?b=1&access+token=a%2Bb&c=2", Some("a+b")),
            ("/a?access+token=one&access+token=two", Some("one")),
            ("/a?access+token=a=b", Some("a=b")),
            ("/a?access+token=%61bc#access", Some("abc#access")),
            ("/a?access+token=", None),
            ("/a?access+token", None),
            ("/a?access+token=null", None),
            ("/a?xaccess+token=abc", None),
            ("/access+token=abc", None),
            ("/a?", None),
            ("", None),
        ] {
            check(&token, &[(":path", path)], expected);
        }
    }
}
