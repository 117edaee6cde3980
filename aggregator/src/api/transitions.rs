//! `GET /v1/transitions`: from which endpoint to which, as a graph.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use duckdb::Connection;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use super::error::ApiError;
use super::facets::share;
use super::params::Params;
use super::request::{Access, Call, call, json, respond};
use super::scope::{Chosen, Extent, HEAVY_RECORDS_MAX, Scope};
use super::walk::{self, Graph, OTHER};
use super::{App, query};
use crate::filters::Clause;
use crate::store::StoreError;

/// Files that belong to pages: they say little of what a user did.
pub(super) const NO_ASSET: &str = "NOT contains(endpoint, '/{file}.')";

/// An endpoint of the graph.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(super) struct Node {
    /// The endpoint; `(other)` for all that are not shown one by one.
    #[schema(example = "POST /login")]
    endpoint: String,
    /// Requests to it.
    requests: u64,
    /// Visits that begin with it.
    entries: u64,
    /// Visits that end with it.
    exits: u64,
    /// Share of its requests answered with 400 to 599, 0 to 1.
    error_share: f64,
}

/// A step from one endpoint to the next of the same visit.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(super) struct Edge {
    /// An endpoint, `(other)`, or `(entry)`: the visit begins.
    #[schema(example = "GET /cart")]
    from: String,
    /// An endpoint, `(other)`, or `(exit)`: the visit ends.
    #[schema(example = "POST /checkout")]
    to: String,
    /// How often.
    count: u64,
    /// Of all steps from there, the end included, 0 to 1.
    share: f64,
    /// Half of the steps took no longer from start to start, milliseconds; null at both ends of a
    /// visit.
    median_gap_ms: Option<f64>,
    /// Share of its requests at `to` answered with 400 to 599, 0 to 1.
    error_share: f64,
}

/// Steps that are not shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct OtherEdges {
    /// How many different ones.
    edges: u64,
    /// How often.
    count: u64,
}

/// How visits go.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub(super) struct Transitions {
    /// What was looked at.
    extent: Extent,
    /// How many visits.
    visits: u64,
    /// The endpoints with most requests, first; `(other)` is last.
    nodes: Vec<Node>,
    /// The most frequent steps, first.
    edges: Vec<Edge>,
    /// The other steps.
    other_edges: OtherEdges,
}

/// Which steps.
#[derive(Debug, Default, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters in the OpenAPI document")]
struct TransitionsQuery {
    /// A filter, as `docs/filters.md` describes it: requests of its sessions, within its time.
    #[param(example = "app:shop last:24h")]
    q: Option<String>,
    /// Endpoints that are shown one by one, 1 to 200; 30 when absent.
    nodes: Option<u64>,
    /// Steps that are shown, 1 to 1,000; 200 when absent.
    edges: Option<u64>,
    /// `true`: also files that belong to pages, such as styles and pictures.
    files: Option<bool>,
}

const PARAMETERS: &[&str] = &["q", "nodes", "edges", "files"];

struct Asked {
    scope: Scope,
    nodes: usize,
    edges: usize,
    files: bool,
}

fn within(
    params: &Params,
    parameter: &'static str,
    absent: usize,
    most: usize,
    remedy: &'static str,
) -> Result<usize, ApiError> {
    let number = params.number(parameter)?;
    match number.map(usize::try_from) {
        None => Ok(absent),
        Some(Ok(number)) if (1..=most).contains(&number) => Ok(number),
        Some(_) => Err(ApiError::BadParameter {
            parameter,
            detail: format!("`{parameter}` is not between 1 and {most}"),
            remedy,
        }),
    }
}

fn asked(params: &Params, app: &App) -> Result<Asked, ApiError> {
    Ok(Asked {
        scope: Scope::read(params, app)?.at_most(HEAVY_RECORDS_MAX),
        nodes: within(params, "nodes", 30, 200, "give a number from 1 to 200")?,
        edges: within(params, "edges", 200, 1000, "give a number from 1 to 1000")?,
        files: params.flag("files")?,
    })
}

pub(super) fn route(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    warp::path!("v1" / "transitions")
        .and(call(app, Access::Read))
        .then(|call: Call| async move { respond(handle(&call).await) })
        .boxed()
}

/// From which endpoint visits go to which: the flow graph.
#[utoipa::path(
    get, path = "/v1/transitions", tag = "endpoints",
    params(TransitionsQuery), security((), ("read_token" = [])),
    description = "A step goes from a request to the next of the same visit, by their starts. \
        Visits also begin at `(entry)` and end at `(exit)`.",
    responses((status = 200, description = "The graph", body = Transitions)),
)]
async fn handle(call: &Call) -> Result<Response, ApiError> {
    let params = call.params(PARAMETERS)?;
    let asked = asked(&params, &call.app)?;
    let found = query::run(call, move |connection| graph(connection, &asked));
    json(&found.await?)
}

fn graph(connection: &Connection, asked: &Asked) -> Result<Transitions, StoreError> {
    let chosen = asked.scope.choose(connection, false)?;
    let files = if asked.files { "true" } else { NO_ASSET };
    let which = Clause::all([Clause::new(files, []), chosen.records.clone()]);
    let walk = walk::read(connection, &which)?;
    let graph = walk.graph(asked.nodes);
    let nodes = nodes(&graph, &chosen);
    let visits = chosen.estimate(graph.visits);
    let (edges, other_edges) = edges(graph, asked.edges, &chosen);
    Ok(Transitions {
        extent: chosen.extent(),
        visits,
        nodes,
        edges,
        other_edges,
    })
}

fn nodes(graph: &Graph<'_>, chosen: &Chosen) -> Vec<Node> {
    let mut nodes: Vec<_> = graph.nodes.iter().collect();
    nodes.sort_by_key(|(name, node)| (**name == OTHER, Reverse(node.requests), **name));
    let node = |(name, node): (&&str, &walk::Node)| Node {
        endpoint: (*name).to_owned(),
        requests: chosen.estimate(node.requests),
        entries: chosen.estimate(node.entries),
        exits: chosen.estimate(node.exits),
        error_share: share(node.errors, node.requests),
    };
    nodes.into_iter().map(node).collect()
}

fn edges(graph: Graph<'_>, most: usize, chosen: &Chosen) -> (Vec<Edge>, OtherEdges) {
    let mut from: BTreeMap<&str, u64> = BTreeMap::new();
    for ((origin, _), edge) in &graph.edges {
        *from.entry(origin).or_default() += edge.count;
    }
    let mut edges: Vec<_> = graph.edges.into_iter().collect();
    edges.sort_by_key(|(ends, edge)| (Reverse(edge.count), *ends));
    let others = edges.split_off(edges.len().min(most));
    let count: u64 = others.iter().map(|(_, edge)| edge.count).sum();
    let other = OtherEdges {
        edges: others.len() as u64,
        count: chosen.estimate(count),
    };
    let edge = |((origin, target), mut edge): ((&str, &str), walk::Edge)| Edge {
        from: origin.to_owned(),
        to: target.to_owned(),
        count: chosen.estimate(edge.count),
        share: share(edge.count, from.get(origin).copied().unwrap_or(0)),
        median_gap_ms: edge.median_us().map(milliseconds),
        error_share: share(edge.errors, edge.count),
    };
    (edges.into_iter().map(edge).collect(), other)
}

#[expect(clippy::cast_precision_loss, reason = "for people")]
fn milliseconds(us: i64) -> f64 {
    us as f64 / 1000.0
}
