//! `GET /v1/transitions`: from which endpoint to which, as a graph.

use std::sync::Arc;

use duckdb::types::Value;
use duckdb::{Connection, Row, params_from_iter};
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
use super::{App, query};
use crate::store::StoreError;

/// Where a visit begins.
const ENTRY: &str = "(entry)";
/// Where it ends.
const EXIT: &str = "(exit)";
/// Endpoints that are not shown one by one.
const OTHER: &str = "(other)";

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
    nodes: u64,
    edges: u64,
    files: bool,
}

fn within(
    params: &Params,
    parameter: &'static str,
    absent: u64,
    most: u64,
    remedy: &'static str,
) -> Result<u64, ApiError> {
    match params.number(parameter)? {
        None => Ok(absent),
        Some(number) if (1..=most).contains(&number) => Ok(number),
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
    walk(connection, asked, &chosen)?;
    let (edges, other_edges) = edges(connection, asked, &chosen)?;
    let visits = "SELECT count(*) FROM walked WHERE before IS NULL";
    let visits: u64 = connection.query_row(visits, [], |row| row.get(0))?;
    Ok(Transitions {
        extent: chosen.extent(),
        visits: chosen.estimate(visits),
        nodes: nodes(connection, &chosen)?,
        edges,
        other_edges,
    })
}

/// Puts every request with the one before into the table `walked`.
fn walk(connection: &Connection, asked: &Asked, chosen: &Chosen) -> Result<(), StoreError> {
    let condition = &chosen.records;
    let files = if asked.files { "true" } else { NO_ASSET };
    let sql = format!(
        "CREATE TEMP TABLE walked AS
         WITH steps AS MATERIALIZED (
            SELECT hash(session, visit_start) AS visit, endpoint, coalesce(status >= 400, false) AS error,
                epoch_us(start) AS started, position, idx
            FROM records WHERE endpoint IS NOT NULL AND {files} AND {}),
         top AS (
            SELECT endpoint, endpoint AS node FROM steps GROUP BY endpoint
            ORDER BY count(*) DESC, endpoint LIMIT ?),
         named AS (
            SELECT visit, started, position, idx, error, coalesce(node, '{OTHER}') AS node
            FROM steps LEFT JOIN top USING (endpoint))
         SELECT node, error, lag(node) OVER steps AS before, started - lag(started) OVER steps AS gap_us,
            lead(node) OVER steps IS NULL AS last
         FROM named
         WINDOW steps AS (PARTITION BY visit ORDER BY started, position, idx)",
        condition.sql
    );
    let nodes = Value::UBigInt(asked.nodes);
    let values = condition.values.iter().cloned().chain([nodes]);
    connection.execute(&sql, params_from_iter(values))?;
    Ok(())
}

fn nodes(connection: &Connection, chosen: &Chosen) -> Result<Vec<Node>, StoreError> {
    let sql = format!(
        "SELECT node, count(*)::UBIGINT AS requests, (count(*) FILTER (before IS NULL))::UBIGINT,
            (count(*) FILTER (last))::UBIGINT, (count(*) FILTER (error))::UBIGINT
         FROM walked GROUP BY node ORDER BY node = '{OTHER}', requests DESC, node"
    );
    let mut statement = connection.prepare(&sql)?;
    let rows = statement.query_map([], |row| {
        let requests = row.get(1)?;
        Ok(Node {
            endpoint: row.get(0)?,
            requests: chosen.estimate(requests),
            entries: chosen.estimate(row.get(2)?),
            exits: chosen.estimate(row.get(3)?),
            error_share: share(row.get(4)?, requests),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn edges(
    connection: &Connection,
    asked: &Asked,
    chosen: &Chosen,
) -> Result<(Vec<Edge>, OtherEdges), StoreError> {
    let sql = format!(
        "WITH edges AS (
            SELECT coalesce(before, '{ENTRY}') AS origin, node AS target, count(*)::UBIGINT AS count,
                approx_quantile(gap_us, 0.5) / 1000 AS median_gap_ms,
                (count(*) FILTER (error))::UBIGINT AS errors
            FROM walked GROUP BY ALL
            UNION ALL
            SELECT node, '{EXIT}', count(*)::UBIGINT, NULL, 0 FROM walked WHERE last GROUP BY node)
         SELECT origin, target, count, median_gap_ms, errors,
            (sum(count) OVER (PARTITION BY origin))::UBIGINT,
            (sum(count) OVER ())::UBIGINT, (count(*) OVER ())::UBIGINT
         FROM edges ORDER BY count DESC, origin, target LIMIT ?"
    );
    let mut statement = connection.prepare(&sql)?;
    let read = |row: &Row<'_>| {
        let count = row.get(2)?;
        let edge = Edge {
            from: row.get(0)?,
            to: row.get(1)?,
            count: chosen.estimate(count),
            share: share(count, row.get(5)?),
            median_gap_ms: row.get(3)?,
            error_share: share(row.get(4)?, count),
        };
        Ok((edge, count, row.get(6)?, row.get(7)?))
    };
    let rows = statement.query_map([asked.edges], read)?;
    let rows: Vec<(Edge, u64, u64, u64)> = rows.collect::<Result<_, _>>()?;
    let (all, number) = rows
        .first()
        .map_or((0, 0), |(_, _, all, number)| (*all, *number));
    let shown: u64 = rows.iter().map(|(_, count, _, _)| count).sum();
    let other = OtherEdges {
        edges: number.saturating_sub(rows.len() as u64),
        count: chosen.estimate(all.saturating_sub(shown)),
    };
    Ok((rows.into_iter().map(|(edge, ..)| edge).collect(), other))
}
