//! request → session key: where in an exchange a value can be found.
//!
//! A place is one file here, one variant of [`Place`], and one line each in [`ALL`] and
//! [`Place::find`].

mod bearer;
mod cookie;
mod decode;
mod document;
mod fingerprint;
mod form;
mod graphql;
mod grpc;
mod header;
mod host;
mod json;
mod jwt;
mod method;
mod path;
mod path_segment;
mod query;
mod tls;

use std::borrow::Cow;

pub use decode::Step;
pub use document::{Graphql, Grpc, Jwt, Tls};
pub use json::JsonPath;
pub use path::PathTemplate;

use crate::body::{Body, Extent};
use crate::headers::HeaderBlock;
use crate::request::Request;

/// Every place by the name it has in the policy.
pub const ALL: [&str; 15] = [
    "bearer",
    "cookie",
    "fingerprint",
    "form",
    "graphql",
    "grpc",
    "header",
    "host",
    "json",
    "jwt",
    "method",
    "path",
    "path_segment",
    "query",
    "tls",
];

/// Where a value is and what has to be done to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// The place.
    pub place: Place,
    /// Decoding steps, in order.
    pub decode: Vec<Step>,
    /// In the response instead of the request.
    pub in_response: bool,
}

/// A place that holds a value, as the policy names it: `{"cookie": "sid"}`.
#[derive(Debug, Clone, PartialEq)]
pub enum Place {
    /// The token of `Authorization: Bearer`.
    Bearer,
    /// A cookie by its name; in a response `Set-Cookie`.
    Cookie(String),
    /// A header that the proxy's configuration sets and a client cannot.
    Fingerprint(String),
    /// A field of an urlencoded form.
    Form(String),
    /// A part of a GraphQL call.
    Graphql(Graphql),
    /// A part of a gRPC call's path.
    Grpc(Grpc),
    /// A header by its name.
    Header(String),
    /// The host that was asked.
    Host,
    /// A value in a JSON body.
    Json(JsonPath),
    /// A claim of a JWT, unverified.
    Jwt(Box<Jwt>),
    /// The method.
    Method,
    /// A segment of the path, by a template.
    Path(PathTemplate),
    /// A segment of the path, by its number from 0.
    PathSegment(usize),
    /// A query parameter by its name.
    Query(String),
    /// A part of the TLS handshake.
    Tls(Tls),
}

/// What looking for a value came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome<'a> {
    /// There it is.
    Found(Cow<'a, [u8]>),
    /// There is none, or one that is empty-like.
    Missing,
    /// The part of the exchange that may hold it is not there yet.
    NotYet,
    /// There is something that cannot be read.
    Failed(Failure),
}

/// Why something that is there cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Failure {
    /// Longer than the limit.
    TooLong,
    /// A body whose exchange ended before it did.
    CutOff,
    /// A content encoding that is unknown or broken.
    Encoding,
    /// Not JSON, or nested too deep.
    Json,
    /// Not base64.
    Base64,
    /// Not a JWT.
    Jwt,
}

impl Failure {
    /// Its name on records.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::TooLong => "too_long",
            Self::CutOff => "cut_off",
            Self::Encoding => "encoding",
            Self::Json => "json",
            Self::Base64 => "base64",
            Self::Jwt => "jwt",
        }
    }
}

/// The parts of an exchange that are there by now.
#[derive(Debug, Default)]
pub struct Parts<'a> {
    /// The request's headers.
    pub request: Request<'a>,
    /// The request's body, once it is complete or the exchange has ended.
    pub request_body: Option<Body<'a>>,
    /// The response's headers, once they are there.
    pub response: Option<&'a HeaderBlock>,
    /// The response's body, once the exchange has ended.
    pub response_body: Option<Body<'a>>,
    /// Subject of the client's certificate.
    pub tls_peer_subject: Option<&'a [u8]>,
    /// Server name of the TLS handshake.
    pub tls_sni: Option<&'a [u8]>,
    /// The exchange has ended: what is not there now never comes.
    pub ended: bool,
}

impl<'a> Parts<'a> {
    /// A part that may not be there yet.
    fn part<T>(&self, part: Option<&'a T>) -> Result<&'a T, Outcome<'a>> {
        part.ok_or(if self.ended {
            Outcome::Missing
        } else {
            Outcome::NotYet
        })
    }
}

impl Source {
    /// The value, trimmed and decoded.
    #[must_use]
    pub fn find<'a>(&self, parts: &'a Parts<'_>) -> Outcome<'a> {
        let found = match self.place.find(parts, self.in_response) {
            Outcome::Found(value) => decode::all(&self.decode, value),
            other => other,
        };
        match found {
            Outcome::Found(value) if is_empty_like(&value) => Outcome::Missing,
            other => other,
        }
    }

    /// Whether a body has to be kept for it.
    #[must_use]
    pub fn reads_body(&self) -> bool {
        match &self.place {
            Place::Form(_) | Place::Graphql(_) | Place::Json(_) => true,
            Place::Jwt(jwt) => jwt.inside.reads_body(),
            _ => false,
        }
    }

    /// Whether a request body of this content type may hold it.
    #[must_use]
    pub fn may_read(&self, content_type: &[u8]) -> bool {
        let body = Body::new(&[], Extent::Whole, content_type, &[]);
        match &self.place {
            Place::Form(_) => body.is("x-www-form-urlencoded"),
            Place::Graphql(_) | Place::Json(_) => body.is("json"),
            Place::Jwt(jwt) => jwt.inside.may_read(content_type),
            _ => false,
        }
    }

    /// Whether it can only be looked for when more than the request's headers is there.
    #[must_use]
    pub fn is_late(&self) -> bool {
        self.in_response || self.reads_body()
    }

    /// Whether a client can put there what it likes without the upstream noticing: it may group
    /// and show, but not convict a user.
    #[must_use]
    pub fn is_forgeable(&self) -> bool {
        !self.in_response && !matches!(self.place, Place::Fingerprint(_) | Place::Tls(_))
    }
}

impl Place {
    fn find<'a>(&self, parts: &'a Parts<'_>, in_response: bool) -> Outcome<'a> {
        if in_response {
            return self.find_in_response(parts);
        }
        let request = &parts.request;
        match self {
            Self::Bearer => bearer::find(request),
            Self::Cookie(name) if request.may_have_cookie(name) => cookie::find(request, name),
            Self::Cookie(_) => Outcome::Missing,
            Self::Fingerprint(name) => fingerprint::find(request, name),
            Self::Form(name) => body(parts, parts.request_body.as_ref(), |b| form::find(b, name)),
            Self::Graphql(part) => graphql::find(parts, part),
            Self::Grpc(part) => grpc::find(request, *part),
            Self::Header(name) if request.may_have_header(name) => {
                header::find(request.headers, name)
            }
            Self::Header(_) => Outcome::Missing,
            Self::Host => host::find(request),
            Self::Json(path) => body(parts, parts.request_body.as_ref(), |b| json::find(b, path)),
            Self::Jwt(jwt) => jwt::find(parts, jwt),
            Self::Method => method::find(request),
            Self::Path(template) => path::find(request, template),
            Self::PathSegment(index) => path_segment::find(request, *index),
            Self::Query(name) => query::find(request, name),
            Self::Tls(part) => tls::find(parts, *part),
        }
    }

    /// Only some places exist in a response; the policy refuses the others.
    fn find_in_response<'a>(&self, parts: &'a Parts<'_>) -> Outcome<'a> {
        match self {
            Self::Json(path) => body(parts, parts.response_body.as_ref(), |b| json::find(b, path)),
            Self::Jwt(jwt) => jwt::find(parts, jwt),
            Self::Cookie(name) => match parts.part(parts.response) {
                Ok(headers) => cookie::find_set(headers, name),
                Err(outcome) => outcome,
            },
            Self::Header(name) => match parts.part(parts.response) {
                Ok(headers) => header::find(Some(headers), name),
                Err(outcome) => outcome,
            },
            _ => Outcome::Missing,
        }
    }

    /// Whether a response has such a place.
    #[must_use]
    pub fn exists_in_response(&self) -> bool {
        match self {
            Self::Json(_) | Self::Cookie(_) | Self::Header(_) => true,
            Self::Jwt(jwt) => jwt.inside.place.exists_in_response(),
            _ => false,
        }
    }
}

/// Looks into a body that may not be there yet.
fn body<'a, 'b>(
    parts: &Parts<'_>,
    body: Option<&'a Body<'b>>,
    find: impl FnOnce(&'a Body<'b>) -> Result<Option<Cow<'a, [u8]>>, Failure>,
) -> Outcome<'a> {
    match body {
        None if parts.ended => Outcome::Missing,
        None => Outcome::NotYet,
        Some(body) => match find(body) {
            Ok(found) => found.into(),
            Err(failure) => Outcome::Failed(failure),
        },
    }
}

impl<'a> From<Option<Cow<'a, [u8]>>> for Outcome<'a> {
    fn from(found: Option<Cow<'a, [u8]>>) -> Self {
        found.map_or(Self::Missing, Self::Found)
    }
}

impl<'a> From<Option<&'a [u8]>> for Outcome<'a> {
    fn from(found: Option<&'a [u8]>) -> Self {
        found.map(Cow::Borrowed).into()
    }
}

/// Values that clients send when they have none; as a key they would merge strangers.
#[must_use]
pub fn is_empty_like(value: &[u8]) -> bool {
    const WORDS: [&[u8]; 9] = [
        b"",
        b"0",
        b"-",
        b"null",
        b"nil",
        b"none",
        b"undefined",
        b"nan",
        b"[object Object]",
    ];
    WORDS.iter().any(|word| value.eq_ignore_ascii_case(word))
}

#[cfg(test)]
pub(crate) mod tests;
