//! `GET /v1/sessions/{id}`: one session with its visits.

use std::sync::Arc;

use duckdb::{Connection, OptionalExt as _, Row};
use http::Method;
use serde::Serialize;
use throughline_session::hex::Hex;
use throughline_session::wire::SessionId;
use utoipa::ToSchema;
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use super::error::ApiError;
use super::identity::{IdentityValue, ParamSummary, SessionLink};
use super::related::{Related, RelatedSession};
use super::request::{Call, call, json, respond};
use super::sessions::{COLUMNS, Listed, Session, texts};
use super::{App, SharedKey, forget, identity, notes, pins, query, verdicts};
use crate::store::{Database, StoreError, rows_among, session_times};
use crate::time;

/// Visits listed with a session: the latest ones.
const VISITS_MAX: u64 = 1000;

/// A stretch of a session without a long pause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct Visit {
    /// Names the visit: start of the request that opened it.
    #[schema(format = DateTime)]
    visit_start: String,
    /// Start of its first request.
    #[schema(format = DateTime)]
    first: String,
    /// Start of its last request.
    #[schema(format = DateTime)]
    last: String,
    /// From the first to the last, milliseconds.
    duration_ms: i64,
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
    /// Versions of the policy that its requests were seen under. More than one: the policy changed
    /// in the middle, and the visit goes on because the change left its key alone; what users and
    /// parameters it shows may have changed.
    policy_versions: Vec<String>,
}

/// A session and its visits.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SessionWithVisits {
    /// The session.
    #[serde(flatten)]
    session: Session,
    /// Its visits in order, the latest 1,000.
    visit_list: Vec<Visit>,
    /// Its context parameters with their last values, by name.
    params: Vec<ParamSummary>,
    /// Its users and roles one by one, the latest 100.
    identities: Vec<IdentityValue>,
    /// Sessions known to belong together with it, the latest 100.
    links: Vec<SessionLink>,
    /// How many links there are.
    link_count: u64,
    /// What links lead to, at most four away, and sessions of the same user; at most 100. Empty
    /// where its key is shared.
    related: Vec<RelatedSession>,
}

/// Reads a session id out of the path.
pub(super) fn id(text: &str) -> Result<SessionId, ApiError> {
    Hex::parse(text).ok_or_else(|| ApiError::BadParameter {
        parameter: "id",
        detail: format!(
            "`{}` is no session id",
            text.chars().take(64).collect::<String>()
        ),
        remedy: "a session id has 32 lower-case hex digits",
    })
}

/// Where an id stands. Questions about all sessions have routes and methods of their own.
struct Place(String);

impl std::str::FromStr for Place {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "facets" | "histogram" => Err(()),
            id => Ok(Self(id.to_owned())),
        }
    }
}

pub(super) fn route(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    warp::path!("v1" / "sessions" / Place)
        .and(call(app, forget::METHODS))
        .then(|Place(id): Place, call: Call| async move {
            respond(match call.method {
                Method::DELETE => forget::session(&id, &call).await,
                _ => handle(&id, &call).await,
            })
        })
        .boxed()
}

/// One session with its visits.
#[utoipa::path(
    get, path = "/v1/sessions/{id}", tag = "sessions", security((), ("read_token" = [])),
    params(("id" = String, Path, description = "Session id, 32 hex digits")),
    responses(
        (status = 200, description = "The session", body = SessionWithVisits),
        (status = 404, description = "No record of it"),
    ),
)]
async fn handle(text: &str, call: &Call) -> Result<Response, ApiError> {
    call.params(&[])?;
    let id = id(text)?;
    let limit = call.app.shared_key;
    let now_us = call.app.clock.now_us();
    let database = Arc::clone(&call.app.database);
    let found = query::run(call, move |connection| {
        find(connection, &database, id, limit, now_us)
    })
    .await?;
    json(&found.ok_or_else(|| ApiError::UnknownSession {
        session: id.to_string(),
    })?)
}

/// The session itself; `None` where nothing is stored of it.
pub(super) fn summary(
    connection: &Connection,
    id: SessionId,
    limit: SharedKey,
    now_us: i64,
) -> Result<Option<Session>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM {}", rows_among(connection, [&id])?);
    let session = connection.query_row(&sql, [], Session::read).optional()?;
    let Some(session) = session else {
        return Ok(None);
    };
    let mut session = session.judged(limit);
    session.verdict = verdicts::of_sessions(connection, &[id], now_us)?.remove(&id.to_string());
    session.note = notes::of_sessions(connection, &[id])?.remove(&id.to_string());
    session.pinned = !pins::among(connection, &[id])?.is_empty();
    Ok(Some(session))
}

fn find(
    connection: &Connection,
    database: &Database,
    id: SessionId,
    limit: SharedKey,
    now_us: i64,
) -> Result<Option<SessionWithVisits>, StoreError> {
    let Some(session) = summary(connection, id, limit, now_us)? else {
        return Ok(None);
    };
    let Some(times) = session_times(connection, id)? else {
        return Ok(None);
    };
    database.narrow(
        connection,
        &["visit_parts", "param_parts"],
        times.0,
        times.1,
    )?;
    let parts = identity::parts(id, times);
    let sql = format!(
        "SELECT epoch_us(visit_start), epoch_us(min(first)), epoch_us(max(last)),
            sum(requests)::UBIGINT, sum(errors_4xx)::UBIGINT, sum(errors_5xx)::UBIGINT,
            least(sum(request_bytes), 18446744073709551615)::UBIGINT,
            least(sum(response_bytes), 18446744073709551615)::UBIGINT,
            list_sort(list_distinct(flatten(list(ips)))),
            list_sort(list_distinct(flatten(list(user_agents)))),
            list_sort(list_distinct(flatten(list(coalesce(policy_versions, []::VARCHAR[])))))
         FROM visit_parts WHERE {} GROUP BY visit_start
         ORDER BY min(first) DESC, visit_start DESC LIMIT {VISITS_MAX}",
        parts.sql
    );
    let mut statement = connection.prepare(&sql)?;
    let rows = statement.query_map([], visit)?;
    let mut visit_list: Vec<Visit> = rows.collect::<Result<_, _>>()?;
    visit_list.reverse();
    let params = identity::param_summaries(connection, &parts)?;
    let identities = identity::identities(connection, &parts)?;
    let (links, link_count) = identity::links(connection, id, limit)?;
    let related = match session.shared_key {
        true => Vec::new(),
        false => Related {
            connection,
            database,
            limit,
        }
        .of(id, &session.application, &parts)?,
    };
    Ok(Some(SessionWithVisits {
        params,
        identities,
        links,
        link_count,
        related,
        session,
        visit_list,
    }))
}

fn visit(row: &Row<'_>) -> duckdb::Result<Visit> {
    let (first_us, last_us): (i64, i64) = (row.get(1)?, row.get(2)?);
    Ok(Visit {
        visit_start: time::text(row.get(0)?),
        first: time::text(first_us),
        last: time::text(last_us),
        duration_ms: last_us.saturating_sub(first_us) / 1000,
        requests: row.get(3)?,
        errors_4xx: row.get(4)?,
        errors_5xx: row.get(5)?,
        request_bytes: row.get(6)?,
        response_bytes: row.get(7)?,
        ips: Listed::of(row.get(8)?),
        user_agents: Listed::of(row.get(9)?),
        policy_versions: texts(row.get(10)?),
    })
}
