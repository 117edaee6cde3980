//! A field of an `application/x-www-form-urlencoded` body; the first one wins.

use std::borrow::Cow;

use super::Failure;
use crate::body::Body;
use crate::text::percent_decoded;

pub(super) fn find<'a>(body: &'a Body<'_>, name: &str) -> Result<Option<Cow<'a, [u8]>>, Failure> {
    if !body.is("x-www-form-urlencoded") {
        return Ok(None);
    }
    let pairs = body.plain()?.split(|byte| *byte == b'&');
    Ok(pairs
        .map(|pair| {
            let mut halves = pair.splitn(2, |byte| *byte == b'=');
            (
                halves.next().unwrap_or_default(),
                halves.next().unwrap_or_default(),
            )
        })
        .find(|(candidate, _)| *percent_decoded(candidate) == *name.as_bytes())
        .map(|(_, value)| percent_decoded(value)))
}

#[cfg(test)]
mod tests {
    use crate::extract::Failure;
    use crate::extract::tests::Case;

    const FORM: &str = "application/x-www-form-urlencoded";

    #[test]
    fn finds_a_field_by_its_name() {
        let found = |body: &str| Case::new(r#"{"form":"e mail"}"#).body(FORM, body.as_bytes());
        for (body, expected) in [
            ("e+mail=abc", "abc"),
            ("e%20mail=abc", "abc"),
            ("a=1&e+mail=abc&b=2", "abc"),
            ("e+mail=one&e+mail=two", "one"),
            ("e+mail=a%2Bb", "a+b"),
            ("e+mail=a+b", "a b"),
            ("e+mail=a=b", "a=b"),
            ("&&e+mail=abc&&", "abc"),
            ("e+mail=%zz", "%zz"),
            ("e+mail=ann%40example.com", "ann@example.com"),
        ] {
            found(body).finds(expected);
        }
        for body in [
            "",
            "e+mail",
            "e+mail=",
            "e+mail=null",
            "e+mails=abc",
            "xe+mail=abc",
            "E+mail=abc",
            "&",
            "=",
            "a=e+mail=abc",
        ] {
            found(body).finds_nothing();
        }
    }

    #[test]
    fn says_why_it_could_not_be_read() {
        let case = || Case::new(r#"{"form":"a"}"#);
        case().body("application/json", b"a=1").finds_nothing();
        case().cut_body(FORM, b"a=1").fails(Failure::CutOff);
        case()
            .body(FORM, b"a=1")
            .encoded("gzip")
            .fails(Failure::Encoding);
        case().waits();
    }
}
