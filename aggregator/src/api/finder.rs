//! `/v1/policy/finder`: which places of an exchange could tell whose it is.

use std::sync::Arc;

use bytes::Buf;
use duckdb::types::Value;
use duckdb::{Connection, params};
use futures_util::Stream;
use http::Method;
use serde::Serialize;
use utoipa::ToSchema;
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use super::admin::{self, ByQuery};
use super::candidates::{Sampling, no_content};
use super::error::ApiError;
use super::policy::blocking;
use super::request::{Access, Call, Methods, call, json, respond};
use super::{App, query};
use crate::policy::finder::{Findings, Sight, findings};
use crate::store::StoreError;
use crate::time;

/// Exchanges that are looked at: the latest of the run.
const SIGHTS_MAX: u64 = 50_000;

/// What the key finder found in its last run.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FinderReport {
    /// Whether filters look now.
    running: bool,
    /// Share of the clients; null where it never ran.
    clients_share: Option<f64>,
    /// Since when.
    #[schema(format = DateTime)]
    since: Option<String>,
    /// Until when.
    #[schema(format = DateTime)]
    until: Option<String>,
    /// Exchanges of the sample that the findings rest on, at most 50,000.
    requests: u64,
    /// Clients of the sample.
    clients: u64,
    /// The proposals.
    #[serde(flatten)]
    findings: Findings,
}

const METHODS: Methods = Methods {
    each: &[
        ("GET", Access::ReadAll),
        ("PUT", Access::Admin),
        ("DELETE", Access::Admin),
    ],
    allow: "GET, HEAD, PUT, DELETE",
};

pub(super) fn route(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    warp::path!("v1" / "policy" / "finder")
        .and(call(app, METHODS))
        .and(warp::body::stream())
        .then(|call: Call, stream| async move {
            respond(match call.method {
                Method::PUT => start(&call, stream).await,
                Method::DELETE => stop(&call).await,
                _ => show(&call).await,
            })
        })
        .boxed()
}

/// Proposals for key rules and user parameters, with the evidence.
#[utoipa::path(
    get, path = "/v1/policy/finder", tag = "policy", security((), ("read_token" = [])),
    responses(
        (status = 200, description = "What was found", body = FinderReport),
    ),
)]
pub(super) async fn show(call: &Call) -> Result<Response, ApiError> {
    call.params(&[])?;
    let run = call.app.policies.finder();
    let now_us = call.app.clock.now_us();
    let since_us = run.map_or(i64::MAX, |run| run.since_us);
    let (requests, clients, findings) = query::run(call, move |connection| {
        let sights = sights(connection, since_us)?;
        let clients: std::collections::HashSet<_> =
            sights.iter().map(|sight| sight.client).collect();
        Ok((sights.len() as u64, clients.len() as u64, findings(&sights)))
    })
    .await?;
    json(&FinderReport {
        running: run.is_some_and(|run| now_us < run.until_us),
        clients_share: run.map(|run| f64::from(run.clients_ppm) / 1e6),
        since: run.map(|run| time::text(run.since_us)),
        until: run.map(|run| time::text(run.until_us)),
        requests,
        clients,
        findings,
    })
}

/// Look for keys at a share of the clients, for a while.
#[utoipa::path(
    put, path = "/v1/policy/finder", tag = "policy", security(("admin_token" = [])),
    params(ByQuery),
    description = "Filters then report names of places with keyed hashes of the values there, never \
        values. Starting it again begins anew.",
    request_body(content = Sampling),
    responses(
        (status = 204, description = "It runs"),
        (status = 422, description = "The body is something else"),
    ),
)]
pub(super) async fn start<B: Buf>(
    call: &Call,
    stream: impl Stream<Item = Result<B, warp::Error>>,
) -> Result<Response, ApiError> {
    let by = admin::by(call, &call.params(admin::PARAMETERS)?);
    let format = admin::format(call)?;
    let body = admin::read(call, stream).await?;
    let sampling: Sampling = admin::parse(&body, format)?;
    let (ppm, until_us) = sampling.check(by.now_us)?;
    let policies = Arc::clone(&call.app.policies);
    blocking(move || policies.start_finder(ppm, until_us, by)).await?;
    Ok(no_content())
}

/// Stop looking; what was found stays.
#[utoipa::path(
    delete, path = "/v1/policy/finder", tag = "policy", security(("admin_token" = [])),
    params(ByQuery),
    responses(
        (status = 204, description = "It does not run"),
    ),
)]
pub(super) async fn stop(call: &Call) -> Result<Response, ApiError> {
    let by = admin::by(call, &call.params(admin::PARAMETERS)?);
    let policies = Arc::clone(&call.app.policies);
    blocking(move || policies.stop_finder(by)).await?;
    Ok(no_content())
}

/// What the sampled clients' exchanges held since the run began, in order.
fn sights(connection: &Connection, since_us: i64) -> Result<Vec<Sight>, StoreError> {
    let mut statement = connection.prepare(
        "SELECT * FROM (
            SELECT client, epoch_us(start) AS start_us, login, places FROM finds
            WHERE epoch_us(arrived) >= ? ORDER BY start_us DESC LIMIT ?
         ) ORDER BY start_us",
    )?;
    let rows = statement.query_map(params![since_us, SIGHTS_MAX], |row| {
        let places = match row.get(3)? {
            Value::List(places) => places,
            _ => Vec::new(),
        };
        let place = |place| {
            let Value::Struct(fields) = place else {
                return None;
            };
            match (
                fields.get(&"place".to_owned()),
                fields.get(&"hash".to_owned()),
            ) {
                (Some(Value::Text(place)), Some(Value::UBigInt(hash))) => {
                    Some((place.clone(), *hash))
                }
                _ => None,
            }
        };
        Ok(Sight {
            client: row.get(0)?,
            start_us: row.get(1)?,
            login: row.get(2)?,
            places: places.into_iter().filter_map(place).collect(),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
