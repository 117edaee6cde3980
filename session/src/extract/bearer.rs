//! The token of `Authorization: Bearer <token>`; the scheme in any case (RFC 6750, RFC 9110).

use super::Outcome;
use crate::request::Request;

pub(super) fn find<'a>(request: &Request<'a>) -> Outcome<'a> {
    token(request.authorization.unwrap_or_default()).into()
}

fn token(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.trim_ascii().split_at_checked(7)?;
    scheme
        .eq_ignore_ascii_case(b"bearer ")
        .then(|| token.trim_ascii())
}

#[cfg(test)]
mod tests {
    use crate::extract::tests::Case;

    #[test]
    fn finds_bearer_tokens_only() {
        let found = |value| Case::new(r#"{"bearer":{}}"#).header("authorization", value);
        for (value, expected) in [
            ("Bearer abc", "abc"),
            ("bearer abc", "abc"),
            ("BEARER abc", "abc"),
            ("Bearer   abc  ", "abc"),
            ("  Bearer abc", "abc"),
            ("Bearer a.b-c_d~e+f/g=", "a.b-c_d~e+f/g="),
            ("Bearer 1", "1"),
            ("Bearer 00", "00"),
            ("Bearer a b", "a b"),
            ("Bearer Bearer", "Bearer"),
        ] {
            found(value).finds(expected);
        }
        for value in [
            "Bearer",
            "Bearer ",
            "Bearerabc",
            "Bearer null",
            "Bearer undefined",
            "Bearer 0",
            "Basic dXNlcjpwYXNz",
            "Digest x",
            "Token abc",
            "",
            "abc",
            "Bearér abc",
        ] {
            found(value).finds_nothing();
        }
        Case::new(r#"{"bearer":{}}"#)
            .header("x-authorization", "Bearer abc")
            .finds_nothing();
    }
}
