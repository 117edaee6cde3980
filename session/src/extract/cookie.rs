//! A cookie by its exact name; the first one wins, quotes around the value are taken off.

use crate::request::Request;
use crate::text::trimmed;

pub(super) fn find<'a>(request: &Request<'a>, name: &str) -> Option<&'a [u8]> {
    // HTTP/2 clients may send one `cookie` header per cookie.
    request
        .headers
        .iter()
        .filter(|(header, _)| *header == b"cookie")
        .flat_map(|(_, cookies)| cookies.split(|byte| *byte == b';'))
        .find_map(|cookie| {
            let value = trimmed(cookie)
                .strip_prefix(name.as_bytes())?
                .strip_prefix(b"=")?;
            Some(unquoted(trimmed(value)))
        })
}

fn unquoted(value: &[u8]) -> &[u8] {
    value
        .strip_prefix(b"\"")
        .and_then(|value| value.strip_suffix(b"\""))
        .unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::super::{Source, tests::check};

    #[test]
    fn finds_a_cookie_by_its_name() {
        let sid = Source::Cookie("sid".into());
        for (cookies, expected) in [
            ("sid=abc", Some("abc")),
            ("a=1; sid=abc; b=2", Some("abc")),
            ("a=1;sid=abc", Some("abc")),
            ("sid=\"abc\"", Some("abc")),
            ("sid=one; sid=two", Some("one")),
            ("sid=a=b=", Some("a=b=")),
            ("xsid=abc", None),
            ("sidx=abc", None),
            ("SID=abc", None),
            ("sid", None),
            ("sid=", None),
            ("sid=\"\"", None),
            (";;;=;", None),
        ] {
            check(&sid, &[("cookie", cookies)], expected);
        }
        check(
            &sid,
            &[("cookie", "a=1"), ("cookie", "sid=abc")],
            Some("abc"),
        );
    }
}
