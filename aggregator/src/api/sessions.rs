//! `GET /v1/sessions`: sessions, the one active last first.

use std::sync::Arc;

use duckdb::types::{TimeUnit, Value};
use duckdb::{Connection, Row};
use serde::{Deserialize, Serialize};
use throughline_session::hex::Hex;
use throughline_session::wire::SessionId;
use utoipa::{IntoParams, ToSchema};
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use super::App;
use super::error::ApiError;
use super::identity::People;
use super::params::Params;
use super::request::{Access, Call, call, json, respond};
use super::{SharedKey, cursor, identity, query};
use crate::store::StoreError;
use crate::time;

/// Addresses and user agents listed with a session.
const LISTED_MAX: usize = 16;

/// Some values, and how many there are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct Listed {
    /// The first 16 in alphabetical order.
    pub(super) values: Vec<String>,
    /// How many there are.
    pub(super) count: usize,
}

impl Listed {
    pub(super) fn of(value: Value) -> Self {
        Self::new(texts(value))
    }

    pub(super) fn new(mut values: Vec<String>) -> Self {
        let count = values.len();
        values.truncate(LISTED_MAX);
        Self { values, count }
    }
}

/// The texts in a DuckDB list.
pub(super) fn texts(value: Value) -> Vec<String> {
    let Value::List(values) = value else {
        return Vec::new();
    };
    let text = |value| match value {
        Value::Text(text) => Some(text),
        _ => None,
    };
    values.into_iter().filter_map(text).collect()
}

/// All records with one session id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct Session {
    /// Session id, 32 hex digits.
    pub(super) session: String,
    /// The application it belongs to.
    pub(super) application: String,
    /// Key rule that found it first.
    key: String,
    /// Start of its first request.
    #[schema(format = DateTime)]
    first: String,
    /// Start of its last request.
    #[schema(format = DateTime)]
    last: String,
    /// From the first to the last, milliseconds.
    duration_ms: i64,
    /// Stretches without a long pause.
    visits: u64,
    /// Number of requests.
    requests: u64,
    /// Those answered with 400 to 499.
    errors_4xx: u64,
    /// Those answered with 500 to 599.
    errors_5xx: u64,
    /// Bytes of request bodies.
    request_bytes: u64,
    /// Bytes of response bodies.
    response_bytes: u64,
    /// Client addresses.
    ips: Listed,
    /// User agents.
    user_agents: Listed,
    /// There were more addresses or user agents than are kept: the counts are lower bounds.
    more: bool,
    /// Values of its user parameters.
    users: Listed,
    /// Values of its role parameters.
    roles: Listed,
    /// It has more addresses or users than one person: its key is shared, and its links are not
    /// followed.
    shared_key: bool,
}

/// Columns of [`Session::read`], over rows of `visit_parts` that are grouped by session.
pub(super) const COLUMNS: &str =
    "lower(hex(session)), arg_min(application, ordinal), arg_min(key, ordinal),
    epoch_us(min(first)), epoch_us(max(last)), count(DISTINCT visit_start)::UBIGINT,
    sum(requests)::UBIGINT, sum(errors_4xx)::UBIGINT, sum(errors_5xx)::UBIGINT,
    least(sum(request_bytes), 18446744073709551615)::UBIGINT,
    least(sum(response_bytes), 18446744073709551615)::UBIGINT,
    list_sort(list_distinct(flatten(list(ips)))),
    list_sort(list_distinct(flatten(list(user_agents)))), bool_or(more)";

impl Session {
    pub(super) fn read(row: &Row<'_>) -> duckdb::Result<Self> {
        let (first_us, last_us): (i64, i64) = (row.get(3)?, row.get(4)?);
        Ok(Self {
            session: row.get(0)?,
            application: row.get(1)?,
            key: row.get(2)?,
            first: time::text(first_us),
            last: time::text(last_us),
            duration_ms: last_us.saturating_sub(first_us) / 1000,
            visits: row.get(5)?,
            requests: row.get(6)?,
            errors_4xx: row.get(7)?,
            errors_5xx: row.get(8)?,
            request_bytes: row.get(9)?,
            response_bytes: row.get(10)?,
            ips: Listed::of(row.get(11)?),
            user_agents: Listed::of(row.get(12)?),
            more: row.get(13)?,
            users: Listed::new(Vec::new()),
            roles: Listed::new(Vec::new()),
            shared_key: false,
        })
    }

    /// Adds what is known of its users.
    pub(super) fn with_people(mut self, people: Option<People>, limit: SharedKey) -> Self {
        let people = people.unwrap_or_default();
        self.users = Listed::new(people.users);
        self.roles = Listed::new(people.roles);
        let exceeds = |listed: &Listed, limit: u64| listed.count as u64 > limit;
        self.shared_key = exceeds(&self.ips, limit.ips) || exceeds(&self.users, limit.users);
        self
    }
}

/// A page of sessions.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SessionPage {
    /// The sessions.
    items: Vec<Session>,
    /// `cursor` of the next page; null on the last.
    next: Option<String>,
}

/// Which sessions.
#[derive(Debug, Default, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters in the OpenAPI document")]
struct SessionsQuery {
    /// Only sessions whose last request is at or after this time: RFC 3339, or how long ago
    /// (`24h`).
    from: Option<String>,
    /// Only sessions whose first request is before this time: RFC 3339, or how long ago.
    to: Option<String>,
    /// Only sessions of this application.
    application: Option<String>,
    /// Only sessions that this key rule found first.
    key: Option<String>,
    /// Only sessions with a request from this client address.
    ip: Option<String>,
    /// Only sessions with a user agent that contains this, in capitals or not.
    user_agent: Option<String>,
    /// Only sessions with this value of a user parameter.
    user: Option<String>,
    /// Only sessions with at least this many requests.
    min_requests: Option<u64>,
    /// Only sessions with at least this many requests answered with 400 to 599.
    min_errors: Option<u64>,
    /// The order: only `last`, the session active last first.
    sort: Option<String>,
    /// Sessions per page, 1 to 500; 50 when absent.
    limit: Option<u64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

const PARAMETERS: &[&str] = &[
    "from",
    "to",
    "application",
    "key",
    "ip",
    "user_agent",
    "user",
    "min_requests",
    "min_errors",
    "sort",
    "limit",
    "cursor",
];

/// Where a page ended: last request of its last session, that session, and the log position up
/// to which all its pages see.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Cursor(i64, SessionId, u64);

/// SQL in the making: conditions with their values.
#[derive(Default)]
struct Conditions {
    sql: Vec<&'static str>,
    values: Vec<Value>,
}

impl Conditions {
    fn add(&mut self, sql: &'static str, values: impl IntoIterator<Item = Value>) {
        self.sql.push(sql);
        self.values.extend(values);
    }

    fn joined(&self) -> String {
        if self.sql.is_empty() {
            "true".into()
        } else {
            self.sql.join(" AND ")
        }
    }
}

/// A point in time as DuckDB takes it.
pub(super) fn at(micros: i64) -> Value {
    Value::Timestamp(TimeUnit::Microsecond, micros)
}

struct Selection {
    /// On parts: sessions without such a part are left out early.
    active: Conditions,
    /// On sessions: what they add up to.
    having: Conditions,
    before: Option<Cursor>,
    limit: usize,
}

fn selection(params: &Params, now_us: i64) -> Result<Selection, ApiError> {
    let mut active = Conditions::default();
    let mut having = Conditions::default();
    let text = |name| params.get(name).map(|text| Value::Text(text.to_owned()));
    if let Some(from_us) = params.time("from", now_us)? {
        active.add("last >= ?", [at(from_us)]);
    }
    if let Some(to_us) = params.time("to", now_us)? {
        having.add("min(first) < ?", [at(to_us)]);
    }
    if let Some(application) = text("application") {
        active.add("application = ?", [application]);
    }
    if let Some(user) = text("user") {
        let has = "session IN (SELECT session FROM param_parts WHERE kind = 'user' AND value = ?)";
        active.add(has, [user]);
    }
    if let Some(key) = text("key") {
        having.add("arg_min(key, ordinal) = ?", [key]);
    }
    if let Some(ip) = text("ip") {
        having.add("bool_or(list_contains(ips, ?))", [ip]);
    }
    if let Some(part) = text("user_agent") {
        let contains = "bool_or(contains(lower(array_to_string(user_agents, chr(10))), lower(?)))";
        having.add(contains, [part]);
    }
    if let Some(least) = params.number("min_requests")? {
        having.add("sum(requests) >= ?", [Value::UBigInt(least)]);
    }
    if let Some(least) = params.number("min_errors")? {
        having.add("sum(errors_4xx + errors_5xx) >= ?", [Value::UBigInt(least)]);
    }
    if let Some(sort) = params.get("sort").filter(|sort| *sort != "last") {
        let detail = format!("`sort` is `{sort}`");
        let remedy = "the only order is `last`: the session active last first";
        return Err(ApiError::BadParameter {
            parameter: "sort",
            detail,
            remedy,
        });
    }
    let before = cursor::read(params)?;
    Ok(Selection {
        active,
        having,
        before,
        limit: params.limit()?,
    })
}

pub(super) fn route(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    warp::path!("v1" / "sessions")
        .and(call(app, Access::Read))
        .then(|call: Call| async move { respond(handle(&call).await) })
        .boxed()
}

/// Sessions, the one active last first.
#[utoipa::path(
    get, path = "/v1/sessions", tag = "sessions", params(SessionsQuery),
    security((), ("read_token" = [])),
    description = "The figures are those of the whole session, also of the requests before `from` \
        and after `to`. Pages that follow a cursor see the sessions as they were on the first page.",
    responses(
        (status = 200, description = "A page of sessions", body = SessionPage),
        (status = 400, description = "A parameter makes no sense", body = super::Problem, content_type = "application/problem+json"),
        (status = 401, description = "No valid token", body = super::Problem, content_type = "application/problem+json"),
        (status = 503, description = "The query took too long", body = super::Problem, content_type = "application/problem+json"),
    ),
)]
async fn handle(call: &Call) -> Result<Response, ApiError> {
    let params = call.params(PARAMETERS)?;
    let selection = selection(&params, call.app.clock.now_us())?;
    let position = call.app.health.position();
    let limit = call.app.shared_key;
    let page = query::run(&call.app, move |connection| {
        page(connection, selection, position, limit)
    });
    json(&page.await?)
}

fn page(
    connection: &Connection,
    selection: Selection,
    position: u64,
    shared_key: SharedKey,
) -> Result<SessionPage, StoreError> {
    let Selection {
        active,
        having,
        before,
        limit,
    } = selection;
    let seen_to = before.map_or(position, |Cursor(_, _, seen_to)| seen_to);
    let after = match before {
        Some(_) => "(max(last) < ? OR (max(last) = ? AND session < ?))",
        None => "true",
    };
    // First which sessions, then their figures: the lists are put together for one page only.
    let sql = format!(
        "WITH parts AS (FROM visit_parts WHERE position <= ?),
         page AS (
            SELECT session FROM parts
            WHERE session IN (SELECT session FROM parts WHERE {active})
            GROUP BY session HAVING {having} AND {after}
            ORDER BY max(last) DESC, session DESC LIMIT ?
         )
         SELECT {COLUMNS}, epoch_us(max(last)) AS last_us, session
         FROM parts WHERE session IN (SELECT session FROM page)
         GROUP BY session ORDER BY max(last) DESC, session DESC",
        active = active.joined(),
        having = having.joined(),
    );
    let mut values = vec![Value::UBigInt(seen_to)];
    values.extend(active.values);
    values.extend(having.values);
    if let Some(Cursor(last_us, session, _)) = before {
        values.extend([at(last_us), at(last_us), Value::Blob(session.0.to_vec())]);
    }
    values.push(Value::UBigInt(limit as u64 + 1));
    let mut statement = connection.prepare(&sql)?;
    let read = |row: &Row<'_>| {
        let (last_us, session): (i64, String) = (row.get(14)?, row.get(0)?);
        Ok((Session::read(row)?, last_us, session))
    };
    let mut rows: Vec<_> = statement
        .query_map(duckdb::params_from_iter(values), read)?
        .collect::<Result<_, _>>()?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows
        .last()
        .filter(|_| more)
        .and_then(|(_, last_us, session)| {
            cursor::write(&Cursor(*last_us, Hex::parse(session)?, seen_to))
        });
    let ids: Vec<_> = rows
        .iter()
        .filter_map(|(_, _, id)| Hex::parse(id))
        .collect();
    let mut people = identity::people(connection, &ids, seen_to)?;
    let complete = |(session, _, id): (Session, i64, String)| {
        session.with_people(people.remove(&id), shared_key)
    };
    Ok(SessionPage {
        items: rows.into_iter().map(complete).collect(),
        next,
    })
}
