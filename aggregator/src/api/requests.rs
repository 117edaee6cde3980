//! `GET /v1/sessions/{id}/requests`: what a session did, in order.

use std::sync::Arc;

use duckdb::types::Value;
use duckdb::{Connection, Row};
use serde::{Deserialize, Serialize};
use throughline_session::hex::Hex;
use throughline_session::wire::{RecordId, SessionId};
use utoipa::{IntoParams, ToSchema};
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use super::cursor::Pages;
use super::error::ApiError;
use super::request::{Access, Call, call, json, respond};
use super::sessions::{at, texts};
use super::{App, query, session};
use crate::filters::Clause;
use crate::store::{Database, StoreError, session_times};
use crate::time;

/// A query parameter whose value the policy names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct QueryValue {
    /// Its name.
    name: String,
    /// Its value.
    value: String,
}

/// Another session that the exchange showed to belong together with its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct RequestLink {
    /// `login`, `refresh` or `both`.
    kind: String,
    /// The other session, 32 hex digits.
    session: String,
    /// Rule or fallback that made it.
    key: String,
}

/// A context parameter of the exchange.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct RequestParam {
    /// Its name in the policy.
    name: String,
    /// The value, or what the policy lets through of it.
    value: String,
    /// `user`, `role` or `plain`.
    kind: String,
    /// The client could put there what it liked.
    forgeable: bool,
}

/// A value that was there and could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct ExtractFailure {
    /// The key rule or parameter.
    name: String,
    /// `too_long`, `encoding`, `json`, `base64` or `jwt`.
    why: String,
}

/// One HTTP exchange. Null means: the exchange had none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct Exchange {
    /// Names the record for good: boot, worker, batch and line.
    record_id: String,
    /// When the request's headers were in.
    #[schema(format = DateTime)]
    start: String,
    /// Session at the end of the exchange, 32 hex digits.
    session: String,
    /// Session known when the request's headers were in, 32 hex digits.
    request_session: String,
    /// Start of the request that opened the visit.
    #[schema(format = DateTime)]
    visit_start: String,
    /// The application it belongs to.
    application: String,
    /// Key rule that found the session.
    key: String,
    /// Where it was seen.
    capture_point: String,
    /// Policy that the record was made with.
    policy_version: String,
    /// Envoy's `node.id`.
    node: String,
    /// `x-request-id`.
    request_id: Option<String>,
    /// Trace id, 32 hex digits.
    trace_id: Option<String>,
    /// Request method.
    method: Option<String>,
    /// `http` or `https`.
    scheme: Option<String>,
    /// Host, without the port.
    host: Option<String>,
    /// Path without the query, redacted.
    path: Option<String>,
    /// Names of the query parameters in order.
    query_names: Vec<String>,
    /// Query parameters that the policy names.
    query_values: Vec<QueryValue>,
    /// Keyed hash of the whole query, 16 hex digits.
    query_hash: Option<String>,
    /// `HTTP/1.1`, `HTTP/2`, ….
    protocol: Option<String>,
    /// Response status.
    status: Option<u16>,
    /// Envoy's response flags, joined by commas.
    flags: String,
    /// Bytes of the request body.
    request_bytes: u64,
    /// Bytes of the response body.
    response_bytes: u64,
    /// To the end of the exchange, microseconds.
    duration_us: u64,
    /// What the upstream took to answer, microseconds.
    upstream_us: Option<u64>,
    /// Client address.
    client_ip: Option<String>,
    /// `user-agent`.
    user_agent: Option<String>,
    /// Host of the `referer`.
    referer_host: Option<String>,
    /// The response's `content-type`.
    content_type: Option<String>,
    /// Names of the fields that were cut.
    truncated: Vec<String>,
    /// Other sessions that it showed to belong together with its own.
    links: Vec<RequestLink>,
    /// Context parameters, in the policy's order.
    params: Vec<RequestParam>,
    /// Values that were there and could not be read.
    extract_failed: Vec<ExtractFailure>,
}

/// A page of requests.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ExchangePage {
    /// The requests.
    items: Vec<Exchange>,
    /// `cursor` of the next page; null on the last.
    next: Option<String>,
}

/// Which requests.
#[derive(Debug, Default, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters in the OpenAPI document")]
struct RequestsQuery {
    /// Only requests at or after this time: RFC 3339, or how long ago (`24h`).
    from: Option<String>,
    /// Only requests before this time: RFC 3339, or how long ago.
    to: Option<String>,
    /// Requests per page, 1 to 500; 50 when absent.
    limit: Option<u64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

const PARAMETERS: &[&str] = &["from", "to", "limit", "cursor"];

/// Where a page ended: start, boot, worker, sequence and index of its last request, and the log
/// position up to which all its pages see.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Cursor(i64, u64, u32, u64, u32, u64);

struct Selection {
    from_us: Option<i64>,
    to_us: Option<i64>,
    pages: Pages,
    after: Option<Cursor>,
    limit: usize,
    position: u64,
}

pub(super) fn route(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    warp::path!("v1" / "sessions" / String / "requests")
        .and(call(app, Access::Read))
        .then(|id: String, call: Call| async move { respond(handle(&id, &call).await) })
        .boxed()
}

/// What a session did, in order.
#[utoipa::path(
    get, path = "/v1/sessions/{id}/requests", tag = "sessions",
    security((), ("read_token" = [])),
    params(("id" = String, Path, description = "Session id, 32 hex digits"), RequestsQuery),
    description = "Pages that follow a cursor see the requests as they were on the first page.",
    responses(
        (status = 200, description = "A page of requests", body = ExchangePage),
        (status = 404, description = "No record of the session"),
    ),
)]
async fn handle(text: &str, call: &Call) -> Result<Response, ApiError> {
    let params = call.params(PARAMETERS)?;
    let id = session::id(text)?;
    let now_us = call.app.clock.now_us();
    let pages = Pages::of(&params);
    let selection = Selection {
        from_us: params.time("from", now_us)?,
        to_us: params.time("to", now_us)?,
        pages,
        after: pages.read(&params)?,
        limit: params.limit()?,
        position: call.app.health.position(),
    };
    let database = Arc::clone(&call.app.database);
    let page = query::run(call, move |connection| {
        page(connection, &database, id, &selection)
    });
    let page = page.await?;
    json(&page.ok_or_else(|| ApiError::UnknownSession {
        session: id.to_string(),
    })?)
}

fn page(
    connection: &Connection,
    database: &Database,
    id: SessionId,
    selection: &Selection,
) -> Result<Option<ExchangePage>, StoreError> {
    let Some((first_us, last_us)) = session_times(connection, id)? else {
        return Ok(None);
    };
    let records = database.records_near(connection, first_us, last_us)?;
    let from_us = selection.from_us.unwrap_or(first_us).max(first_us);
    let to_us = selection
        .to_us
        .unwrap_or(i64::MAX)
        .min(last_us.saturating_add(1));
    let seen_to = selection
        .after
        .map_or(selection.position, |cursor| cursor.5);
    let mut which = vec![Clause::new(
        "session = ? AND start >= ? AND start < ? AND position < ?",
        [
            Value::Blob(id.0.to_vec()),
            at(from_us),
            at(to_us),
            Value::UBigInt(seen_to),
        ],
    )];
    if let Some(Cursor(start_us, boot, worker, sequence, idx, _)) = selection.after {
        which.push(Clause::new(
            "start > ? OR (start = ? AND (boot, worker, sequence, idx) > (?, ?, ?, ?))",
            [
                at(start_us),
                at(start_us),
                Value::UBigInt(boot),
                Value::UInt(worker),
                Value::UBigInt(sequence),
                Value::UInt(idx),
            ],
        ));
    }
    let which = Clause::all(which);
    let sql = format!(
        "CREATE TEMP TABLE page AS SELECT {COLUMNS} FROM {records} WHERE {}
         ORDER BY start, boot, worker, sequence, idx LIMIT {}",
        which.sql,
        selection.limit as u64 + 1
    );
    which.run(connection, &sql)?;
    let mut statement = connection.prepare("FROM page ORDER BY 5, 1, 2, 3, 4")?;
    let rows = statement.query_map([], |row| {
        let cursor = Cursor(
            row.get(4)?,
            row.get(0)?,
            row.get(1)?,
            row.get(2)?,
            row.get(3)?,
            seen_to,
        );
        Ok((exchange(row)?, cursor))
    })?;
    let mut rows: Vec<_> = rows.collect::<Result<_, _>>()?;
    let more = rows.len() > selection.limit;
    rows.truncate(selection.limit);
    let next = rows
        .last()
        .filter(|_| more)
        .and_then(|(_, cursor)| selection.pages.write(cursor));
    Ok(Some(ExchangePage {
        items: rows.into_iter().map(|(item, _)| item).collect(),
        next,
    }))
}

/// The fields of the structs in a DuckDB list; none for null.
fn structs<T>(value: Value, read: impl Fn(&dyn Fn(&str) -> Option<Value>) -> T) -> Vec<T> {
    let Value::List(items) = value else {
        return Vec::new();
    };
    let one = |item: Value| match item {
        Value::Struct(fields) => Some(read(&|name| fields.get(&name.to_owned()).cloned())),
        _ => None,
    };
    items.into_iter().filter_map(one).collect()
}

fn text(value: Option<Value>) -> String {
    match value {
        Some(Value::Text(text)) => text,
        Some(Value::Blob(bytes)) => {
            let id: Result<[u8; 16], _> = bytes.try_into();
            id.map(|id| Hex(id).to_string()).unwrap_or_default()
        }
        _ => String::new(),
    }
}

/// Columns of [`exchange`], of `records`.
pub(super) const COLUMNS: &str = "boot, worker, sequence, idx, epoch_us(start),
    lower(hex(session)), lower(hex(request_session)), epoch_us(visit_start), application, key,
    capture_point, policy_version, node, request_id, trace_id, method, scheme, host, path,
    query_names, query_values, query_hash, protocol, status, flags, request_bytes, response_bytes,
    duration_us, upstream_us, client_ip, user_agent, referer_host, content_type, truncated, links,
    params, extract_failed";

pub(super) fn exchange(row: &Row<'_>) -> duckdb::Result<Exchange> {
    let boot = Hex(row.get::<_, u64>(0)?.to_be_bytes());
    let (worker, sequence, index) = (row.get(1)?, row.get(2)?, row.get(3)?);
    let hash = row.get::<_, Option<u64>>(21)?;
    Ok(Exchange {
        record_id: RecordId {
            boot,
            worker,
            sequence,
            index,
        }
        .to_string(),
        start: time::text(row.get(4)?),
        session: row.get(5)?,
        request_session: row.get(6)?,
        visit_start: time::text(row.get(7)?),
        application: row.get(8)?,
        key: row.get(9)?,
        capture_point: row.get(10)?,
        policy_version: row.get(11)?,
        node: row.get(12)?,
        request_id: row.get(13)?,
        trace_id: row.get(14)?,
        method: row.get(15)?,
        scheme: row.get(16)?,
        host: row.get(17)?,
        path: row.get(18)?,
        query_names: texts(row.get(19)?),
        query_values: structs(row.get(20)?, |field| QueryValue {
            name: text(field("name")),
            value: text(field("value")),
        }),
        query_hash: hash.map(|hash| Hex(hash.to_be_bytes()).to_string()),
        protocol: row.get(22)?,
        status: row.get(23)?,
        flags: row.get(24)?,
        request_bytes: row.get(25)?,
        response_bytes: row.get(26)?,
        duration_us: row.get(27)?,
        upstream_us: row.get(28)?,
        client_ip: row.get(29)?,
        user_agent: row.get(30)?,
        referer_host: row.get(31)?,
        content_type: row.get(32)?,
        truncated: texts(row.get(33)?),
        links: structs(row.get(34)?, |field| RequestLink {
            kind: text(field("kind")),
            session: text(field("session")),
            key: text(field("key")),
        }),
        params: structs(row.get(35)?, |field| RequestParam {
            name: text(field("name")),
            value: text(field("value")),
            kind: text(field("kind")),
            forgeable: field("forgeable") == Some(Value::Boolean(true)),
        }),
        extract_failed: structs(row.get(36)?, |field| ExtractFailure {
            name: text(field("name")),
            why: text(field("why")),
        }),
    })
}
