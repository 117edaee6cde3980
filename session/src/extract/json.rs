//! A value in a JSON body, by a JSON Pointer (RFC 6901) in which `*` stands for any key or index.

use std::borrow::Cow;

use serde_json::Value;

use super::Failure;
use crate::body::Body;

/// The steps of a pointer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonPath(Vec<Option<String>>);

impl JsonPath {
    /// Reads a pointer; `None` unless it starts with `/` and its escapes are right.
    #[must_use]
    pub fn parse(pointer: &str) -> Option<Self> {
        let steps = pointer
            .strip_prefix('/')?
            .split('/')
            .map(|step| match step {
                "*" => Some(None),
                step if step.replace("~0", "").replace("~1", "").contains('~') => None,
                step => Some(Some(step.replace("~1", "/").replace("~0", "~"))),
            });
        steps.collect::<Option<_>>().map(Self)
    }

    /// One key.
    #[must_use]
    pub fn key(name: &str) -> Self {
        Self(vec![Some(name.to_owned())])
    }

    /// The first scalar that the pointer leads to.
    pub(super) fn find(&self, json: &Value) -> Option<Vec<u8>> {
        descend(json, &self.0)
    }
}

pub(super) fn find<'a>(
    body: &'a Body<'_>,
    path: &JsonPath,
) -> Result<Option<Cow<'a, [u8]>>, Failure> {
    if !body.is("json") {
        return Ok(None);
    }
    Ok(path.find(body.json()?).map(Cow::Owned))
}

fn descend(json: &Value, steps: &[Option<String>]) -> Option<Vec<u8>> {
    let Some((step, rest)) = steps.split_first() else {
        return scalar(json);
    };
    match (json, step) {
        (Value::Object(fields), Some(key)) => descend(fields.get(key)?, rest),
        (Value::Object(fields), None) => fields.values().find_map(|field| descend(field, rest)),
        (Value::Array(items), Some(index)) => {
            descend(items.get(index.parse::<usize>().ok()?)?, rest)
        }
        (Value::Array(items), None) => items.iter().find_map(|item| descend(item, rest)),
        _ => None,
    }
}

/// Text as it is, numbers and truth values as written; a list of these joined by commas.
fn scalar(json: &Value) -> Option<Vec<u8>> {
    match json {
        Value::String(text) => Some(text.trim().as_bytes().to_vec()),
        Value::Number(number) => Some(number.to_string().into_bytes()),
        Value::Bool(truth) => Some(truth.to_string().into_bytes()),
        Value::Array(items) if items.len() <= 16 => {
            let items: Option<Vec<_>> = items
                .iter()
                .map(|item| if item.is_array() { None } else { scalar(item) })
                .collect();
            Some(items?.join(&b','))
        }
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::JsonPath;
    use crate::extract::Failure;
    use crate::extract::tests::Case;

    fn case(pointer: &str, body: &str) -> Case {
        Case::new(&format!(r#"{{"json":"{pointer}"}}"#)).body("application/json", body.as_bytes())
    }

    #[test]
    fn follows_a_pointer() {
        for (pointer, body, expected) in [
            ("/token", r#"{"token":"abc"}"#, "abc"),
            ("/user/id", r#"{"user":{"id":17}}"#, "17"),
            ("/a/1", r#"{"a":["x","y"]}"#, "y"),
            ("/0/id", r#"[{"id":"x"}]"#, "x"),
            ("/a~1b", r#"{"a/b":"x"}"#, "x"),
            ("/a~0b", r#"{"a~b":"x"}"#, "x"),
            (
                "/items/*/id",
                r#"{"items":[{"x":1},{"id":"second"}]}"#,
                "second",
            ),
            ("/*/id", r#"{"a":{"id":"x"}}"#, "x"),
            ("/on", r#"{"on":true}"#, "true"),
            ("/roles", r#"{"roles":["admin","user"]}"#, "admin,user"),
            ("/t", r#"{"t":" spaced "}"#, "spaced"),
            ("/t", r#"{"t":"one","t":"two"}"#, "two"),
            (
                "/big",
                r#"{"big":12345678901234567890}"#,
                "12345678901234567890",
            ),
            ("/é", r#"{"é":"\u00e9"}"#, "é"),
            ("/", r#"{"":"empty key"}"#, "empty key"),
        ] {
            case(pointer, body).finds(expected);
        }
    }

    #[test]
    fn finds_nothing_elsewhere() {
        for (pointer, body) in [
            ("/token", "{}"),
            ("/token", r#"{"token":null}"#),
            ("/token", r#"{"token":"null"}"#),
            ("/token", r#"{"token":0}"#),
            ("/token", r#"{"token":{"a":1}}"#),
            ("/token", r#"{"token":[[1]]}"#),
            ("/token", r#""token""#),
            ("/token", r#"[{"token":"abc"}]"#),
            ("/a/5", r#"{"a":["x"]}"#),
            ("/a/-1", r#"{"a":["x"]}"#),
            ("/Token", r#"{"token":"abc"}"#),
        ] {
            case(pointer, body).finds_nothing();
        }
    }

    #[test]
    fn says_why_a_body_could_not_be_read() {
        let deep = "[".repeat(10_000);
        for body in ["", "{", "nope", r#"{"token":"#, "\u{feff}{}", deep.as_str()] {
            case("/token", body).fails(Failure::Json);
        }
        let case = || Case::new(r#"{"json":"/t"}"#);
        case()
            .body("application/json", b"{\"t\":\"\xff\"}")
            .fails(Failure::Json);
        case().body("text/plain", br#"{"t":"x"}"#).finds_nothing();
        case()
            .cut_body("application/json", br#"{"t":"x"}"#)
            .fails(Failure::CutOff);
        case()
            .body("application/json", b"\x1f\x8b")
            .encoded("gzip")
            .fails(Failure::Encoding);
        case().waits();
    }

    #[test]
    fn odd_pointers_are_refused() {
        for bad in ["", "token", "/a~2", "/a~"] {
            assert_eq!(JsonPath::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn reads_responses() {
        Case::new(r#"{"response":{"json":"/token"}}"#)
            .body("application/json", br#"{"token":"request"}"#)
            .response_body("application/json", br#"{"token":"response"}"#)
            .finds("response");
    }
}
