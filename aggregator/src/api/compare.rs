//! `GET /v1/sessions/{a}/compare/{b}`: are these two the same one?

use std::sync::Arc;

use duckdb::types::Value;
use duckdb::{Connection, params_from_iter};
use serde::Serialize;
use throughline_session::wire::SessionId;
use utoipa::ToSchema;
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use super::error::ApiError;
use super::facets::share;
use super::request::{Access, Call, call, json, respond};
use super::sessions::Session;
use super::top::{self, Figures};
use super::{App, SharedKey, query, session};
use crate::filters::Clause;
use crate::store::StoreError;

/// Endpoints and values listed.
const LISTED_MAX: u64 = 100;

/// How often both sessions have something.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct Pair {
    /// An endpoint, an address, a user agent, ….
    value: String,
    /// Requests of the first session with it.
    a: u64,
    /// Requests of the second with it.
    b: u64,
}

/// What two sessions have in common of one kind.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub(super) struct Shared {
    /// Values of both, as a share of the values of either: 0 to 1.
    overlap: f64,
    /// How many values both have.
    both: u64,
    /// How many only the first has.
    only_a: u64,
    /// How many only the second has.
    only_b: u64,
    /// The values with most requests, first; at most 100.
    values: Vec<Pair>,
}

/// One of the two.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub(super) struct ComparedSession {
    /// The session.
    session: Session,
    /// What it did.
    figures: Figures,
    /// Half of its requests came no later after the one before, milliseconds; null where it has one.
    median_gap_ms: Option<f64>,
}

/// Two sessions beside each other.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub(super) struct Compared {
    /// The first.
    a: ComparedSession,
    /// The second.
    b: ComparedSession,
    /// They are linked, by a login and the like: see the sessions' `links`.
    linked: bool,
    /// Milliseconds from the end of the one to the beginning of the other; negative: they overlap.
    apart_ms: i64,
    /// What they asked for.
    endpoints: Shared,
    /// From where.
    addresses: Shared,
    /// As what.
    user_agents: Shared,
    /// With which set of headers, as hashes.
    header_shapes: Shared,
    /// Steps from one endpoint to the next.
    steps: Shared,
}

pub(super) fn route(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    warp::path!("v1" / "sessions" / String / "compare" / String)
        .and(call(app, Access::Read))
        .then(
            |a: String, b: String, call: Call| async move { respond(handle(&a, &b, &call).await) },
        )
        .boxed()
}

/// Two sessions beside each other: what they have in common.
#[utoipa::path(
    get, path = "/v1/sessions/{a}/compare/{b}", tag = "sessions",
    security((), ("read_token" = [])),
    params(
        ("a" = String, Path, description = "Session id, 32 hex digits"),
        ("b" = String, Path, description = "Another session id"),
    ),
    responses(
        (status = 200, description = "The two", body = Compared),
        (status = 404, description = "No record of one of them"),
    ),
)]
pub(super) async fn handle(a: &str, b: &str, call: &Call) -> Result<Response, ApiError> {
    call.params(&[])?;
    let ids = (session::id(a)?, session::id(b)?);
    let limit = call.app.shared_key;
    let now_us = call.app.clock.now_us();
    let compared = query::run(call, move |connection| {
        compare(connection, ids, limit, now_us)
    });
    let missing = |id: SessionId| ApiError::UnknownSession {
        session: id.to_string(),
    };
    json(&compared.await?.map_err(missing)?)
}

fn compare(
    connection: &Connection,
    (a, b): (SessionId, SessionId),
    limit: SharedKey,
    now_us: i64,
) -> Result<Result<Compared, SessionId>, StoreError> {
    let Some((one, one_times)) = side(connection, a, limit, now_us)? else {
        return Ok(Err(a));
    };
    let Some((other, other_times)) = side(connection, b, limit, now_us)? else {
        return Ok(Err(b));
    };
    let shared = |expression: &str| shared(connection, (a, b), expression);
    let linked = "SELECT count(*) > 0 FROM link_parts
        WHERE session_a = ? AND session_b = ? OR session_a = ? AND session_b = ?";
    let (first, second) = (a.0.to_vec(), b.0.to_vec());
    let both = [&first, &second, &second, &first];
    let begin = one_times.0.max(other_times.0);
    let end = one_times.1.min(other_times.1);
    Ok(Ok(Compared {
        a: one,
        b: other,
        linked: connection.query_row(linked, both, |row| row.get(0))?,
        apart_ms: begin.saturating_sub(end) / 1000,
        endpoints: shared("endpoint")?,
        addresses: shared("client_ip")?,
        user_agents: shared("user_agent")?,
        header_shapes: shared("lpad(lower(to_hex(header_shape)), 16, '0')")?,
        steps: shared(
            "lag(endpoint) OVER (PARTITION BY session, visit_start
                ORDER BY start, boot, worker, sequence, idx) || ' → ' || endpoint",
        )?,
    }))
}

/// A side with the times of its first and its last request, microseconds since the Unix epoch.
type Timed = (ComparedSession, (i64, i64));

fn of(id: SessionId) -> Clause {
    Clause::new("session = ?", [Value::Blob(id.0.to_vec())])
}

fn side(
    connection: &Connection,
    id: SessionId,
    limit: SharedKey,
    now_us: i64,
) -> Result<Option<Timed>, StoreError> {
    let Some(session) = session::summary(connection, id, limit, now_us)? else {
        return Ok(None);
    };
    let sql = "SELECT median(gap_us) / 1000, min(at_us), max(at_us) FROM (
        SELECT epoch_us(start) AS at_us,
            epoch_us(start) - lag(epoch_us(start)) OVER (ORDER BY start) AS gap_us
        FROM records WHERE session = ?)";
    let read = |row: &duckdb::Row<'_>| {
        let times: (Option<i64>, Option<i64>) = (row.get(1)?, row.get(2)?);
        Ok((row.get(0)?, (times.0.unwrap_or(0), times.1.unwrap_or(0))))
    };
    let (median_gap_ms, times) = connection.query_row(sql, [id.0.to_vec()], read)?;
    let side = ComparedSession {
        session,
        figures: top::figures(connection, &of(id))?,
        median_gap_ms,
    };
    Ok(Some((side, times)))
}

fn shared(
    connection: &Connection,
    (a, b): (SessionId, SessionId),
    expression: &str,
) -> Result<Shared, StoreError> {
    let sql = format!(
        "WITH each AS (
            SELECT value, (count(*) FILTER (session = ?))::UBIGINT AS a,
                (count(*) FILTER (session = ?))::UBIGINT AS b
            FROM (SELECT session, {expression} AS value FROM records
                WHERE session = ? OR session = ?)
            WHERE value IS NOT NULL GROUP BY value)
         SELECT value, a, b, (count(*) FILTER (a > 0 AND b > 0) OVER ())::UBIGINT,
            (count(*) FILTER (b = 0) OVER ())::UBIGINT, (count(*) FILTER (a = 0) OVER ())::UBIGINT
         FROM each ORDER BY a + b DESC, value LIMIT {LISTED_MAX}"
    );
    let ids = [a, b, a, b].map(|id| Value::Blob(id.0.to_vec()));
    let mut statement = connection.prepare(&sql)?;
    let rows = statement.query_map(params_from_iter(ids), |row| {
        let pair = Pair {
            value: row.get(0)?,
            a: row.get(1)?,
            b: row.get(2)?,
        };
        Ok((pair, [row.get(3)?, row.get(4)?, row.get(5)?]))
    })?;
    let rows: Vec<(Pair, [u64; 3])> = rows.collect::<Result<_, _>>()?;
    let [both, only_a, only_b] = rows.first().map_or([0; 3], |(_, counts)| *counts);
    Ok(Shared {
        overlap: share(both, both + only_a + only_b),
        both,
        only_a,
        only_b,
        values: rows.into_iter().map(|(pair, _)| pair).collect(),
    })
}
