//! A segment of the path by a template such as `/users/{id}`; deeper paths match too.

use std::borrow::Cow;

use super::Outcome;
use crate::request::Request;
use crate::text::percent_decoded_path;

/// Segments to match: a word, `*` for any, and `{name}` for the one that is the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathTemplate(Vec<Segment>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Word(Vec<u8>),
    Any,
    Value,
}

impl PathTemplate {
    /// Reads a template; `None` unless it starts with `/` and has exactly one `{…}` segment.
    #[must_use]
    pub fn parse(template: &str) -> Option<Self> {
        let segments: Vec<_> = template
            .strip_prefix('/')?
            .split('/')
            .map(|segment| match segment {
                "*" => Segment::Any,
                value if value.starts_with('{') && value.ends_with('}') => Segment::Value,
                word => Segment::Word(word.as_bytes().to_vec()),
            })
            .collect();
        let values = segments
            .iter()
            .filter(|segment| **segment == Segment::Value)
            .count();
        (values == 1).then_some(Self(segments))
    }
}

pub(super) fn find<'a>(request: &Request<'a>, template: &PathTemplate) -> Outcome<'a> {
    matched(request.path().unwrap_or_default(), template).into()
}

fn matched<'a>(path: &'a [u8], template: &PathTemplate) -> Option<Cow<'a, [u8]>> {
    let mut segments = path.strip_prefix(b"/")?.split(|byte| *byte == b'/');
    let mut value = None;
    for expected in &template.0 {
        let segment = segments.next()?;
        match expected {
            Segment::Word(word) if word != segment => return None,
            Segment::Word(_) | Segment::Any => {}
            Segment::Value => value = Some(percent_decoded_path(segment)),
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::PathTemplate;
    use crate::extract::tests::Case;

    #[test]
    fn finds_the_segment_of_a_template() {
        let case = |path| Case::new(r#"{"path":"/api/*/users/{id}"}"#).header(":path", path);
        for (path, expected) in [
            ("/api/v1/users/abc", "abc"),
            ("/api/v2/users/abc/orders", "abc"),
            ("/api/v1/users/abc/", "abc"),
            ("/api//users/abc", "abc"),
            ("/api/v1/users/abc?x=1", "abc"),
            ("/api/v1/users/a%2Fb", "a/b"),
            ("/api/v1/users/a+b", "a+b"),
            ("/api/v1/users/17", "17"),
            ("/api/users/users/abc", "abc"),
            ("/api/v1/users/{id}", "{id}"),
        ] {
            case(path).finds(expected);
        }
        for path in [
            "",
            "/",
            "/api/v1/users",
            "/api/v1/users/",
            "/api/v1/user/abc",
            "/API/v1/users/abc",
            "/x/api/v1/users/abc",
            "api/v1/users/abc",
            "/api/users/abc",
            "/api/v1/users/undefined",
        ] {
            case(path).finds_nothing();
        }
    }

    #[test]
    fn a_template_has_one_value() {
        for bad in [
            "",
            "/",
            "users/{id}",
            "/users",
            "/{a}/{b}",
            "/users/{id",
            "/*",
        ] {
            assert_eq!(PathTemplate::parse(bad), None, "{bad}");
        }
    }
}
