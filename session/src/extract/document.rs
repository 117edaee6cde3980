//! Places as the policy writes them: `{"cookie": "sid", "decode": ["lower"]}`.

use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::{JsonPath, PathTemplate, Place, Source, Step};

/// A part of a GraphQL call.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case", from = "GraphqlDocument")]
pub enum Graphql {
    /// The operation's name.
    Operation,
    /// A variable.
    Variable(JsonPath),
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum GraphqlDocument {
    Operation {},
    Variable(JsonPath),
}

impl From<GraphqlDocument> for Graphql {
    fn from(document: GraphqlDocument) -> Self {
        match document {
            GraphqlDocument::Operation {} => Self::Operation,
            GraphqlDocument::Variable(path) => Self::Variable(path),
        }
    }
}

/// A part of a gRPC call's path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grpc {
    /// `package.Service`
    Service,
    /// `Method`
    Method,
}

/// A part of the TLS handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tls {
    /// Subject of the client's certificate.
    PeerSubject,
    /// Server name that the client asked for.
    Sni,
}

/// A claim of a JWT in another place.
#[derive(Debug, Clone, PartialEq)]
pub struct Jwt {
    /// The claim.
    pub claim: JsonPath,
    /// Where the token is.
    pub inside: Source,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct JwtDocument {
    claim: String,
    #[serde(rename = "in")]
    inside: Source,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FingerprintDocument {
    header: String,
    #[serde(default)]
    trusted: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum StepDocument {
    Percent,
    Base64,
    Lower,
    Trim,
    Regex(String),
}

impl<'de> Deserialize<'de> for Step {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match StepDocument::deserialize(deserializer)? {
            StepDocument::Percent => Self::Percent,
            StepDocument::Base64 => Self::Base64,
            StepDocument::Lower => Self::Lower,
            StepDocument::Trim => Self::Trim,
            StepDocument::Regex(pattern) => Self::Regex(
                regex_lite::RegexBuilder::new(&pattern)
                    .size_limit(64 * 1024)
                    .build()
                    .map_err(D::Error::custom)?,
            ),
        })
    }
}

impl<'de> Deserialize<'de> for JsonPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            D::Error::custom(format!(
                "`{text}` is no JSON Pointer; write e.g. `/user/id` or `/items/*/id`"
            ))
        })
    }
}

impl<'de> Deserialize<'de> for PathTemplate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            D::Error::custom(format!(
                "`{text}` must start with `/` and have one segment in braces, e.g. `/users/{{id}}`"
            ))
        })
    }
}

/// A name that must not be empty.
fn name<'de, A: MapAccess<'de>>(map: &mut A) -> Result<String, A::Error> {
    let name: String = map.next_value()?;
    if name.is_empty() {
        return Err(A::Error::custom("the name is empty; say which one"));
    }
    Ok(name)
}

fn place<'de, A: MapAccess<'de>>(key: &str, map: &mut A) -> Result<Place, A::Error> {
    Ok(match key {
        "bearer" => map
            .next_value::<Nothing>()
            .map(|Nothing {}| Place::Bearer)?,
        "cookie" => Place::Cookie(name(map)?),
        "fingerprint" => {
            let FingerprintDocument { header, trusted } = map.next_value()?;
            if !trusted {
                return Err(A::Error::custom(
                    "`trusted` must be true: only then is it sure that the proxy overwrites what \
                     a client sends under this name",
                ));
            }
            Place::Fingerprint(header.to_ascii_lowercase())
        }
        "form" => Place::Form(name(map)?),
        "graphql" => Place::Graphql(map.next_value()?),
        "grpc" => Place::Grpc(map.next_value()?),
        "header" => Place::Header(name(map)?.to_ascii_lowercase()),
        "host" => map.next_value::<Nothing>().map(|Nothing {}| Place::Host)?,
        "json" => Place::Json(map.next_value()?),
        "jwt" => {
            let JwtDocument { claim, inside } = map.next_value()?;
            // Claims may be named by a URL: only a leading slash makes a pointer.
            let claim = if claim.starts_with('/') {
                JsonPath::parse(&claim)
                    .ok_or_else(|| A::Error::custom(format!("`{claim}` is no JSON Pointer")))?
            } else {
                JsonPath::key(&claim)
            };
            Place::Jwt(Box::new(Jwt { claim, inside }))
        }
        "method" => map
            .next_value::<Nothing>()
            .map(|Nothing {}| Place::Method)?,
        "path" => Place::Path(map.next_value()?),
        "path_segment" => Place::PathSegment(map.next_value()?),
        "query" => Place::Query(name(map)?),
        "tls" => Place::Tls(map.next_value()?),
        other => return Err(A::Error::unknown_variant(other, &super::ALL)),
    })
}

impl<'de> Deserialize<'de> for Source {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Document;
        impl<'de> Visitor<'de> for Document {
            type Value = Source;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("a place such as {\"cookie\": \"sid\"}")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Source, A::Error> {
                let mut found: Option<Source> = None;
                let mut decode = Vec::new();
                while let Some(key) = map.next_key::<String>()? {
                    if key == "decode" {
                        decode = map.next_value()?;
                        continue;
                    }
                    if found.is_some() {
                        return Err(A::Error::custom(format!(
                            "a place has one name, `{key}` is a second; make it a list of places"
                        )));
                    }
                    found = Some(if key == "response" {
                        in_response(map.next_value()?)?
                    } else {
                        let place = place(&key, &mut map)?;
                        Source {
                            place,
                            decode: Vec::new(),
                            in_response: false,
                        }
                    });
                }
                let mut source = found.ok_or_else(|| {
                    A::Error::custom("no place; write e.g. {\"cookie\": \"sid\"}")
                })?;
                source.decode.append(&mut decode);
                Ok(source)
            }
        }
        deserializer.deserialize_map(Document)
    }
}

/// The same place in the response; a JWT's token is looked for there too.
fn in_response<E: serde::de::Error>(mut source: Source) -> Result<Source, E> {
    if source.in_response || !source.place.exists_in_response() {
        return Err(E::custom(
            "a response has no such place; it has `cookie`, `header`, `json` and `jwt` in one of these",
        ));
    }
    source.in_response = true;
    if let Place::Jwt(jwt) = &mut source.place {
        jwt.inside.in_response = true;
    }
    Ok(source)
}

#[cfg(test)]
mod tests {
    use crate::extract::tests::refusal;

    #[test]
    fn refuses_odd_places() {
        for (source, problem) in [
            (
                r#"{"cokie":"sid"}"#,
                "unknown variant `cokie`, expected one of `bearer`, `cookie`",
            ),
            (r#"{"cookie":""}"#, "the name is empty"),
            (
                r#"{"cookie":"a","header":"b"}"#,
                "a place has one name, `header` is a second",
            ),
            (r#"{"decode":[]}"#, "no place; write e.g."),
            (
                r#"{"response":{"query":"a"}}"#,
                "a response has no such place",
            ),
            (
                r#"{"response":{"response":{"header":"a"}}}"#,
                "a response has no such place",
            ),
            (r#"{"json":"user.id"}"#, "`user.id` is no JSON Pointer"),
            (r#"{"path":"/users"}"#, "one segment in braces"),
            (r#"{"path_segment":-1}"#, "invalid value: integer `-1`"),
            (r#"{"bearer":{"x":1}}"#, "unknown field `x`"),
            (r#"{"jwt":{"claim":"sub"}}"#, "missing field `in`"),
            (r#"{"grpc":"both"}"#, "unknown variant `both`"),
            (r#""sid""#, "expected a place such as"),
        ] {
            let refused = refusal(source);
            assert!(refused.contains(problem), "{source}: {refused}");
        }
    }
}
