//! A header by its name; the first one wins.

use super::Outcome;
use crate::headers::HeaderBlock;

/// `name` is lower-case: the policy lowers it when it is read.
pub(super) fn find<'a>(headers: Option<&'a HeaderBlock>, name: &str) -> Outcome<'a> {
    headers
        .and_then(|headers| headers.get(name.as_bytes()))
        .map(<[u8]>::trim_ascii)
        .into()
}

#[cfg(test)]
mod tests {
    use crate::extract::tests::Case;

    #[test]
    fn finds_a_header_by_its_name() {
        let found = |value| Case::new(r#"{"header":"X-Device"}"#).header("x-device", value);
        for (value, expected) in [
            ("abc", "abc"),
            (" a b ", "a b"),
            ("\ta\t", "a"),
            ("a,b", "a,b"),
            ("00", "00"),
            ("nullable", "nullable"),
            ("é", "é"),
            ("\"q\"", "\"q\""),
            ("a=b; c=d", "a=b; c=d"),
            ("0x0", "0x0"),
        ] {
            found(value).finds(expected);
        }
        for value in [
            "",
            " ",
            "\t",
            "0",
            "null",
            "NULL",
            "undefined",
            "none",
            "nil",
            "-",
            "[object Object]",
        ] {
            found(value).finds_nothing();
        }
        let case = || Case::new(r#"{"header":"x-device"}"#);
        case()
            .header("x-device", "one")
            .header("x-device", "two")
            .finds("one");
        case()
            .header("x-devices", "abc")
            .header("device", "abc")
            .finds_nothing();
    }

    #[test]
    fn finds_a_header_of_a_response() {
        let case = || Case::new(r#"{"response":{"header":"X-Token"}}"#);
        let found = |value| case().response_header("x-token", value);
        for value in [
            "abc", "a b", "a,b", "00", "é", "\"q\"", "a=b", "1", "~", "nullable",
        ] {
            found(value).finds(value);
        }
        for value in [
            "",
            " ",
            "0",
            "-",
            "null",
            "nil",
            "none",
            "NaN",
            "undefined",
            "\t",
        ] {
            found(value).finds_nothing();
        }
        case().header("x-token", "abc").finds_nothing();
        case().waits();
    }
}
