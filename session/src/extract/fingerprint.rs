//! A header that the proxy's own configuration sets, overwriting a client's: a TLS fingerprint.
//!
//! Nothing here can tell whether the proxy does overwrite it, so the policy has to say
//! `"trusted": true`; `envoy/fingerprint.yaml` shows the configuration that makes it so.

use super::Outcome;
use crate::request::Request;

pub(super) fn find<'a>(request: &Request<'a>, name: &str) -> Outcome<'a> {
    // Two values mean that a client's was not overwritten: neither is to be trusted.
    let mut values = request
        .headers
        .into_iter()
        .flatten()
        .filter(|(header, _)| *header == name.as_bytes())
        .map(|(_, value)| value.trim_ascii());
    match (values.next(), values.next()) {
        (Some(value), None) if !value.contains(&b',') => Some(value).into(),
        _ => Outcome::Missing,
    }
}

#[cfg(test)]
mod tests {
    use crate::extract::tests::{Case, refusal};

    #[test]
    fn finds_one_trusted_value() {
        let source = r#"{"fingerprint":{"header":"X-JA4","trusted":true}}"#;
        let case = || Case::new(source);
        for value in [
            "t13d1516h2_8daaf6152771_02713d6af862",
            "a",
            "a b",
            "1",
            "é",
            "00",
            "~",
            "a;b",
            "a=b",
            "t10",
        ] {
            case().header("x-ja4", value).finds(value);
        }
        for value in [
            "",
            " ",
            "null",
            "0",
            "-",
            "none",
            "a,b",
            ",",
            "a, a",
            "undefined",
        ] {
            case().header("x-ja4", value).finds_nothing();
        }
        case()
            .header("x-ja4", "forged")
            .header("x-ja4", "real")
            .finds_nothing();
        case().header("x-ja3", "a").finds_nothing();
    }

    #[test]
    fn an_untrusted_fingerprint_is_refused() {
        for source in [
            r#"{"fingerprint":{"header":"x-ja4"}}"#,
            r#"{"fingerprint":{"header":"x-ja4","trusted":false}}"#,
        ] {
            assert!(
                refusal(source).contains("`trusted` must be true"),
                "{}",
                refusal(source)
            );
        }
        for (source, problem) in [
            (r#"{"fingerprint":"x-ja4"}"#, "invalid type"),
            (
                r#"{"fingerprint":{"trusted":true}}"#,
                "missing field `header`",
            ),
            (
                r#"{"fingerprint":{"header":"x-ja4","trusted":1}}"#,
                "invalid type",
            ),
            (
                r#"{"fingerprint":{"header":"x-ja4","trusted":"true"}}"#,
                "invalid type",
            ),
            (
                r#"{"fingerprint":{"header":"x-ja4","trusted":null}}"#,
                "invalid type",
            ),
            (
                r#"{"fingerprint":{"header":"x-ja4","Trusted":true}}"#,
                "unknown field",
            ),
            (
                r#"{"fingerprint":{"header":7,"trusted":true}}"#,
                "invalid type",
            ),
            (
                r#"{"response":{"fingerprint":{"header":"x-ja4","trusted":true}}}"#,
                "a response has no such place",
            ),
        ] {
            let refused = refusal(source);
            assert!(refused.contains(problem), "{source}: {refused}");
        }
    }
}
