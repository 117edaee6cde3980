//! What every endpoint begins with: the method, the token, the query string.

use std::convert::Infallible;
use std::sync::Arc;

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method};
use serde::Serialize;
use warp::filters::BoxedFilter;
use warp::path::FullPath;
use warp::reply::Response;
use warp::{Filter, Rejection};

use super::App;
use super::error::ApiError;
use super::params::Params;
use crate::tokens::{Denied, Grant, Role, Scope};

/// Who may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// Anyone: health, metrics, the description of the API.
    Open,
    /// Whoever may read; of the database they see the applications of their token
    /// ([`super::query::run`]), and nothing else may be answered.
    Read,
    /// Whoever may read all applications.
    ReadAll,
    /// Whoever may send records.
    Ingest,
    /// Whoever may change things.
    Admin,
}

/// The methods that a path knows, with who may use them; `HEAD` goes with `GET`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Methods {
    pub(super) each: &'static [(&'static str, Access)],
    /// For the header `Allow`.
    pub(super) allow: &'static str,
}

impl From<Access> for Methods {
    fn from(access: Access) -> Self {
        let (each, allow): (&[_], _) = match access {
            Access::Open => (&[("GET", Access::Open)], "GET, HEAD"),
            Access::Read => (&[("GET", Access::Read)], "GET, HEAD"),
            Access::ReadAll => (&[("GET", Access::ReadAll)], "GET, HEAD"),
            Access::Ingest => (&[("POST", Access::Ingest)], "POST"),
            Access::Admin => (&[("POST", Access::Admin)], "POST"),
        };
        Self { each, allow }
    }
}

impl Methods {
    /// Of what admins put in place and take away, and which is read elsewhere.
    pub(super) const PUT_DELETE: Self = Self {
        each: &[("PUT", Access::Admin), ("DELETE", Access::Admin)],
        allow: "PUT, DELETE",
    };
    /// Of what admins put in place and take away, and which readers may see.
    pub(super) const GET_PUT_DELETE: Self = Self {
        each: &[
            ("GET", Access::Read),
            ("PUT", Access::Admin),
            ("DELETE", Access::Admin),
        ],
        allow: "GET, HEAD, PUT, DELETE",
    };

    fn access(&self, method: &Method) -> Option<Access> {
        let name = if method == Method::HEAD {
            "GET"
        } else {
            method.as_str()
        };
        let found = self.each.iter().find(|(known, _)| *known == name);
        found.map(|(_, access)| *access)
    }
}

/// A request that may be answered.
#[derive(Clone)]
pub(super) struct Call {
    pub(super) app: Arc<App>,
    pub(super) method: Method,
    pub(super) headers: HeaderMap,
    /// What the token is for.
    pub(super) grant: Grant,
    path: String,
    query: String,
}

impl Call {
    /// The parameters, of which `known` are allowed.
    pub(super) fn params(&self, known: &'static [&'static str]) -> Result<Params, ApiError> {
        Params::parse(&self.path, &self.query, known)
    }
}

fn admit(app: &App, headers: &HeaderMap, access: Access) -> Result<Grant, ApiError> {
    let (needed, scoped) = match access {
        Access::Open => return Ok(Grant::nobody()),
        Access::Read => (Role::Read, true),
        Access::ReadAll => (Role::Read, false),
        Access::Ingest => (Role::Ingest, true),
        Access::Admin => (Role::Admin, false),
    };
    let grant = app.gate.admit(headers, needed, app.clock.now_us())?;
    if !scoped && grant.scope != Scope::All {
        return Err(ApiError::Denied(Denied::OutOfScope {
            token: grant.name,
            what: "this endpoint is about all applications".into(),
        }));
    }
    Ok(grant)
}

/// To be placed after the path: admits the methods that it knows, each with the right token.
pub(super) fn call(app: &Arc<App>, methods: impl Into<Methods>) -> BoxedFilter<(Call,)> {
    let app = Arc::clone(app);
    let methods = methods.into();
    let query = warp::query::raw()
        .or(warp::any().map(String::new))
        .unify()
        .map(|query: String| query);
    warp::method()
        .and(warp::header::headers_cloned())
        .and(warp::path::full())
        .and(query)
        .and_then(
            move |method: Method, headers: HeaderMap, path: FullPath, query: String| {
                let app = Arc::clone(&app);
                async move {
                    let Some(access) = methods.access(&method) else {
                        let allow = methods.allow;
                        return Err(warp::reject::custom(ApiError::MethodNotAllowed { allow }));
                    };
                    let grant = admit(&app, &headers, access).map_err(|error| {
                        if method == Method::POST && access == Access::Ingest {
                            app.metrics.reject(error.name());
                        }
                        warp::reject::custom(error)
                    })?;
                    Ok(Call {
                        app,
                        method,
                        headers,
                        grant,
                        path: path.as_str().to_owned(),
                        query,
                    })
                }
            },
        )
        .boxed()
}

/// A part of the path as it was meant: `%2F` is `/`.
pub(super) fn decoded(part: &str) -> String {
    // What separates pairs in a query stands for itself in a path.
    let pair = part
        .replace('+', "%2B")
        .replace('&', "%26")
        .replace('=', "%3D");
    let text = form_urlencoded::parse(pair.as_bytes()).next();
    text.map(|(text, _)| text.into_owned()).unwrap_or_default()
}

/// A handler's outcome as a response.
pub(super) fn respond(outcome: Result<Response, ApiError>) -> Response {
    outcome.unwrap_or_else(ApiError::into_response)
}

/// A response with `body` as JSON.
pub(super) fn json(body: &impl Serialize) -> Result<Response, ApiError> {
    let text = serde_json::to_vec(body).map_err(|error| ApiError::Database(error.to_string()))?;
    let mut response = Response::new(text.into());
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    Ok(response)
}

/// Turns what no endpoint took into a problem.
pub(super) async fn recover(rejection: Rejection) -> Result<Response, Infallible> {
    let error = rejection
        .find::<ApiError>()
        .cloned()
        .unwrap_or(ApiError::NotFound);
    Ok(error.into_response())
}
