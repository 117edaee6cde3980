//! `GET /docs`: the description of the API for people, drawn from `/openapi.json` by a small page of
//! our own. It asks no other host for anything.

use std::sync::Arc;

use http::HeaderValue;
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use super::App;
use super::error::ApiError;
use super::request::{Access, Call, call, respond};

/// Nothing inline, nothing from elsewhere.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// Name within `/docs`, type, content.
const FILES: &[(&str, &str, &str)] = &[
    (
        "",
        "text/html; charset=utf-8",
        include_str!("page/docs.html"),
    ),
    (
        "docs.js",
        "text/javascript; charset=utf-8",
        include_str!("page/docs.js"),
    ),
    (
        "docs.css",
        "text/css; charset=utf-8",
        include_str!("page/docs.css"),
    ),
];

pub(super) fn route(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    let page = warp::path!("docs").map(String::new);
    let file = warp::path!("docs" / String);
    page.or(file)
        .unify()
        .and(call(app, Access::Open))
        .then(|name: String, call: Call| async move { respond(handle(&name, &call)) })
        .boxed()
}

fn handle(name: &str, call: &Call) -> Result<Response, ApiError> {
    call.params(&[])?;
    let file = FILES.iter().find(|(known, ..)| *known == name);
    let (_, kind, text) = file.ok_or(ApiError::NotFound)?;
    let mut response = Response::new((*text).into());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    Ok(response)
}
