//! Every endpoint: one line each.

use std::sync::Arc;

use warp::Filter;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use super::request::recover;
use super::{
    App, applications, audit, backtest, backup, bots, candidate_verdicts, candidates, compare,
    comparison, docs, endpoints, evidence, export, facets, finder, flows, forget, health,
    histogram, import, ingest, labels, live, metrics, notes, openapi, pins, policy, quarantine,
    requests, sequence, session, sessions, sources, sql, status, transitions, users, verdicts,
    views,
};

/// Makes an endpoint.
type Route = fn(&Arc<App>) -> BoxedFilter<(Response,)>;

const ALL: &[Route] = &[
    ingest::route,
    import::route,
    sessions::route,
    facets::route,
    histogram::route,
    session::route,
    sequence::route,
    compare::route,
    requests::route,
    pins::route,
    pins::list_route,
    notes::route,
    views::list_route,
    views::route,
    forget::route,
    quarantine::route,
    endpoints::route,
    applications::list_route,
    applications::route,
    transitions::route,
    flows::list_route,
    flows::route,
    sources::list_route,
    sources::route,
    users::list_route,
    users::route,
    bots::route,
    verdicts::route,
    evidence::route,
    labels::route,
    labels::export_route,
    live::route,
    export::route,
    sql::route,
    policy::route,
    policy::versions_route,
    policy::version_route,
    policy::diff_route,
    policy::rollback_route,
    policy::live_route,
    candidates::list_route,
    candidates::route,
    comparison::route,
    candidate_verdicts::route,
    backtest::route,
    finder::route,
    audit::route,
    backup::route,
    status::route,
    health::healthz,
    health::readyz,
    metrics::route,
    openapi::route,
    docs::route,
    // Last: it takes every page's path.
    crate::ui::route,
];

/// Answers every request; what goes wrong is answered with a problem.
pub fn routes(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    let nothing = warp::any()
        .and_then(|| async { Err(warp::reject::not_found()) })
        .boxed();
    let join = |all: BoxedFilter<(Response,)>, route: &Route| all.or(route(app)).unify().boxed();
    let found = ALL.iter().fold(nothing, join);
    found.recover(recover).unify().boxed()
}
