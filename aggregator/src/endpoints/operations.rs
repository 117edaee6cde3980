//! An OpenAPI document → its operations: which methods it has under which templates of paths.

use serde_json::{Map, Value};

use super::METHODS;

/// Longest document, bytes.
pub const DOCUMENT_BYTES_MAX: u64 = 1 << 20;
/// Operations of one document.
pub(super) const OPERATIONS_MAX: usize = 2000;
/// Bytes of a path with that of its server.
const PATH_LEN_MAX: usize = 500;
/// Segments of a path.
const SEGMENTS_MAX: usize = 32;

/// Why a document cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct Unusable {
    /// Where in it, e.g. `paths./orders`.
    pub place: String,
    /// What is wrong there.
    pub problem: String,
    /// What would be right.
    pub remedy: &'static str,
}

/// What is read of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operations {
    /// `info.title` and `info.version`.
    pub title: String,
    /// (method, template), in the document's order.
    pub list: Vec<(&'static str, String)>,
}

fn unusable<T>(
    place: impl Into<String>,
    problem: impl Into<String>,
    remedy: &'static str,
) -> Result<T, Unusable> {
    Err(Unusable {
        place: place.into(),
        problem: problem.into(),
        remedy,
    })
}

impl Operations {
    /// Reads a document of OpenAPI 3.x or Swagger 2.0, in JSON or YAML.
    ///
    /// # Errors
    /// When it is none, or larger than one may be.
    pub fn read(text: &str) -> Result<Self, Unusable> {
        let document = parse(text)?;
        let base = base(&document)?;
        let Some(paths) = document.get("paths").and_then(Value::as_object) else {
            let remedy = "give the document that describes the API itself, with its paths";
            return unusable("paths", "there are none", remedy);
        };
        let mut list = Vec::new();
        for (path, item) in paths {
            add(&mut list, &base, path, item)?;
        }
        if list.is_empty() {
            return unusable(
                "paths",
                "there is no operation in them",
                "name a method below a path",
            );
        }
        let info = |name: &str| document.get("info")?.get(name)?.as_str();
        let title = info("title").unwrap_or("untitled");
        let title = match info("version") {
            Some(version) => format!("{title} {version}"),
            None => title.to_owned(),
        };
        Ok(Self {
            title: title.chars().take(200).collect(),
            list,
        })
    }
}

fn parse(text: &str) -> Result<Map<String, Value>, Unusable> {
    let whole = "(whole document)";
    let remedy = "give an OpenAPI document of version 3.x, or Swagger 2.0, in JSON or YAML";
    let parsed = if text.trim_start().starts_with('{') {
        serde_json::from_str(text).map_err(|error| error.to_string())
    } else {
        serde_yaml_ng::from_str(text).map_err(|error| error.to_string())
    };
    let document = match parsed {
        Ok(Value::Object(document)) => document,
        Ok(_) => return unusable(whole, "it is no object", remedy),
        Err(error) => return unusable(whole, error, remedy),
    };
    let version = |name: &str| match document.get(name) {
        Some(Value::String(version)) => Some(version.clone()),
        // `swagger: 2.0` without quotes is a number in YAML.
        Some(Value::Number(version)) => Some(version.to_string()),
        _ => None,
    };
    let (place, known) = match (version("openapi"), version("swagger")) {
        (Some(version), _) => ("openapi", version.starts_with("3.")),
        (None, Some(version)) => ("swagger", version == "2.0"),
        (None, None) => ("openapi", false),
    };
    if !known {
        return unusable(place, "this is no version that is known", remedy);
    }
    Ok(document)
}

/// The path that stands before all others: `basePath`, or that of the first server.
fn base(document: &Map<String, Value>) -> Result<String, Unusable> {
    if let Some(base) = document.get("basePath").and_then(Value::as_str) {
        return Ok(base.trim_end_matches('/').to_owned());
    }
    let server = document.get("servers").and_then(|it| it.get(0));
    let Some(url) = server.and_then(|it| it.get("url")).and_then(Value::as_str) else {
        return Ok(String::new());
    };
    let mut url = url.to_owned();
    let variables = server
        .and_then(|it| it.get("variables"))
        .and_then(Value::as_object);
    for (name, variable) in variables.into_iter().flatten() {
        let default = variable
            .get("default")
            .and_then(Value::as_str)
            .unwrap_or_default();
        url = url.replace(&format!("{{{name}}}"), default);
    }
    let path = match url.split_once("://") {
        Some((_, rest)) => rest
            .find('/')
            .map_or("", |at| rest.get(at..).unwrap_or_default()),
        None => url.as_str(),
    };
    let path = path
        .split(['?', '#'])
        .next()
        .unwrap_or_default()
        .trim_end_matches('/');
    if !path.is_empty() && !path.starts_with('/') {
        let problem = format!("`{url}` is no address with a path");
        return unusable(
            "servers[0].url",
            problem,
            "give https://host/path, or /path",
        );
    }
    Ok(path.to_owned())
}

fn add(
    list: &mut Vec<(&'static str, String)>,
    base: &str,
    path: &str,
    item: &Value,
) -> Result<(), Unusable> {
    let place = || format!("paths.{}", path.chars().take(100).collect::<String>());
    if path.starts_with("x-") {
        return Ok(());
    }
    if !path.starts_with('/') {
        return unusable(
            place(),
            "a path begins with a slash",
            "write `/orders/{id}`",
        );
    }
    let template = format!("{base}{path}");
    let segments = template.split('/').count() - 1;
    if template.len() > PATH_LEN_MAX || segments > SEGMENTS_MAX {
        let remedy = "a path has at most 500 bytes and 32 segments";
        return unusable(place(), "the path is too long", remedy);
    }
    if template.chars().any(|it| it.is_control() || it == '"') {
        return unusable(
            place(),
            "no path has such letters",
            "write it as a URL has it",
        );
    }
    let Some(item) = item.as_object() else {
        return unusable(place(), "it is no object", "name its methods below it");
    };
    if item.contains_key("$ref") {
        let remedy = "bundle the document into one, with what is referred to put in";
        return unusable(
            place(),
            "`$ref` leads elsewhere, and is not followed",
            remedy,
        );
    }
    for method in METHODS {
        if !item.contains_key(&method.to_ascii_lowercase()) {
            continue;
        }
        if list.len() >= OPERATIONS_MAX {
            let problem = format!("more than {OPERATIONS_MAX} operations");
            return unusable("paths", problem, "split the application, or leave some out");
        }
        list.push((method, template.clone()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        match Operations::read(text) {
            Ok(operations) => {
                let list = operations
                    .list
                    .iter()
                    .map(|(method, path)| format!("{method} {path}"));
                format!(
                    "{}: {}",
                    operations.title,
                    list.collect::<Vec<_>>().join(", ")
                )
            }
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn reads_operations_with_the_path_of_their_server() {
        for (text, expected) in [
            (
                r#"{"openapi": "3.1.0", "info": {"title": "Shop", "version": "2"}, "paths": {
                    "/orders/{id}": {"get": {}, "delete": {}, "parameters": []}, "x-note": 1}}"#,
                "Shop 2: GET /orders/{id}, DELETE /orders/{id}",
            ),
            (
                "openapi: 3.0.3\nservers: [{url: 'https://shop.example/v1/'}]\npaths:\n  /a:\n    post: {}\n",
                "untitled: POST /v1/a",
            ),
            (
                "openapi: 3.0.3\nservers:\n  - url: /{stage}/api\n    variables: {stage: {default: live}}\npaths: {/a: {get: }}",
                "untitled: GET /live/api/a",
            ),
            (
                "openapi: 3.0.3\nservers: [{url: 'https://shop.example'}]\npaths: {/a: {get: {}}}",
                "untitled: GET /a",
            ),
            (
                "swagger: 2.0\nbasePath: /v2\npaths: {/a: {get: {}}}",
                "untitled: GET /v2/a",
            ),
        ] {
            assert_eq!(read(text), expected);
        }
    }

    #[test]
    fn says_where_a_document_cannot_be_used() {
        let many: String = (0..2001)
            .map(|it| format!("  /a{it}: {{get: {{}}}}\n"))
            .collect();
        let many = format!("openapi: 3.0.0\npaths:\n{many}");
        let long = format!(
            "openapi: 3.0.0\npaths: {{'{}': {{get: {{}}}}}}",
            "/a".repeat(33)
        );
        for (text, expected) in [
            ("", "(whole document): it is no object"),
            ("[]", "(whole document): it is no object"),
            ("{\"openapi\":", "(whole document): EOF"),
            ("paths: {}", "openapi: this is no version"),
            ("openapi: 4.0.0\npaths: {}", "openapi: this is no version"),
            ("openapi: 3.0.0", "paths: there are none"),
            ("openapi: 3.0.0\npaths: {}", "paths: there is no operation"),
            (
                "openapi: 3.0.0\npaths: {a: {get: {}}}",
                "paths.a: a path begins",
            ),
            (
                "openapi: 3.0.0\npaths: {/a: 1}",
                "paths./a: it is no object",
            ),
            (
                "openapi: 3.0.0\npaths: {/a: {$ref: 'b.yaml'}}",
                "paths./a: `$ref`",
            ),
            (
                "openapi: 3.0.0\nservers: [{url: 'api'}]\npaths: {/a: {get: {}}}",
                "servers[0].url: `api`",
            ),
            (&many, "paths: more than 2000 operations"),
            (&long, "the path is too long"),
        ] {
            let found = read(text);
            assert!(found.contains(expected), "{expected}: {found}");
        }
    }
}
