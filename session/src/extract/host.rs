//! The host that was asked, without port, in lower case.

use std::borrow::Cow;

use super::Outcome;
use crate::request::Request;

pub(super) fn find<'a>(request: &Request<'a>) -> Outcome<'a> {
    request
        .host()
        .map(|host| Cow::Owned(host.to_ascii_lowercase()))
        .into()
}

#[cfg(test)]
mod tests {
    use crate::extract::tests::Case;

    #[test]
    fn finds_the_host() {
        let case = |authority| Case::new(r#"{"host":{}}"#).header(":authority", authority);
        for (authority, expected) in [
            ("shop.example", "shop.example"),
            ("Shop.EXAMPLE", "shop.example"),
            ("shop.example:8080", "shop.example"),
            ("user@shop.example", "shop.example"),
            ("10.0.0.1:80", "10.0.0.1"),
            ("[::1]:80", "[::1]"),
            ("[2001:DB8::1]", "[2001:db8::1]"),
            ("localhost", "localhost"),
            ("a", "a"),
            ("xn--e1afmkfd.example", "xn--e1afmkfd.example"),
        ] {
            case(authority).finds(expected);
        }
        for authority in [
            "", ":", ":80", "user@", "user@:80", "null", "-", "0", "none", "nil",
        ] {
            case(authority).finds_nothing();
        }
        Case::new(r#"{"host":{}}"#)
            .header("host", "shop.example")
            .finds_nothing();
    }
}
