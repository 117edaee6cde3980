//! What every endpoint begins with: the method, the token, the query string.

use std::convert::Infallible;
use std::sync::Arc;

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method};
use serde::Serialize;
use warp::filters::BoxedFilter;
use warp::reply::Response;
use warp::{Filter, Rejection};

use super::App;
use super::error::ApiError;
use super::params::Params;
use crate::config::{INGEST_TOKEN, READ_TOKEN};

/// Who may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// Anyone: health, metrics, the description of the API.
    Open,
    /// Whoever has the read token, if there is one.
    Read,
    /// Whoever has the ingest token.
    Ingest,
}

/// A request that may be answered.
#[derive(Clone)]
pub(super) struct Call {
    pub(super) app: Arc<App>,
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
    };
    match token {
        Some(token) if !token.admits(headers) => Err(ApiError::BadToken { variable }),
        _ => Ok(()),
    }
}

/// To be placed after the path: admits GET and HEAD (or POST) with the right token.
pub(super) fn call(app: &Arc<App>, access: Access) -> BoxedFilter<(Call,)> {
    let app = Arc::clone(app);
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
                let (fits, allow) = match access {
                    Access::Ingest => (method == Method::POST, "POST"),
                    _ => (method == Method::GET || method == Method::HEAD, "GET, HEAD"),
                };
                if !fits {
                    return Err(warp::reject::custom(ApiError::MethodNotAllowed { allow }));
                }
                admit(&app, &headers, access).map_err(|error| {
                    if access == Access::Ingest {
                        app.metrics.reject(error.name());
                    }
                    warp::reject::custom(error)
                })?;
                Ok(Call {
                    app,
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
