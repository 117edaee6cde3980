//! `GET /v1/sessions`: sessions, the one active last first.

use std::collections::HashMap;
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
use super::cursor::Pages;
use super::error::ApiError;
use super::listing::Listing;
use super::notes::SessionNote;
use super::params::Params;
use super::request::{Access, Call, call, json, respond};
use super::sequence::{self, BEGINNING_STEPS_MAX, Beginning};
use super::verdicts::SessionVerdict;
use super::{SharedKey, notes, pins, query, verdicts};
use crate::filters::{Clause, Seen, SessionFilter};
use crate::joined;
use crate::store::{Database, Found, StoreError, folded, rows_of, sessions_then};
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

    /// Of texts that are joined.
    fn joined(texts: &str) -> Self {
        Self::new(joined::texts(texts))
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
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
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
    /// Countries of these addresses, two letters each; absent where none is known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    countries: Vec<String>,
    /// User agents.
    user_agents: Listed,
    /// There were more addresses or user agents than are kept: the counts are lower bounds.
    more: bool,
    /// Values of its user parameters.
    users: Listed,
    /// Values of its role parameters.
    roles: Listed,
    /// The verdict on it; null where there is none.
    pub(super) verdict: Option<SessionVerdict>,
    /// What people said of it; null where nobody said anything.
    pub(super) note: Option<SessionNote>,
    /// It is kept beyond its time.
    pub(super) pinned: bool,
    /// It has more addresses or users than one person: its key is shared, and its links are not
    /// followed.
    pub(super) shared_key: bool,
    /// How it began; absent where `steps` does not ask for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    beginning: Option<Beginning>,
}

/// Columns of [`Session::read`], of `session_rows`.
pub(super) const COLUMNS: &str = "lower(hex(session)), application, key, epoch_us(first),
    epoch_us(last), visits, requests, errors_4xx, errors_5xx, request_bytes,
    response_bytes, ips, user_agents, more, users, roles, countries_of(ips)";

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
            ips: Listed::joined(&row.get::<_, String>(11)?),
            countries: joined::texts(&row.get::<_, String>(16)?),
            user_agents: Listed::joined(&row.get::<_, String>(12)?),
            more: row.get(13)?,
            users: Listed::joined(&row.get::<_, String>(14)?),
            roles: Listed::joined(&row.get::<_, String>(15)?),
            verdict: None,
            note: None,
            pinned: false,
            shared_key: false,
            beginning: None,
        })
    }

    /// Says whether it has too many addresses or users for one person.
    pub(super) fn judged(mut self, limit: SharedKey) -> Self {
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
    /// A filter, as `docs/filters.md` describes it.
    #[param(example = "app:shop status:4xx requests>=20 last:24h")]
    q: Option<String>,
    /// What the list is ordered by: `last` (when absent), `first`, `duration`, `visits`,
    /// `requests`, `errors`, `bytes`, `confidence` (of the verdict), or as text `app`, `key`,
    /// `user`, `role`, `ip`, `ua` (the first of several) or `session`.
    sort: Option<String>,
    /// `desc`, the most first (when absent), or `asc`.
    order: Option<String>,
    /// Steps of each session's beginning, 0 to 20; 0 when absent.
    steps: Option<u64>,
    /// Sessions per page, 1 to 500; 50 when absent.
    limit: Option<u64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

const PARAMETERS: &[&str] = &["q", "sort", "order", "steps", "limit", "cursor"];

/// What a list can be ordered by: a number or a text of each session, never null; of joined texts the first.
const ORDERS: &[(&str, &str)] = &[
    ("last", "epoch_us(last)"),
    ("first", "epoch_us(first)"),
    ("duration", "epoch_us(last) - epoch_us(first)"),
    ("visits", "visits::BIGINT"),
    ("requests", "requests::BIGINT"),
    ("errors", "(errors_4xx + errors_5xx)::BIGINT"),
    (
        "bytes",
        "least(request_bytes::HUGEINT + response_bytes, 9223372036854775807)::BIGINT",
    ),
    (
        "confidence",
        "coalesce((SELECT max(round(held.confidence * 1000000)) FROM current_verdicts AS held
            WHERE held.subject_kind = 'session' AND held.label IS DISTINCT FROM 'wrong'
                AND unhex(held.session) = session_now.session), 0)::BIGINT",
    ),
    ("app", "application"),
    ("key", "key"),
    ("user", "split_part(users, chr(10), 2)"),
    ("role", "split_part(roles, chr(10), 2)"),
    ("ip", "split_part(ips, chr(10), 2)"),
    ("ua", "split_part(user_agents, chr(10), 2)"),
    ("session", "lower(hex(session))"),
];

/// Those of them that are texts.
const TEXTS: &[&str] = &["app", "key", "user", "role", "ip", "ua", "session"];

/// What a session is ordered by.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
enum OrderedBy {
    Number(i64),
    Text(String),
}

impl OrderedBy {
    fn of(value: Value) -> Self {
        match value {
            Value::BigInt(number) => Self::Number(number),
            Value::Text(text) => Self::Text(text),
            // None of the orders is anything else.
            _ => Self::Number(0),
        }
    }
}

impl From<&OrderedBy> for Value {
    fn from(by: &OrderedBy) -> Self {
        match by {
            OrderedBy::Number(number) => Self::BigInt(*number),
            OrderedBy::Text(text) => Self::Text(text.clone()),
        }
    }
}

/// Where a page ended: what its last session is ordered by, that session, and the log position
/// up to which all its pages see.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Cursor(OrderedBy, SessionId, u64);

/// A point in time as DuckDB takes it.
pub(super) fn at(micros: i64) -> Value {
    Value::Timestamp(TimeUnit::Microsecond, micros)
}

struct Asked {
    filter: SessionFilter,
    /// SQL of what the list is ordered by.
    by: &'static str,
    ascending: bool,
    pages: Pages,
    before: Option<Cursor>,
    steps: u64,
    limit: usize,
}

/// Reads the parameter `q`.
pub(super) fn filter(params: &Params, now_us: i64) -> Result<SessionFilter, ApiError> {
    SessionFilter::parse(params.get("q").unwrap_or_default(), now_us).map_err(ApiError::BadFilter)
}

fn steps(params: &Params) -> Result<u64, ApiError> {
    let steps = params.number("steps")?.unwrap_or(0);
    if steps > BEGINNING_STEPS_MAX {
        return Err(ApiError::BadParameter {
            parameter: "steps",
            detail: format!("`steps` is {steps}, and {BEGINNING_STEPS_MAX} is the most"),
            remedy: "give a number from 0 to 20",
        });
    }
    Ok(steps)
}

fn asked(params: &Params, now_us: i64) -> Result<Asked, ApiError> {
    let sort = params.get("sort").unwrap_or("last");
    let Some((_, by)) = ORDERS.iter().find(|(name, _)| *name == sort) else {
        return Err(ApiError::BadParameter {
            parameter: "sort",
            detail: format!("`sort` is `{sort}`"),
            remedy: "order by last, first, duration, visits, requests, errors, bytes, confidence, \
                app, key, user, role, ip, ua or session",
        });
    };
    let pages = Pages::of(params);
    let before: Option<Cursor> = pages.read(params)?;
    if let Some(Cursor(by, ..)) = &before
        && matches!(by, OrderedBy::Text(_)) != TEXTS.contains(&sort)
    {
        // Nobody was given it.
        return Err(ApiError::BadCursor);
    }
    Ok(Asked {
        filter: filter(params, now_us)?,
        by,
        ascending: params.ascending()?,
        pages,
        before,
        steps: steps(params)?,
        limit: params.limit()?,
    })
}

pub(super) fn route(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    warp::path!("v1" / "sessions")
        .and(call(app, Access::Read))
        .then(|call: Call| async move { respond(handle(&call).await) })
        .boxed()
}

/// Sessions, the one active last first unless asked otherwise.
#[utoipa::path(
    get, path = "/v1/sessions", tag = "sessions", params(SessionsQuery),
    security((), ("read_token" = [])),
    description = "The figures are those of the whole session, also of requests that the filter \
        does not match. Pages that follow a cursor see the sessions as they were on the first page.",
    responses(
        (status = 200, description = "A page of sessions", body = SessionPage),
    ),
)]
async fn handle(call: &Call) -> Result<Response, ApiError> {
    let params = call.params(PARAMETERS)?;
    let now_us = call.app.clock.now_us();
    let asked = asked(&params, now_us)?;
    let limit = call.app.shared_key;
    let database = Arc::clone(&call.app.database);
    let page = query::run(call, move |connection| {
        page(connection, &database, &asked, limit, now_us)
    });
    json(&page.await?)
}

fn page(
    connection: &Connection,
    database: &Database,
    asked: &Asked,
    shared_key: SharedKey,
    now_us: i64,
) -> Result<SessionPage, StoreError> {
    let summed = folded(connection)?;
    let (seen_to, mut rows) = match &asked.before {
        Some(Cursor(_, _, seen_to)) if *seen_to < summed => (*seen_to, then(connection, asked)?),
        _ => (summed, now(connection, database, asked, summed)?),
    };
    let more = rows.len() > asked.limit;
    rows.truncate(asked.limit);
    let next = rows
        .last()
        .filter(|_| more)
        .and_then(|(_, ordered_by, session, _)| {
            asked
                .pages
                .write(&Cursor(ordered_by.clone(), Hex::parse(session)?, seen_to))
        });
    Ok(SessionPage {
        items: complete(
            connection,
            database,
            asked,
            rows,
            seen_to,
            (shared_key, now_us),
        )?,
        next,
    })
}

/// The sessions of a page as they were summed last.
fn now(
    connection: &Connection,
    database: &Database,
    asked: &Asked,
    seen_to: u64,
) -> Result<Vec<Ordered>, StoreError> {
    let listing = Listing {
        filter: &asked.filter,
        by: asked.by,
        ascending: asked.ascending,
        after: asked
            .before
            .as_ref()
            .map(|Cursor(by, session, _)| (Value::from(by), *session)),
        limit: asked.limit + 1,
        seen_to,
    };
    let found = listing.find(connection, database)?;
    let sessions: Vec<_> = found.iter().map(|(found, _)| *found).collect();
    let sql = format!("SELECT {COLUMNS} FROM {}", rows_of(&sessions));
    let mut statement = connection.prepare(&sql)?;
    let rows = statement.query_map([], |row| {
        let (session, times): (String, _) = (row.get(0)?, (row.get(3)?, row.get(4)?));
        Ok((session, (Session::read(row)?, times)))
    })?;
    let mut rows: HashMap<_, _> = rows.collect::<Result<_, _>>()?;
    let one = |(found, ordered_by): (Found, Value)| {
        let id = found.session.to_string();
        let (session, times) = rows.remove(&id)?;
        Some((session, OrderedBy::of(ordered_by), id, times))
    };
    Ok(found.into_iter().filter_map(one).collect())
}

/// The sessions of a page as they were on the first one.
fn then(connection: &Connection, asked: &Asked) -> Result<Vec<Ordered>, StoreError> {
    let Some(Cursor(by_value, session, seen_to)) = &asked.before else {
        return Ok(Vec::new());
    };
    let (beyond, direction) = if asked.ascending {
        (">", "ASC")
    } else {
        ("<", "DESC")
    };
    let by = asked.by;
    let after = Clause::new(
        format!("({by} {beyond} ? OR ({by} = ? AND session {beyond} ?))"),
        [
            Value::from(by_value),
            Value::from(by_value),
            Value::Blob(session.0.to_vec()),
        ],
    );
    let chosen = Clause::all([asked.filter.selection(Seen::to(*seen_to)), after]);
    // First which sessions, then their figures: lists are read for one page only.
    let sql = format!(
        "WITH {}, page AS MATERIALIZED (
            SELECT session, {by} AS ordered_by FROM session_now
            WHERE {} ORDER BY ordered_by {direction}, session {direction} LIMIT {}
         )
         SELECT {COLUMNS}, ordered_by FROM session_now JOIN page USING (session)
         ORDER BY ordered_by {direction}, session {direction}",
        sessions_then(connection, *seen_to)?,
        chosen.sql,
        asked.limit + 1
    );
    let mut statement = connection.prepare(&sql)?;
    let read = |row: &Row<'_>| {
        let (ordered_by, session): (_, String) = (OrderedBy::of(row.get(17)?), row.get(0)?);
        let times: (i64, i64) = (row.get(3)?, row.get(4)?);
        Ok((Session::read(row)?, ordered_by, session, times))
    };
    let values = duckdb::params_from_iter(chosen.values);
    let rows = statement.query_map(values, read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A session, what it is ordered by, its id, and the times of its first and last request.
type Ordered = (Session, OrderedBy, String, (i64, i64));

/// Adds to the sessions of a page what is not in their sums.
fn complete(
    connection: &Connection,
    database: &Database,
    asked: &Asked,
    rows: Vec<Ordered>,
    seen_to: u64,
    (shared_key, now_us): (SharedKey, i64),
) -> Result<Vec<Session>, StoreError> {
    let ids: Vec<_> = rows
        .iter()
        .filter_map(|(_, _, id, _)| Hex::parse(id))
        .collect();
    let mut verdicts = verdicts::of_sessions(connection, &ids, now_us)?;
    let mut notes = notes::of_sessions(connection, &ids)?;
    let pinned = pins::among(connection, &ids)?;
    let first_us = rows.iter().map(|(.., times)| times.0).min();
    let last_us = rows.iter().map(|(.., times)| times.1).max();
    let range = (first_us.unwrap_or(0), last_us.unwrap_or(0));
    if asked.steps > 0 {
        database.narrow(connection, &["records"], range.0, range.1)?;
    }
    let mut beginnings = sequence::beginnings(connection, &ids, range, seen_to, asked.steps)?;
    let complete = |(mut session, _, id, _): Ordered| {
        session.verdict = verdicts.remove(&id);
        session.note = notes.remove(&id);
        session.pinned = pinned.contains(&id);
        if asked.steps > 0 {
            session.beginning = Some(beginnings.remove(&id).unwrap_or_default());
        }
        session.judged(shared_key)
    };
    Ok(rows.into_iter().map(complete).collect())
}
