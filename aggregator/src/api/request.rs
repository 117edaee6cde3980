//! What every endpoint begins with: the method, the token, the query string.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;

use http::header::CONTENT_TYPE;
use http::uri::Authority;
use http::{HeaderMap, HeaderValue, Method};
use serde::Serialize;
use warp::filters::BoxedFilter;
use warp::reply::Response;
use warp::{Filter, Rejection};

use super::App;
use super::error::ApiError;
use super::params::Params;
use crate::config::{ADMIN_TOKEN, INGEST_TOKEN, READ_TOKEN};

/// Who may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// Anyone: health, metrics, the description of the API.
    Open,
    /// Whoever has the read token, if there is one.
    Read,
    /// Whoever has the ingest token.
    Ingest,
    /// Whoever has the admin token; nobody, where none is set.
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
            Access::Ingest => (&[("POST", Access::Ingest)], "POST"),
            Access::Admin => (&[("POST", Access::Admin)], "POST"),
        };
        Self { each, allow }
    }
}

impl Methods {
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
    query: String,
}

impl Call {
    /// The parameters, of which `known` are allowed.
    pub(super) fn params(&self, known: &'static [&'static str]) -> Result<Params, ApiError> {
        Params::parse(&self.query, known)
    }
}

fn admit(app: &App, headers: &HeaderMap, access: Access) -> Result<(), ApiError> {
    let (token, variable) = match access {
        Access::Open => return Ok(()),
        Access::Read => (app.tokens.read.as_ref(), READ_TOKEN),
        Access::Ingest => (Some(&app.tokens.ingest), INGEST_TOKEN),
        Access::Admin if app.tokens.admin.is_none() => return Err(ApiError::NoAdminToken),
        Access::Admin => (app.tokens.admin.as_ref(), ADMIN_TOKEN),
    };
    match token {
        Some(token) if !token.admits(headers) => Err(ApiError::BadToken { variable }),
        // A page of another site may have its name resolved to the loopback, and its scripts then
        // ask here; the browser says for which host.
        None if !is_for_loopback(headers) => Err(ApiError::ForeignHost),
        _ => Ok(()),
    }
}

fn is_for_loopback(headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(http::header::HOST) else {
        return true;
    };
    let authority = host
        .to_str()
        .ok()
        .and_then(|host| host.parse::<Authority>().ok());
    authority.is_some_and(|authority| {
        let host = authority.host().trim_matches(['[', ']']);
        host.eq_ignore_ascii_case("localhost")
            || host
                .parse::<IpAddr>()
                .is_ok_and(|address| address.is_loopback())
    })
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
        .and(query)
        .and_then(move |method: Method, headers: HeaderMap, query: String| {
            let app = Arc::clone(&app);
            async move {
                let Some(access) = methods.access(&method) else {
                    let allow = methods.allow;
                    return Err(warp::reject::custom(ApiError::MethodNotAllowed { allow }));
                };
                admit(&app, &headers, access).map_err(|error| {
                    if method == Method::POST && access == Access::Ingest {
                        app.metrics.reject(error.name());
                    }
                    warp::reject::custom(error)
                })?;
                Ok(Call {
                    app,
                    method,
                    headers,
                    query,
                })
            }
        })
        .boxed()
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
