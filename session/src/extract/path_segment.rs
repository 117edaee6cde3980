//! A segment of the path by its number, from 0, percent-decoded.

use super::Outcome;
use crate::request::Request;
use crate::text::percent_decoded_path;

pub(super) fn find<'a>(request: &Request<'a>, index: usize) -> Outcome<'a> {
    let path = request.path().and_then(|path| path.strip_prefix(b"/"));
    path.and_then(|path| path.split(|byte| *byte == b'/').nth(index))
        .map(percent_decoded_path)
        .into()
}

#[cfg(test)]
mod tests {
    use crate::extract::tests::Case;

    #[test]
    fn finds_a_segment_by_its_number() {
        let case = |path| Case::new(r#"{"path_segment":1}"#).header(":path", path);
        for (path, expected) in [
            ("/t/abc", "abc"),
            ("/t/abc/", "abc"),
            ("/t/abc/x", "abc"),
            ("/t/abc?x=/y", "abc"),
            ("/t/a%20b", "a b"),
            ("/t/a+b", "a+b"),
            ("//abc", "abc"),
            ("/t/%zz", "%zz"),
            ("/t/00", "00"),
            ("/t/a;b=c", "a;b=c"),
        ] {
            case(path).finds(expected);
        }
        for path in [
            "",
            "/",
            "/t",
            "/t/",
            "/t?x=/abc",
            "t/abc",
            "*",
            "/t//abc",
            "/t/null",
            "/t/0",
        ] {
            case(path).finds_nothing();
        }
    }
}
