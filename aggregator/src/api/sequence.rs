//! `GET /v1/sessions/{id}/sequence`: what a session did, told in steps.

use std::collections::HashMap;
use std::sync::Arc;

use duckdb::types::Value;
use duckdb::{Connection, Row, params_from_iter};
use serde::Serialize;
use throughline_session::wire::SessionId;
use utoipa::{IntoParams, ToSchema};
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use super::error::ApiError;
use super::request::{Access, Call, call, json, respond};
use super::sessions::at;
use super::transitions::NO_ASSET;
use super::{App, query, session};
use crate::filters::Clause;
use crate::store::{Database, StoreError, session_times};
use crate::time;

/// Requests that one answer looks at.
const REQUESTS_MAX: u64 = 20_000;
/// Requests of each session that a list's beginnings look at.
const BEGINNING_MAX: u64 = 60;
/// Steps of each session in a list.
pub(super) const BEGINNING_STEPS_MAX: u64 = 20;

/// What a request calls; records of before endpoints were learnt have their path.
const ENDPOINT: &str = "coalesce(endpoint, coalesce(method, '?') || ' ' || coalesce(path, ''))";
const ORDER: &str = "start, boot, worker, sequence, idx";

/// Requests to one endpoint, one after the other.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(super) struct SequenceStep {
    /// The endpoint.
    #[schema(example = "GET /api/products/{id}")]
    endpoint: String,
    /// How many requests.
    count: u64,
    /// Start of the first.
    #[schema(format = DateTime)]
    first: String,
    /// Start of the last.
    #[schema(format = DateTime)]
    last: String,
    /// From the start of the request before to the first one's, milliseconds; null at the beginning.
    gap_ms: Option<f64>,
    /// It begins a visit.
    begins_visit: bool,
    /// Requests answered with 100 to 399.
    ok: u64,
    /// Requests answered with 400 to 499.
    errors_4xx: u64,
    /// Requests answered with 500 to 599.
    errors_5xx: u64,
    /// Requests without an answer.
    unanswered: u64,
    /// The different statuses, at most 8.
    statuses: Vec<u16>,
    /// Half of the requests took no longer, milliseconds.
    median_ms: f64,
    /// The longest took, milliseconds.
    longest_ms: f64,
}

/// What a session did, in steps.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub(super) struct Sequence {
    /// Session id, 32 hex digits.
    session: String,
    /// The steps, in order.
    steps: Vec<SequenceStep>,
    /// Requests in these steps.
    requests: u64,
    /// Requests among them for files that belong to pages, which are left out.
    files_left_out: u64,
    /// `from` that goes on where this ends; null: this is all.
    #[schema(format = DateTime)]
    next_from: Option<String>,
}

/// Which part.
#[derive(Debug, Default, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters in the OpenAPI document")]
struct SequenceQuery {
    /// Only requests at or after this time: RFC 3339, or how long ago (`24h`).
    from: Option<String>,
    /// Only requests before this time: RFC 3339, or how long ago.
    to: Option<String>,
    /// `true`: also files that belong to pages, such as styles and pictures.
    files: Option<bool>,
    /// Steps at most, 1 to 500; 50 when absent. At most 20,000 requests are looked at.
    limit: Option<u64>,
}

const PARAMETERS: &[&str] = &["from", "to", "files", "limit"];

struct Asked {
    from_us: Option<i64>,
    to_us: Option<i64>,
    files: bool,
    limit: usize,
    position: u64,
}

pub(super) fn route(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    warp::path!("v1" / "sessions" / String / "sequence")
        .and(call(app, Access::Read))
        .then(|id: String, call: Call| async move { respond(handle(&id, &call).await) })
        .boxed()
}

/// What a session did, told in steps: requests to one endpoint that follow each other are one.
#[utoipa::path(
    get, path = "/v1/sessions/{id}/sequence", tag = "sessions",
    security((), ("read_token" = [])),
    params(("id" = String, Path, description = "Session id, 32 hex digits"), SequenceQuery),
    responses(
        (status = 200, description = "The steps", body = Sequence),
        (status = 404, description = "No record of the session"),
    ),
)]
async fn handle(text: &str, call: &Call) -> Result<Response, ApiError> {
    let params = call.params(PARAMETERS)?;
    let id = session::id(text)?;
    let now_us = call.app.clock.now_us();
    let asked = Asked {
        from_us: params.time("from", now_us)?,
        to_us: params.time("to", now_us)?,
        files: params.flag("files")?,
        limit: params.limit()?,
        position: call.app.health.position(),
    };
    let database = Arc::clone(&call.app.database);
    let found = query::run(call, move |connection| {
        tell(connection, &database, id, &asked)
    });
    json(&found.await?.ok_or_else(|| ApiError::UnknownSession {
        session: id.to_string(),
    })?)
}

/// Marks in the rows of the query `some` where a step begins, and numbers the steps.
fn runs(some: &str) -> String {
    format!(
        "WITH looked_at AS MATERIALIZED ({some}),
         marked AS (
            SELECT *, lag(endpoint) OVER session IS DISTINCT FROM endpoint
                OR lag(visit_start) OVER session IS DISTINCT FROM visit_start AS begins,
                lag(visit_start) OVER session IS DISTINCT FROM visit_start AS begins_visit,
                epoch_us(start) - epoch_us(lag(start) OVER session) AS gap_us
            FROM looked_at WINDOW session AS (PARTITION BY session ORDER BY {ORDER})),
         runs AS (
            SELECT *, sum(begins::UBIGINT) OVER (
                PARTITION BY session ORDER BY {ORDER} ROWS UNBOUNDED PRECEDING) AS run
            FROM marked)"
    )
}

fn tell(
    connection: &Connection,
    database: &Database,
    id: SessionId,
    asked: &Asked,
) -> Result<Option<Sequence>, StoreError> {
    let Some((first_us, last_us)) = session_times(connection, id)? else {
        return Ok(None);
    };
    database.narrow(connection, &["records"], first_us, last_us)?;
    let which = Clause::new(
        "session = ? AND start >= ? AND start < ? AND position < ?",
        [
            Value::Blob(id.0.to_vec()),
            at(asked.from_us.unwrap_or(first_us).max(first_us)),
            at(asked
                .to_us
                .unwrap_or(i64::MAX)
                .min(last_us.saturating_add(1))),
            Value::UBigInt(asked.position),
        ],
    );
    let some = format!(
        "SELECT {ENDPOINT} AS endpoint, session, visit_start, start, status, duration_us, boot,
            worker, sequence, idx
         FROM records WHERE {} ORDER BY {ORDER} LIMIT {}",
        which.sql,
        REQUESTS_MAX + 1
    );
    let kept = if asked.files { "true" } else { NO_ASSET };
    let sql = format!(
        "{}, shown AS (FROM runs WHERE {kept}),
         -- What is left out must not part what belongs together.
         again AS (
            SELECT * EXCLUDE (begins, begins_visit, gap_us, run),
                lag(visit_start) OVER session IS DISTINCT FROM visit_start AS begins_visit,
                lag(endpoint) OVER session IS DISTINCT FROM endpoint
                OR lag(visit_start) OVER session IS DISTINCT FROM visit_start AS begins,
                epoch_us(start) - epoch_us(lag(start) OVER session) AS gap_us
            FROM shown WINDOW session AS (ORDER BY {ORDER})),
         steps AS (
            SELECT *, sum(begins::UBIGINT) OVER (ORDER BY {ORDER} ROWS UNBOUNDED PRECEDING) AS run
            FROM again)
         SELECT arg_min(endpoint, start), count(*)::UBIGINT, epoch_us(min(start)),
            epoch_us(max(start)), max(gap_us) FILTER (begins) / 1000, bool_or(begins_visit),
            (count(*) FILTER (status < 400))::UBIGINT,
            (count(*) FILTER (status BETWEEN 400 AND 499))::UBIGINT,
            (count(*) FILTER (status >= 500))::UBIGINT,
            (count(*) FILTER (status IS NULL))::UBIGINT,
            list_slice(list_sort(list_distinct(list(status))), 1, 8),
            median(duration_us) / 1000, max(duration_us) / 1000,
            (SELECT count(*) FROM looked_at)::UBIGINT
         FROM steps GROUP BY run ORDER BY run LIMIT ?",
        runs(&some)
    );
    let limit = Value::UBigInt(asked.limit as u64 + 1);
    let values = which.values.into_iter().chain([limit]);
    let mut statement = connection.prepare(&sql)?;
    let rows = statement.query_map(params_from_iter(values), |row| {
        Ok((step(row)?, row.get::<_, u64>(13)?))
    })?;
    let rows: Vec<(SequenceStep, u64)> = rows.collect::<Result<_, _>>()?;
    Ok(Some(told(id, asked.limit, rows)))
}

fn told(id: SessionId, limit: usize, mut rows: Vec<(SequenceStep, u64)>) -> Sequence {
    let looked_at = rows.first().map_or(0, |(_, looked_at)| *looked_at);
    let mut next_from = None;
    // The last step may go on beyond what was looked at: it is told with what follows.
    let cut = looked_at > REQUESTS_MAX && rows.len() > 1;
    if rows.len() > limit || cut {
        let keep = limit.min(rows.len() - 1);
        next_from = rows.get(keep).map(|(step, _)| step.first.clone());
        rows.truncate(keep);
    }
    let steps: Vec<_> = rows.into_iter().map(|(step, _)| step).collect();
    let requests = steps.iter().map(|step| step.count).sum();
    let all = next_from.is_none();
    Sequence {
        session: id.to_string(),
        files_left_out: if all { looked_at - requests } else { 0 },
        steps,
        requests,
        next_from,
    }
}

fn step(row: &Row<'_>) -> duckdb::Result<SequenceStep> {
    let statuses = match row.get(10)? {
        Value::List(values) => values,
        _ => Vec::new(),
    };
    let status = |value| match value {
        Value::USmallInt(status) => Some(status),
        _ => None,
    };
    Ok(SequenceStep {
        endpoint: row.get(0)?,
        count: row.get(1)?,
        first: time::text(row.get(2)?),
        last: time::text(row.get(3)?),
        gap_ms: row.get(4)?,
        begins_visit: row.get(5)?,
        ok: row.get(6)?,
        errors_4xx: row.get(7)?,
        errors_5xx: row.get(8)?,
        unanswered: row.get(9)?,
        statuses: statuses.into_iter().filter_map(status).collect(),
        median_ms: row.get(11)?,
        longest_ms: row.get(12)?,
    })
}

/// A step of a session's beginning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct BeginningStep {
    /// The endpoint.
    endpoint: String,
    /// How many requests, one after the other.
    count: u64,
    /// Those answered with 400 to 599.
    errors: u64,
}

/// How a session began: its first 60 requests, without files that belong to pages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct Beginning {
    /// The first steps, in order.
    steps: Vec<BeginningStep>,
    /// There is more than these steps tell.
    cut: bool,
}

/// How each of `sessions` began, in at most `steps` steps; all were active in `range`.
pub(super) fn beginnings(
    connection: &Connection,
    sessions: &[SessionId],
    range: (i64, i64),
    seen_to: u64,
    steps: u64,
) -> Result<HashMap<String, Beginning>, StoreError> {
    if sessions.is_empty() || steps == 0 {
        return Ok(HashMap::new());
    }
    let seen = Clause::new(
        "start >= ? AND start <= ? AND position < ?",
        [at(range.0), at(range.1), Value::UBigInt(seen_to)],
    );
    let which = Clause::all([Clause::among("session", sessions), seen]);
    let some = format!(
        "SELECT {ENDPOINT} AS endpoint, session, visit_start, start, status, boot, worker, sequence,
            idx, row_number() OVER (PARTITION BY session ORDER BY {ORDER}) AS number
         FROM records WHERE {} AND (endpoint IS NULL OR {NO_ASSET})
         QUALIFY number <= {}",
        which.sql,
        BEGINNING_MAX + 1
    );
    let sql = format!(
        "{} SELECT lower(hex(session)), arg_min(endpoint, number), count(*)::UBIGINT,
            (count(*) FILTER (status >= 400))::UBIGINT, max(number)
         FROM runs WHERE run <= ? GROUP BY session, run ORDER BY session, run",
        runs(&some)
    );
    let values = which.values.into_iter().chain([Value::UBigInt(steps + 1)]);
    let mut statement = connection.prepare(&sql)?;
    let rows = statement.query_map(params_from_iter(values), |row| {
        let step = BeginningStep {
            endpoint: row.get(1)?,
            count: row.get(2)?,
            errors: row.get(3)?,
        };
        Ok((row.get::<_, String>(0)?, step, row.get::<_, i64>(4)?))
    })?;
    let mut found: HashMap<String, Beginning> = HashMap::new();
    for row in rows {
        let (session, step, number) = row?;
        let beginning = found.entry(session).or_default();
        if beginning.steps.len() as u64 == steps {
            beginning.cut = true;
        } else {
            beginning.cut |= number.unsigned_abs() > BEGINNING_MAX;
            beginning.steps.push(step);
        }
    }
    Ok(found)
}
