//! The token of `Authorization: Bearer <token>`; the scheme in any case (RFC 6750, RFC 9110).

use crate::request::Request;
use crate::text::trimmed;

pub(super) fn find<'a>(request: &Request<'a>) -> Option<&'a [u8]> {
    let value = trimmed(request.authorization?);
    let (scheme, token) = value.split_at_checked(7)?;
    scheme
        .eq_ignore_ascii_case(b"bearer ")
        .then(|| trimmed(token))
}

#[cfg(test)]
mod tests {
    use super::super::{Source, tests::check};

    #[test]
    fn finds_bearer_tokens_only() {
        for (value, expected) in [
            ("Bearer abc", Some("abc")),
            ("bearer abc", Some("abc")),
            ("BEARER   abc  ", Some("abc")),
            ("Bearer a.b-c_d~e+f/g=", Some("a.b-c_d~e+f/g=")),
            ("Bearer  null", None),
            ("Bearer", None),
            ("Bearer ", None),
            ("Bearerabc", None),
            ("Basic dXNlcjpwYXNz", None),
            ("", None),
        ] {
            check(&Source::Bearer {}, &[("authorization", value)], expected);
        }
        check(
            &Source::Bearer {},
            &[("x-authorization", "Bearer abc")],
            None,
        );
    }
}
