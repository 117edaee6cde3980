//! A cookie by its exact name; the first one wins, quotes around the value are taken off.

use super::Outcome;
use crate::headers::HeaderBlock;
use crate::request::Request;

pub(super) fn find<'a>(request: &Request<'a>, name: &str) -> Outcome<'a> {
    request
        .cookies()
        .flat_map(|cookies| cookies.split(|byte| *byte == b';'))
        .find_map(|cookie| value_of(cookie, name))
        .into()
}

/// A cookie that a response sets; one that it deletes is no value.
pub(super) fn find_set<'a>(response: &'a HeaderBlock, name: &str) -> Outcome<'a> {
    response
        .iter()
        .filter(|(header, _)| *header == b"set-cookie")
        .find_map(|(_, cookie)| {
            let mut parts = cookie.split(|byte| *byte == b';');
            let value = value_of(parts.next()?, name)?;
            let deletes = parts.any(|attribute| deletes(attribute.trim_ascii()));
            (!deletes).then_some(value)
        })
        .into()
}

/// A `Max-Age` of zero or less, or an `Expires` in 1970: what frameworks write to delete a cookie.
fn deletes(attribute: &[u8]) -> bool {
    let attribute = attribute.to_ascii_lowercase();
    if let Some(age) = attribute.strip_prefix(b"max-age=") {
        return age.starts_with(b"-")
            || (!age.is_empty() && age.iter().all(|digit| *digit == b'0'));
    }
    attribute.starts_with(b"expires=") && attribute.windows(4).any(|year| year == b"1970")
}

fn value_of<'a>(cookie: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let value = cookie
        .trim_ascii()
        .strip_prefix(name.as_bytes())?
        .strip_prefix(b"=")?
        .trim_ascii();
    Some(
        value
            .strip_prefix(b"\"")
            .and_then(|value| value.strip_suffix(b"\""))
            .unwrap_or(value),
    )
}

#[cfg(test)]
mod tests {
    use crate::extract::tests::Case;

    #[test]
    fn finds_a_cookie_by_its_name() {
        let found = |cookies| Case::new(r#"{"cookie":"sid"}"#).header("cookie", cookies);
        for (cookies, expected) in [
            ("sid=abc", "abc"),
            ("a=1; sid=abc; b=2", "abc"),
            ("a=1;sid=abc", "abc"),
            ("sid=\"abc\"", "abc"),
            ("sid=\"", "\""),
            ("sid=one; sid=two", "one"),
            ("sid=a=b=", "a=b="),
            ("  sid=abc  ", "abc"),
            (";;sid=abc;;", "abc"),
            ("sid= abc", "abc"),
        ] {
            found(cookies).finds(expected);
        }
        for cookies in [
            "xsid=abc",
            "sidx=abc",
            "SID=abc",
            "sid",
            "sid=",
            "sid=\"\"",
            ";;;=;",
            "",
            "a=sid=abc",
            "sid =abc",
            "sid=null",
        ] {
            found(cookies).finds_nothing();
        }
        Case::new(r#"{"cookie":"sid"}"#)
            .header("cookie", "a=1")
            .header("cookie", "b=2")
            .header("cookie", "sid=abc")
            .header("cookie", "sid=late")
            .finds("abc");
    }

    #[test]
    fn finds_a_cookie_that_a_response_sets() {
        let found = |cookie| {
            Case::new(r#"{"response":{"cookie":"sid"}}"#).response_header("set-cookie", cookie)
        };
        for (cookie, expected) in [
            ("sid=abc", "abc"),
            ("sid=abc; Path=/; HttpOnly; Max-Age=3600", "abc"),
            ("sid=\"abc\"; Secure", "abc"),
            (" sid= abc", "abc"),
            ("sid=a=b=", "a=b="),
            ("sid=abc;", "abc"),
            ("sid=abc; Max-Age=", "abc"),
            ("sid=abc; Max-Age=10", "abc"),
            ("sid=abc; Expires=Wed, 21 Oct 2099 07:28:00 GMT", "abc"),
            ("sid=Max-Age; Path=/", "Max-Age"),
        ] {
            found(cookie).finds(expected);
        }
        for cookie in [
            "",
            ";",
            "sid",
            "sid=",
            "sid=; Max-Age=0",
            "sid=gone; Max-Age=0",
            "sid=gone; max-age=0; Path=/",
            "sid=gone; Max-Age=-1",
            "sid=gone; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
            "sid=gone; expires=Thu, 01-Jan-1970 00:00:01 GMT; path=/",
            "sid=null",
            "SID=abc",
            "other=abc; sid=abc",
        ] {
            found(cookie).finds_nothing();
        }
        Case::new(r#"{"response":{"cookie":"sid"}}"#)
            .response_header("set-cookie", "sid=gone; Max-Age=0")
            .response_header("set-cookie", "sid=new")
            .finds("new");
        Case::new(r#"{"response":{"cookie":"sid"}}"#)
            .header("set-cookie", "sid=abc")
            .finds_nothing();
        Case::new(r#"{"response":{"cookie":"sid"}}"#).waits();
    }
}
