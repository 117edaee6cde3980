//! `GET /healthz` and `GET /readyz`: is the process alive, and is it of use?

use std::sync::Arc;
use std::sync::atomic::Ordering;

use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use super::App;
use super::error::ApiError;
use super::request::{Access, Call, call, json, respond};

/// Whether the service can do its work.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Readiness {
    /// Whether it can.
    ready: bool,
    /// Why it cannot; empty when it can.
    reasons: Vec<String>,
}

pub(super) fn healthz(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    warp::path!("healthz")
        .and(call(app, Access::Open))
        .then(|call: Call| async move { respond(handle_healthz(&call)) })
        .boxed()
}

pub(super) fn readyz(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    warp::path!("readyz")
        .and(call(app, Access::Open))
        .then(|call: Call| async move { respond(handle_readyz(&call)) })
        .boxed()
}

/// Is the process alive?
#[utoipa::path(
    get, path = "/healthz", tag = "service",
    responses((status = 200, description = "It is", body = Readiness)),
)]
fn handle_healthz(call: &Call) -> Result<Response, ApiError> {
    call.params(&[])?;
    json(&Readiness {
        ready: true,
        reasons: Vec::new(),
    })
}

/// Can the service do its work?
#[utoipa::path(
    get, path = "/readyz", tag = "service",
    responses(
        (status = 200, description = "It can", body = Readiness),
        (status = 503, description = "It cannot, and why", body = Readiness),
    ),
)]
fn handle_readyz(call: &Call) -> Result<Response, ApiError> {
    call.params(&[])?;
    let app = &call.app;
    let mut reasons = Vec::new();
    if app.closing.load(Ordering::Acquire) {
        reasons.push("shutting down".to_owned());
    }
    if let Some(failing) = app.log.state().failing {
        reasons.push(format!("the log cannot be written: {failing}"));
    }
    if let Some(failing) = app.health.failing() {
        reasons.push(format!("the database cannot be written: {failing}"));
    }
    if !app.health.loaded() {
        reasons.push("the open visits are being read back".to_owned());
    } else if !app.health.caught_up() {
        reasons.push("the log is being stored".to_owned());
    }
    let readiness = Readiness {
        ready: reasons.is_empty(),
        reasons,
    };
    let mut response = json(&readiness)?;
    if !readiness.ready {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    }
    Ok(response)
}
