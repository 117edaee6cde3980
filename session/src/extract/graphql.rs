//! Operation name and variables of a GraphQL call: in a JSON body, or in a GET's query string.

use std::borrow::Cow;

use serde_json::Value;

use super::{Failure, Graphql, JsonPath, Outcome, Parts};
use crate::text::percent_decoded;

pub(super) fn find<'a>(parts: &'a Parts<'_>, part: &Graphql) -> Outcome<'a> {
    let in_query = |name: &[u8]| {
        parts
            .request
            .query_pairs()
            .find(|(key, _)| **key == *name)
            .map(|(_, v)| percent_decoded(v))
    };
    if parts.request.method == Some(b"GET") {
        let found = match part {
            Graphql::Operation => Ok(in_query(b"operationName").or_else(|| {
                in_query(b"query")
                    .and_then(|query| name_in(&query))
                    .map(Cow::Owned)
            })),
            Graphql::Variable(path) => match in_query(b"variables") {
                None => Ok(None),
                Some(json) => serde_json::from_slice::<Value>(&json)
                    .map(|variables| path.find(&variables).map(Cow::Owned))
                    .map_err(|_| Failure::Json),
            },
        };
        return found.map_or_else(Outcome::Failed, Into::into);
    }
    super::body(parts, parts.request_body.as_ref(), |body| {
        if !body.is("json") {
            return Ok(None);
        }
        // Of a batch of calls the first counts.
        let json = body.json()?;
        let call = json.get(0).unwrap_or(json);
        Ok(match part {
            Graphql::Operation => JsonPath::key("operationName").find(call).or_else(|| {
                call.get("query")
                    .and_then(Value::as_str)
                    .and_then(|query| name_in(query.as_bytes()))
            }),
            Graphql::Variable(path) => call
                .get("variables")
                .and_then(|variables| path.find(variables)),
        }
        .map(Cow::Owned))
    })
}

/// `query Products($page: Int) {…}` → `Products`; an anonymous operation has no name.
fn name_in(query: &[u8]) -> Option<Vec<u8>> {
    let query = query.trim_ascii_start();
    let rest = [&b"query"[..], b"mutation", b"subscription"]
        .iter()
        .find_map(|keyword| query.strip_prefix(*keyword))?;
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    if !rest.first().is_some_and(u8::is_ascii_whitespace) {
        return None;
    }
    let name: Vec<u8> = rest
        .trim_ascii_start()
        .iter()
        .copied()
        .take_while(is_name)
        .collect();
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use crate::extract::Failure;
    use crate::extract::tests::Case;

    fn operation(body: &str) -> Case {
        Case::new(r#"{"graphql":{"operation":{}}}"#)
            .header(":method", "POST")
            .body("application/json", body.as_bytes())
    }

    #[test]
    fn finds_the_operation() {
        for (body, expected) in [
            (
                r#"{"operationName":"Cart","query":"query Cart{a}"}"#,
                "Cart",
            ),
            (r#"{"query":"query Products($p:Int){a}"}"#, "Products"),
            (r#"{"query":"  mutation AddItem { a }"}"#, "AddItem"),
            (r#"{"query":"subscription\nOn_1{a}"}"#, "On_1"),
            (r#"{"operationName":null,"query":"query A{a}"}"#, "A"),
            (
                r#"[{"operationName":"First"},{"operationName":"Second"}]"#,
                "First",
            ),
            (r#"{"operationName":"é"}"#, "é"),
            (r#"{"operationName":" Trim "}"#, "Trim"),
            (r#"{"operationName":"X","variables":{}}"#, "X"),
            (r#"{"query":"query A{a} query B{b}"}"#, "A"),
        ] {
            operation(body).finds(expected);
        }
        for body in [
            "{}",
            "[]",
            "17",
            r#"{"query":"{a}"}"#,
            r#"{"query":"query{a}"}"#,
            r#"{"query":""}"#,
            r#"{"query":17}"#,
            r#"{"operationName":""}"#,
            r#"{"query":"querying A"}"#,
            r#"{"query":"fragment F on X{a}"}"#,
            r#"{"operationName":{}}"#,
        ] {
            operation(body).finds_nothing();
        }
        operation("{").fails(Failure::Json);
    }

    #[test]
    fn finds_a_variable() {
        let case = |body: &str| {
            Case::new(r#"{"graphql":{"variable":"/input/email"}}"#)
                .header(":method", "POST")
                .body("application/json", body.as_bytes())
        };
        for (body, expected) in [
            (
                r#"{"variables":{"input":{"email":"a@b.example"}}}"#,
                "a@b.example",
            ),
            (r#"[{"variables":{"input":{"email":"x"}}}]"#, "x"),
            (
                r#"[{"variables":{"input":{"email":"x"}}},{"variables":{}}]"#,
                "x",
            ),
            (
                r#"{"query":"{a}","variables":{"input":{"email":"x","n":1}}}"#,
                "x",
            ),
            (r#"{"variables":{"input":{"email":17}}}"#, "17"),
            (r#"{"variables":{"input":{"email":true}}}"#, "true"),
            (r#"{"variables":{"input":{"email":["a","b"]}}}"#, "a,b"),
            (r#"{"variables":{"input":{"email":" x "}}}"#, "x"),
            (r#"{"variables":{"input":{"email":"\u00e9"}}}"#, "é"),
            (r#"{"variables":{"input":{"email":"a","email":"b"}}}"#, "b"),
        ] {
            case(body).finds(expected);
        }
        for body in [
            r#"{"variables":{"email":"x"}}"#,
            r#"{"variables":null}"#,
            r#"{"variables":"{\"input\":{\"email\":\"x\"}}"}"#,
            r#"{"variables":[]}"#,
            r#"{"variables":{"input":{"email":null}}}"#,
            r#"{"variables":{"input":{"email":""}}}"#,
            r#"{"variables":{"input":{"email":{}}}}"#,
            r#"{"variables":{"input":"x"}}"#,
            r#"{"input":{"email":"x"}}"#,
            r#"[{},{"variables":{"input":{"email":"x"}}}]"#,
        ] {
            case(body).finds_nothing();
        }
        for body in ["", "{", r#"{"variables":"#] {
            case(body).fails(Failure::Json);
        }
    }

    #[test]
    fn reads_a_get() {
        let get = |source: &str, path: &str| {
            Case::new(source)
                .header(":method", "GET")
                .header(":path", path)
        };
        let operation = r#"{"graphql":{"operation":{}}}"#;
        for (path, expected) in [
            ("/graphql?operationName=Cart", "Cart"),
            ("/graphql?a=1&operationName=Cart", "Cart"),
            ("/graphql?operationName=A&operationName=B", "A"),
            ("/graphql?operationName=C%61rt", "Cart"),
            ("/graphql?query=query+Cart%7Ba%7D", "Cart"),
            ("/graphql?query=mutation%20Add{a}", "Add"),
            ("/graphql?query=query+A&operationName=B", "B"),
        ] {
            get(operation, path).finds(expected);
        }
        for path in [
            "/graphql",
            "/graphql?query=%7Ba%7D",
            "/graphql?operationname=Cart",
            "/graphql?operationName=",
            "/graphql?operationName=null",
            "/graphql?query=",
        ] {
            get(operation, path).finds_nothing();
        }
        let variable = r#"{"graphql":{"variable":"/id"}}"#;
        get(variable, "/graphql?variables=%7B%22id%22%3A7%7D").finds("7");
        get(variable, "/graphql?variables={\"id\":\"x\"}").finds("x");
        get(variable, "/graphql").finds_nothing();
        get(variable, "/graphql?variables=[]").finds_nothing();
        get(variable, "/graphql?variables=%7B").fails(Failure::Json);
        get(variable, "/graphql?variables=").fails(Failure::Json);
    }
}
