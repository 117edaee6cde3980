//! The method.

use super::Outcome;
use crate::request::Request;

pub(super) fn find<'a>(request: &Request<'a>) -> Outcome<'a> {
    request.method.into()
}

#[cfg(test)]
mod tests {
    use crate::extract::tests::Case;

    #[test]
    fn finds_the_method() {
        let case = |method| Case::new(r#"{"method":{}}"#).header(":method", method);
        for method in [
            "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "CONNECT", "TRACE", "PURGE",
        ] {
            case(method).finds(method);
        }
        for method in [
            "",
            "-",
            "0",
            "null",
            "none",
            "nil",
            "undefined",
            "NULL",
            "None",
            "nan",
        ] {
            case(method).finds_nothing();
        }
        Case::new(r#"{"method":{}}"#)
            .header("method", "GET")
            .finds_nothing();
    }
}
