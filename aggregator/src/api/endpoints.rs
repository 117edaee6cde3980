//! `GET /v1/endpoints`: what the applications are asked for, and how that goes.

use std::sync::Arc;

use duckdb::types::Value;
use duckdb::{Connection, Row, params_from_iter};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use super::error::ApiError;
use super::facets::share;
use super::marks::Marks;
use super::params::Params;
use super::request::{Access, Call, call, json, respond};
use super::scope::{Chosen, Extent, HEAVY_RECORDS_MAX, IS_BOT, Scope};
use super::{App, cursor, query};
use crate::endpoints::sums;
use crate::store::StoreError;
use crate::time;

/// A method and a template of paths of an application.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(super) struct Endpoint {
    /// Names it for `GET /v1/endpoints/{id}`: 16 hex digits.
    #[schema(example = "0f3a9c2d4b5e6f70")]
    pub(super) id: String,
    /// The application.
    #[schema(example = "shop")]
    pub(super) application: String,
    /// Method and template, as the filter field `endpoint` takes it.
    #[schema(example = "GET /api/orders/{id}")]
    pub(super) endpoint: String,
    /// What selects its sessions: to be added to `q`.
    #[schema(example = "app:\"shop\" endpoint:\"GET /api/orders/{id}\"")]
    pub(super) term: String,
    /// Number of requests.
    pub(super) requests: u64,
    /// Sessions with a request to it.
    pub(super) sessions: u64,
    /// Requests answered with 400 to 499.
    pub(super) errors_4xx: u64,
    /// Requests answered with 500 to 599.
    pub(super) errors_5xx: u64,
    /// Share of the requests answered with 400 to 599, 0 to 1.
    pub(super) error_share: f64,
    /// Half of the requests took no longer, milliseconds, to about 4 %; null without requests.
    pub(super) p50_ms: Option<f64>,
    /// 95 % took no longer.
    pub(super) p95_ms: Option<f64>,
    /// 99 % took no longer.
    pub(super) p99_ms: Option<f64>,
    /// Bytes of request bodies.
    pub(super) request_bytes: u64,
    /// Bytes of response bodies.
    pub(super) response_bytes: u64,
    /// Share of the requests that are of sessions held for bots, 0 to 1.
    pub(super) bot_share: f64,
    /// Start of its first request in the time asked about; null without requests.
    #[schema(format = DateTime)]
    pub(super) first: Option<String>,
    /// Start of its last request in the time asked about; null without requests.
    #[schema(format = DateTime)]
    pub(super) last: Option<String>,
    /// Start of its first request ever, as far as it is remembered; null when there was none.
    #[schema(format = DateTime)]
    pub(super) first_seen: Option<String>,
    /// Start of its last request ever.
    #[schema(format = DateTime)]
    pub(super) last_seen: Option<String>,
    /// It was asked for first within `new_within`, and its application before.
    pub(super) new: bool,
    /// Whether it is an operation of its application's document; null where there is none, and of
    /// files of pages and paths that were never answered.
    pub(super) documented: Option<bool>,
    /// An operation of the document that nobody asked for in the time.
    pub(super) unused: bool,
}

/// Columns of [`Endpoint::read`].
pub(super) const COLUMNS: &str = "id, application, endpoint, requests, sessions, errors_4xx,
    errors_5xx, p50_ms, p95_ms, p99_ms, request_bytes, response_bytes, bot_requests,
    epoch_us(first), epoch_us(last), epoch_us(first_seen), epoch_us(last_seen), is_new, documented,
    unused";

impl Endpoint {
    pub(super) fn read(row: &Row<'_>, chosen: &Chosen) -> duckdb::Result<Self> {
        let count = |column| row.get::<_, u64>(column);
        let time = |column| -> duckdb::Result<Option<String>> {
            Ok(row.get::<_, Option<i64>>(column)?.map(time::text))
        };
        let (application, endpoint): (String, String) = (row.get(1)?, row.get(2)?);
        let (requests, errors_4xx, errors_5xx) = (count(3)?, count(5)?, count(6)?);
        Ok(Self {
            id: row.get(0)?,
            term: format!(
                "app:{} endpoint:{}",
                quoted(&application),
                quoted(&endpoint)
            ),
            application,
            endpoint,
            requests: chosen.estimate(requests),
            sessions: chosen.estimate(count(4)?),
            errors_4xx: chosen.estimate(errors_4xx),
            errors_5xx: chosen.estimate(errors_5xx),
            error_share: share(errors_4xx.saturating_add(errors_5xx), requests),
            p50_ms: row.get(7)?,
            p95_ms: row.get(8)?,
            p99_ms: row.get(9)?,
            request_bytes: chosen.estimate(count(10)?),
            response_bytes: chosen.estimate(count(11)?),
            bot_share: share(count(12)?, requests),
            first: time(13)?,
            last: time(14)?,
            first_seen: time(15)?,
            last_seen: time(16)?,
            new: row.get(17)?,
            documented: row.get(18)?,
            unused: row.get(19)?,
        })
    }
}

/// A text as a filter takes it.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', r"\\").replace('"', r#"\""#))
}

/// A page of endpoints.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct EndpointPage {
    /// What was looked at.
    extent: Extent,
    /// The endpoints.
    items: Vec<Endpoint>,
    /// How many there are on all pages.
    count: u64,
    /// `cursor` of the next page; null on the last.
    next: Option<String>,
}

/// Which endpoints.
#[derive(Debug, Default, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters in the OpenAPI document")]
struct EndpointsQuery {
    /// A filter, as `docs/filters.md` describes it: requests of its sessions, within its time.
    #[param(example = "app:shop last:24h")]
    q: Option<String>,
    /// What the list is ordered by: `requests` (when absent), `sessions`, `errors`,
    /// `error_share`, `p50`, `p95`, `p99`, `bytes`, `bot_share`, `first`, `last`, `first_seen` or
    /// `last_seen`.
    sort: Option<String>,
    /// `desc`, the most first (when absent), or `asc`.
    order: Option<String>,
    /// Only those with one of these marks, with commas between: `new`, `documented`,
    /// `undocumented`, `unused`.
    #[param(example = "new,undocumented")]
    mark: Option<String>,
    /// For how long an endpoint is new; `7d` when absent.
    #[param(example = "7d")]
    new_within: Option<String>,
    /// Endpoints per page, 1 to 500; 50 when absent.
    limit: Option<u64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

const PARAMETERS: &[&str] = &[
    "q",
    "sort",
    "order",
    "mark",
    "new_within",
    "limit",
    "cursor",
];

/// What a list can be ordered by: a number of each endpoint.
const ORDERS: &[(&str, &str)] = &[
    ("requests", "requests"),
    ("sessions", "sessions"),
    ("errors", "errors_4xx + errors_5xx"),
    (
        "error_share",
        "(errors_4xx + errors_5xx) / nullif(requests, 0)",
    ),
    ("p50", "p50_ms"),
    ("p95", "p95_ms"),
    ("p99", "p99_ms"),
    ("bytes", "request_bytes::DOUBLE + response_bytes"),
    ("bot_share", "bot_requests / nullif(requests, 0)"),
    ("first", "epoch_us(first)"),
    ("last", "epoch_us(last)"),
    ("first_seen", "epoch_us(first_seen)"),
    ("last_seen", "epoch_us(last_seen)"),
];

/// Where a page ended: what its last endpoint is ordered by and its id; and what all its pages see:
/// a log position and a stretch of time.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Cursor(f64, String, u64, Option<i64>, Option<i64>);

struct Asked {
    scope: Scope,
    by: &'static str,
    ascending: bool,
    after: Option<Cursor>,
    marks: Marks,
    limit: usize,
}

fn asked(params: &Params, app: &App) -> Result<Asked, ApiError> {
    let sort = params.get("sort").unwrap_or("requests");
    let Some((_, by)) = ORDERS.iter().find(|(name, _)| *name == sort) else {
        return Err(ApiError::BadParameter {
            parameter: "sort",
            detail: format!("`sort` is `{sort}`"),
            remedy: "order by requests, sessions, errors, error_share, p50, p95, p99, bytes, \
                bot_share, first, last, first_seen or last_seen",
        });
    };
    let mut scope = Scope::read(params, app)?.at_most(HEAVY_RECORDS_MAX);
    let after: Option<Cursor> = cursor::read(params)?;
    if let Some(Cursor(_, _, position, from_us, to_us)) = &after {
        scope.see(*position, *from_us, *to_us);
    }
    Ok(Asked {
        scope,
        by,
        ascending: params.ascending()?,
        after,
        marks: Marks::read(params, app.clock.now_us())?,
        limit: params.limit()?,
    })
}

pub(super) fn route(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    warp::path!("v1" / "endpoints")
        .and(call(app, Access::Read))
        .then(|call: Call| async move { respond(handle(&call).await) })
        .boxed()
}

/// Endpoints with their figures, the one asked for most first unless asked otherwise.
#[utoipa::path(
    get, path = "/v1/endpoints", tag = "endpoints",
    params(EndpointsQuery), security((), ("read_token" = [])),
    description = "An endpoint is a method and a template of paths, learnt from the paths that were \
        answered with success; requests for others are those of `(unknown)`. Pages that follow a \
        cursor see the endpoints as they were on the first page. Where a document describes the \
        application (`PUT /v1/applications/{application}/openapi`), its operations that nobody asked \
        for in the time are listed too.",
    responses((status = 200, description = "A page of endpoints", body = EndpointPage)),
)]
async fn handle(call: &Call) -> Result<Response, ApiError> {
    let params = call.params(PARAMETERS)?;
    let asked = asked(&params, &call.app)?;
    let found = query::run(call, move |connection| page(connection, &asked));
    json(&found.await?)
}

/// One row per endpoint of what was chosen: WITH …, and the name of the last table.
pub(super) fn figures(chosen: &Chosen) -> (String, Vec<Value>) {
    let condition = &chosen.records;
    let sql = format!(
        "WITH sums AS MATERIALIZED ({}),
         found AS (
            SELECT left(md5(application || chr(10) || endpoint), 16) AS id, * FROM ({}))",
        sums::of_records(&condition.sql, IS_BOT),
        sums::figures("sums")
    );
    (sql, condition.values.clone())
}

fn page(connection: &Connection, asked: &Asked) -> Result<EndpointPage, StoreError> {
    let chosen = asked.scope.choose(connection, false)?;
    let (figures, mut values) = figures(&chosen);
    let whole = asked.scope.is_plain();
    let (marked, of_marks) = asked.marks.table(asked.scope.range(), whole);
    let wanted = &asked.marks.wanted;
    values.extend(of_marks);
    let (beyond, direction) = if asked.ascending {
        (">", "ASC")
    } else {
        ("<", "DESC")
    };
    let by = format!("coalesce(({})::DOUBLE, 0)", asked.by);
    let after = match &asked.after {
        Some(Cursor(value, id, ..)) => {
            values.extend([Value::Double(*value), Value::Double(*value)]);
            values.push(Value::Text(id.clone()));
            format!("({by} {beyond} ? OR ({by} = ? AND id {beyond} ?))")
        }
        None => "true".into(),
    };
    let sql = format!(
        "{figures}{marked} SELECT {COLUMNS}, {by} AS ordered_by,
            (SELECT count(*) FROM marked WHERE {wanted})::UBIGINT
         FROM marked WHERE {wanted} AND {after} ORDER BY ordered_by {direction}, id {direction} LIMIT ?"
    );
    values.push(Value::UBigInt(asked.limit as u64 + 1));
    let mut statement = connection.prepare(&sql)?;
    let read = |row: &Row<'_>| Ok((Endpoint::read(row, &chosen)?, row.get(20)?, row.get(21)?));
    let rows = statement.query_map(params_from_iter(values), read)?;
    let mut rows: Vec<(Endpoint, f64, u64)> = rows.collect::<Result<_, _>>()?;
    let more = rows.len() > asked.limit;
    rows.truncate(asked.limit);
    let (from_us, to_us) = asked.scope.range();
    let next = rows.last().filter(|_| more).and_then(|(last, by, _)| {
        cursor::write(&Cursor(
            *by,
            last.id.clone(),
            chosen.position(),
            from_us,
            to_us,
        ))
    });
    Ok(EndpointPage {
        extent: chosen.extent(),
        count: rows.first().map_or(0, |(_, _, count)| *count),
        items: rows.into_iter().map(|(item, _, _)| item).collect(),
        next,
    })
}
