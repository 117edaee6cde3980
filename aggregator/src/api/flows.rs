//! `GET /v1/flows`: how many people do what they came to do, and `GET /v1/flows/{name}`: where the
//! others stop, and which step is slow for whom.

use std::sync::Arc;

use duckdb::Connection;
use serde::Serialize;
use utoipa::ToSchema;
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use super::error::ApiError;
use super::facets::share;
use super::flow_runs::{self, Bottleneck, FlowStep};
use super::request::{Access, Call, call, json, respond};
use super::scope::{Extent, Scope};
use super::sources::ScopeQuery;
use super::{App, query};
use crate::policy::flows::Flow;
use crate::store::StoreError;

/// A flow of the policy, and how it goes.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub(super) struct FlowSummary {
    /// Its name in the policy.
    #[schema(example = "purchase")]
    pub(super) name: String,
    /// In which application; null: in all.
    pub(super) application: Option<String>,
    /// From the first step to the last, at most, milliseconds.
    pub(super) within_ms: i64,
    /// What was looked at.
    pub(super) extent: Extent,
    /// Visits that took the first step.
    pub(super) started: u64,
    /// Of these, visits that took every step in time.
    pub(super) completed: u64,
    /// Of these, visits that did not.
    pub(super) abandoned: u64,
    /// Share of the started ones that were completed, 0 to 1.
    pub(super) completed_share: f64,
    /// Half of the completed ones took no longer, milliseconds; null without any.
    pub(super) median_ms: Option<f64>,
    /// Visits of sessions held for bots that took the first step.
    pub(super) started_by_bots: u64,
    /// Of these, visits that took every step in time.
    pub(super) completed_by_bots: u64,
}

/// The flows of the policy.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub(super) struct FlowList {
    /// The flows, in the policy's order.
    items: Vec<FlowSummary>,
}

/// One flow, step by step.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub(super) struct FlowDetail {
    /// The flow, and how it goes.
    #[serde(flatten)]
    summary: FlowSummary,
    /// Its steps, in order.
    steps: Vec<FlowStep>,
    /// Steps that take some people longer than the others, the worst first: half as long again,
    /// among at least 5 visits on both sides. At most 50.
    bottlenecks: Vec<Bottleneck>,
}

pub(super) fn list_route(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    warp::path!("v1" / "flows")
        .and(call(app, Access::Read))
        .then(|call: Call| async move { respond(list(&call).await) })
        .boxed()
}

/// The flows of the applications that the token is for.
fn flows(call: &Call) -> Vec<Flow> {
    let mut flows = call.app.policies.flows();
    flows.retain(|flow| match &flow.application {
        Some(application) => call.grant.scope.covers(application),
        None => true,
    });
    flows
}

/// The flows of the policy, and how many complete them.
#[utoipa::path(
    get, path = "/v1/flows", tag = "endpoints", params(ScopeQuery),
    security((), ("read_token" = [])),
    description = "A flow counts once per visit: from the first request that takes its first step. A \
        step is a request to one of its endpoints, answered with 100 to 399, after the step before.",
    responses((status = 200, description = "The flows", body = FlowList)),
)]
pub(super) async fn list(call: &Call) -> Result<Response, ApiError> {
    let params = call.params(&["q"])?;
    let scope = Scope::read(&params, &call.app)?;
    let flows = flows(call);
    let found = query::run(call, move |connection| {
        let chosen = scope.choose(connection, false)?;
        let summary = |flow: &Flow| {
            flow_runs::collect(connection, flow, &chosen)?;
            summary(connection, flow, chosen.extent(), |count| {
                chosen.estimate(count)
            })
        };
        let items = flows.iter().map(summary).collect::<Result<_, _>>()?;
        Ok(FlowList { items })
    });
    json(&found.await?)
}

pub(super) fn route(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    warp::path!("v1" / "flows" / String)
        .and(call(app, Access::Read))
        .then(|name: String, call: Call| async move { respond(show(&name, &call).await) })
        .boxed()
}

/// One flow: where visits stop, how long each step takes, and for whom it takes longer.
#[utoipa::path(
    get, path = "/v1/flows/{name}", tag = "endpoints", security((), ("read_token" = [])),
    params(("name" = String, Path, description = "The flow's name in the policy"), ScopeQuery),
    responses(
        (status = 200, description = "The flow", body = FlowDetail),
        (status = 404, description = "The policy has no such flow"),
    ),
)]
pub(super) async fn show(name: &str, call: &Call) -> Result<Response, ApiError> {
    let params = call.params(&["q"])?;
    let scope = Scope::read(&params, &call.app)?;
    let found = flows(call).into_iter().find(|flow| flow.name == name);
    let flow = found.ok_or_else(|| ApiError::NothingOf {
        parameter: "name",
        name: name.to_owned(),
    })?;
    let found = query::run(call, move |connection| {
        let chosen = scope.choose(connection, false)?;
        let estimate = |count| chosen.estimate(count);
        flow_runs::collect(connection, &flow, &chosen)?;
        Ok(FlowDetail {
            summary: summary(connection, &flow, chosen.extent(), estimate)?,
            steps: flow_runs::steps(connection, &flow, estimate)?,
            bottlenecks: flow_runs::bottlenecks(connection, &flow, estimate)?,
        })
    });
    json(&found.await?)
}

fn summary(
    connection: &Connection,
    flow: &Flow,
    extent: Extent,
    estimate: impl Fn(u64) -> u64,
) -> Result<FlowSummary, StoreError> {
    let last = flow.steps.len();
    let sql = format!(
        "SELECT count(*)::UBIGINT, (count(*) FILTER (t{last} IS NOT NULL))::UBIGINT,
            (count(*) FILTER (bot))::UBIGINT,
            (count(*) FILTER (bot AND t{last} IS NOT NULL))::UBIGINT,
            median(t{last} - t1) / 1000
         FROM runs"
    );
    let (started, completed, by_bots, completed_by_bots, median_ms) =
        connection.query_row(&sql, [], |row| {
            let count = |column| row.get::<_, u64>(column);
            Ok((count(0)?, count(1)?, count(2)?, count(3)?, row.get(4)?))
        })?;
    Ok(FlowSummary {
        name: flow.name.clone(),
        application: flow.application.clone(),
        within_ms: flow.within_us() / 1000,
        extent,
        started: estimate(started),
        completed: estimate(completed),
        abandoned: estimate(started - completed),
        completed_share: share(completed, started),
        median_ms,
        started_by_bots: estimate(by_bots),
        completed_by_bots: estimate(completed_by_bots),
    })
}
