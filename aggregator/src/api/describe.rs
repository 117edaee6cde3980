//! What the description of all operations has in common: their ids and their errors.

use utoipa::openapi::path::{Operation, Parameter, ParameterIn};
use utoipa::openapi::{ContentBuilder, OpenApi, PathItem, Ref, RefOr, ResponseBuilder};
use utoipa::{Modify, ToSchema as _};

use super::Problem;

/// Names every operation and says how it can fail. What an operation says itself stays.
pub(super) struct Common;

impl Modify for Common {
    fn modify(&self, document: &mut OpenApi) {
        for (path, item) in &mut document.paths.paths {
            for (method, operation) in operations(item) {
                operation.operation_id = Some(id(method, path));
                for (status, description) in errors(path, operation) {
                    let absent = !operation.responses.responses.contains_key(status);
                    if absent {
                        let response = ResponseBuilder::new().description(description).build();
                        let responses = &mut operation.responses.responses;
                        responses.insert(status.to_owned(), RefOr::T(response));
                    }
                }
                describe_problems(operation);
            }
        }
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    let all = [
        ("get", &mut item.get),
        ("put", &mut item.put),
        ("post", &mut item.post),
        ("patch", &mut item.patch),
        ("delete", &mut item.delete),
    ];
    all.into_iter()
        .filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

/// Method and path in one word: `GET /v1/sessions/{id}/requests` is `getSessionsByIdRequests`. As no
/// two operations have both in common, no two have one id.
fn id(method: &str, path: &str) -> String {
    let mut id = method.to_owned();
    for segment in path.split('/').filter(|it| !matches!(*it, "" | "v1")) {
        let name = segment.trim_matches(['{', '}']);
        if name.len() < segment.len() {
            id.push_str("By");
        }
        for word in name.split(|letter: char| !letter.is_ascii_alphanumeric()) {
            let mut letters = word.chars();
            id.extend(letters.next().map(|first| first.to_ascii_uppercase()));
            id.push_str(letters.as_str());
        }
    }
    id
}

/// How operations of its kind can fail.
fn errors(path: &str, operation: &Operation) -> Vec<(&'static str, &'static str)> {
    let tokens = serde_json::to_string(&operation.security).unwrap_or_default();
    let admin = tokens.contains("admin_token");
    let placed = |it: &RefOr<Parameter>| match it {
        RefOr::T(parameter) => parameter.parameter_in == ParameterIn::Path,
        RefOr::Ref(_) => false,
    };
    let named = operation.parameters.iter().flatten().any(placed);
    let mut errors = vec![("400", "A parameter makes no sense")];
    if tokens.contains("_token") {
        errors.push(("401", "No valid token"));
    }
    if tokens.contains("read_token") {
        errors.push((
            "403",
            "The token is for something else, or for other applications",
        ));
    }
    if admin {
        errors.push(("403", "The token is no admin's"));
    }
    if named {
        errors.push(("404", "There is none of this name"));
    }
    if operation.request_body.is_some() && admin {
        errors.push(("408", "The body did not arrive in time"));
        errors.push(("413", "The body is too long"));
        errors.push(("415", "The body is in another format"));
        errors.push(("422", "The body makes no sense"));
    }
    if path.starts_with("/v1/") {
        errors.push(("500", "Something failed; the service's log says what"));
        errors.push(("503", "Too much at once, or it took too long: try again"));
    }
    errors
}

/// Errors are problems, whoever declared them.
fn describe_problems(operation: &mut Operation) {
    for (status, response) in &mut operation.responses.responses {
        let RefOr::T(response) = response else {
            continue;
        };
        if status.as_str() >= "400" && response.content.is_empty() {
            let schema = Ref::from_schema_name(Problem::name());
            let content = ContentBuilder::new().schema(Some(schema)).build();
            let media_type = "application/problem+json".to_owned();
            response.content.insert(media_type, RefOr::T(content));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_made_of_method_and_path() {
        for (method, path, expected) in [
            ("get", "/v1/sessions", "getSessions"),
            (
                "get",
                "/v1/sessions/{id}/requests",
                "getSessionsByIdRequests",
            ),
            ("put", "/v1/verdicts/{id}/label", "putVerdictsByIdLabel"),
            ("get", "/healthz", "getHealthz"),
            ("get", "/openapi.json", "getOpenapiJson"),
        ] {
            assert_eq!(id(method, path), expected);
        }
    }
}
