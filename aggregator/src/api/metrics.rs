//! `GET /metrics`: figures about the service in the `OpenMetrics` text format.

use std::sync::Arc;

use http::HeaderValue;
use http::header::CONTENT_TYPE;
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use super::App;
use super::error::ApiError;
use super::request::{Access, Call, call, respond};
use super::status;
use crate::ledger::report::State;

pub(super) fn route(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    warp::path!("metrics")
        .and(call(app, Access::Open))
        .then(|call: Call| async move { respond(handle(&call)) })
        .boxed()
}

/// Figures about the service.
#[utoipa::path(
    get, path = "/metrics", tag = "service",
    responses((status = 200, description = "OpenMetrics text", body = String, content_type = "application/openmetrics-text")),
)]
fn handle(call: &Call) -> Result<Response, ApiError> {
    call.params(&[])?;
    let app = &call.app;
    let metrics = &app.metrics;
    let log = app.log.state();
    metrics.log_end.set(log.end);
    metrics.store_position.set(log.committed);
    metrics.store_lag.set(log.end.saturating_sub(log.committed));
    let summed = app.health.summed();
    let sums_lag = app.health.position().saturating_sub(summed);
    metrics.sums_lag.set(sums_lag);
    metrics.queue_bytes.set(app.budget.used());
    let lag = status::lag(app);
    metrics.detection_lag_bytes.set(lag.bytes);
    metrics.detection_lag_records.set(lag.records);
    metrics.detection_lag_seconds.set(lag.seconds);
    let ledger = status::ledger(app);
    let live = ledger
        .workers
        .iter()
        .filter(|worker| worker.state == State::Live)
        .count();
    metrics.live_workers.set(live as u64);
    let totals = ledger.totals;
    for (account, records) in [
        ("seen", totals.seen),
        ("stored", totals.stored),
        ("quarantined", totals.quarantined),
        ("dropped", totals.dropped),
        ("pending", totals.pending),
        ("lost", totals.lost),
        ("unknown_at_least", totals.unknown.at_least),
        ("bypassed", totals.bypassed),
    ] {
        metrics.account(account, records);
    }
    let mut response = Response::new(metrics.text().into());
    let text = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(text));
    Ok(response)
}
