//! `POST /v1/sql`: one SELECT over the views of `docs/sql.md`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Buf;
use futures_util::Stream;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use super::App;
use super::error::{ApiError, Kind, OUT_OF_MEMORY, OUT_OF_MEMORY_DETAIL, OUT_OF_MEMORY_REMEDY};
use super::request::{Access, Call, Methods, call, respond};
use crate::ingest::body::{self, BodyError};
use crate::sql::{Column, ROWS, ROWS_MAX, SQL_LEN_MAX, SqlError};
use crate::time;

/// A body must be complete after this long.
const BODY_TIME: Duration = Duration::from_secs(30);
/// Room for what surrounds the statement, and for its escapes.
const BODY_LEN_MAX: u64 = 4 * SQL_LEN_MAX as u64;

/// A statement.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SqlQuestion {
    /// One SELECT, at most 64 KiB.
    #[schema(example = "SELECT path, count(*) AS n FROM requests GROUP BY path ORDER BY n DESC")]
    sql: String,
    /// Rows of the answer, 1 to 100,000; 1,000 when absent.
    limit: Option<u64>,
}

/// Its rows.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SqlAnswer {
    /// What the rows consist of.
    columns: Vec<Column>,
    /// The rows: an array of values each. Decimals, times and numbers beyond 64 bits are text,
    /// bytes are hex.
    rows: Vec<Vec<serde_json::Value>>,
    /// How many rows there are here.
    row_count: u64,
    /// There are more: by `limit`, or beyond 32 MiB.
    cut: bool,
    /// The time that the rows show.
    #[schema(format = DateTime)]
    as_of: String,
    /// Not all requests could be looked at, only the newest.
    partial: bool,
    /// Milliseconds that it took.
    took_ms: u64,
}

const METHODS: Methods = Methods {
    each: &[("POST", Access::ReadAll)],
    allow: "POST",
};

pub(super) fn route(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    warp::path!("v1" / "sql")
        .and(call(app, METHODS))
        .and(warp::body::stream())
        .then(|call: Call, stream| async move { respond(handle(&call, stream).await) })
        .boxed()
}

/// Ask in SQL.
#[utoipa::path(
    post, path = "/v1/sql", tag = "sql", security((), ("read_token" = [])),
    description = "Runs one SELECT of DuckDB over the views of `docs/sql.md`, in a process of its \
        own that reaches nothing else. It sees what was stored a few seconds ago. Needs a token for \
        all applications.",
    request_body(content = SqlQuestion),
    responses(
        (status = 200, description = "The rows", body = SqlAnswer),
        (status = 400, description = "No SELECT, or one that DuckDB refuses"),
        (status = 408, description = "The body did not arrive in time"),
        (status = 413, description = "The statement is too long"),
        (status = 422, description = "The body makes no sense"),
        (status = 503, description = "It took too long, or too many run"),
    ),
)]
pub(super) async fn handle<B: Buf>(
    call: &Call,
    stream: impl Stream<Item = Result<B, warp::Error>>,
) -> Result<Response, ApiError> {
    call.params(&[])?;
    let began = Instant::now();
    let read = body::read(stream, BODY_LEN_MAX, &call.app.budget);
    let read = tokio::time::timeout(BODY_TIME, read)
        .await
        .map_err(|_| ApiError::BodyTimeout)?;
    let (body, _room) = read.map_err(|error| match error {
        BodyError::TooLong | BodyError::UnpacksTooLong => {
            ApiError::BodyTooLong { most: BODY_LEN_MAX }
        }
        BodyError::Full => ApiError::QueueFull,
        BodyError::Broken | BodyError::NotUnpackable(_) => ApiError::BodyBroken,
    })?;
    let asked: SqlQuestion =
        serde_json::from_slice(&body).map_err(|error| ApiError::BadBody(error.to_string()))?;
    if asked.sql.len() > SQL_LEN_MAX {
        return Err(ApiError::BodyTooLong {
            most: SQL_LEN_MAX as u64,
        });
    }
    let limit = asked.limit.unwrap_or(ROWS);
    if !(1..=ROWS_MAX).contains(&limit) {
        return Err(ApiError::BadBody(format!(
            "`limit` is {limit}, and not between 1 and {ROWS_MAX}"
        )));
    }
    let now_us = call.app.clock.now_us();
    let answer = call.app.sql.ask(&asked.sql, limit, now_us).await;
    let answer = answer.map_err(ApiError::Sql)?;
    let columns = serde_json::to_string(&answer.columns).unwrap_or_default();
    let end = format!(
        "],\"row_count\":{},\"cut\":{},\"as_of\":\"{}\",\"partial\":{},\"took_ms\":{}}}",
        answer.count,
        answer.cut,
        time::text(answer.as_of_us),
        answer.partial,
        began.elapsed().as_millis(),
    );
    let mut text = format!("{{\"columns\":{columns},\"rows\":[").into_bytes();
    text.extend(answer.rows);
    text.extend(end.into_bytes());
    let mut response = Response::new(text.into());
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    Ok(response)
}

pub(super) fn kind(error: &SqlError) -> Kind {
    use StatusCode as S;
    match error {
        SqlError::Refused(_) => (S::BAD_REQUEST, "bad-sql", "The statement cannot be run"),
        SqlError::Ended(_) => (
            S::BAD_REQUEST,
            "sql-ended",
            "The statement needed more than it may have",
        ),
        SqlError::Timeout(_) => (
            S::SERVICE_UNAVAILABLE,
            "query-timeout",
            "The query took too long",
        ),
        SqlError::Busy => (
            S::SERVICE_UNAVAILABLE,
            "queries-busy",
            "Too many queries run",
        ),
        SqlError::Failed(_) => (
            S::INTERNAL_SERVER_ERROR,
            "database",
            "The database could not answer",
        ),
        SqlError::OutOfMemory(_) => OUT_OF_MEMORY,
    }
}

pub(super) fn detail(error: &SqlError) -> String {
    match error {
        SqlError::Refused(message) => message.clone(),
        SqlError::Ended(how) => format!("the process that ran it ended: {how}"),
        SqlError::Timeout(time) => format!("it was stopped after {} ms", time.as_millis()),
        SqlError::Busy => "others did not end in time".into(),
        SqlError::Failed(_) => "the reason is in the service's log".into(),
        SqlError::OutOfMemory(_) => OUT_OF_MEMORY_DETAIL.into(),
    }
}

pub(super) fn remedy(error: &SqlError) -> Option<String> {
    Some(match error {
        SqlError::Refused(_) => {
            "run one SELECT of DuckDB over the views that docs/sql.md describes".into()
        }
        SqlError::Ended(_) => {
            "ask for less: a shorter time, fewer columns, sums instead of rows".into()
        }
        SqlError::Timeout(_) => {
            "ask for a shorter time range, or for less, or raise --query-timeout".into()
        }
        SqlError::Busy => "ask again later".into(),
        SqlError::OutOfMemory(_) => OUT_OF_MEMORY_REMEDY.into(),
        SqlError::Failed(_) => return None,
    })
}
