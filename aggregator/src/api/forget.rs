//! `DELETE /v1/sessions/{id}` and `DELETE /v1/users/{user}`: take what is stored of somebody out of
//! all answers and off the disk, and `GET /v1/forgettings`: who asked for that, and how far it is.

use std::sync::Arc;

use duckdb::{Connection, params};
use http::StatusCode;
use serde::Serialize;
use throughline_session::wire::SessionId;
use utoipa::{IntoParams, ToSchema};
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use super::error::ApiError;
use super::request::{Access, Call, Methods, call, decoded, json, respond};
use super::{App, admin, query, session};
use crate::store::{StoreError, Whose};
use crate::time;

/// Methods of a path that shows somebody and forgets them.
pub(super) const METHODS: Methods = Methods {
    each: &[("GET", Access::Read), ("DELETE", Access::Admin)],
    allow: "GET, HEAD, DELETE",
};

/// Who asks for it.
#[derive(Debug, Default, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters in the OpenAPI document")]
struct AuthorQuery {
    /// Who you are, for the audit log; `admin` when absent.
    author: Option<String>,
}

/// What is being forgotten.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ForgettingBegun {
    /// Sessions that are in no answer any more. `GET /v1/forgettings` says when they are gone from
    /// the disk too.
    sessions: u64,
}

/// Forget a session.
#[utoipa::path(
    delete, path = "/v1/sessions/{id}", tag = "sessions", security(("admin_token" = [])),
    params(("id" = String, Path, description = "Session id, 32 hex digits"), AuthorQuery),
    description = "Its requests, sums, links, verdicts and labels are in no answer any more when \
        this answers, and soon gone from the disk, as \
        `/v1/forgettings` says. What arrives later is \
        stored again.",
    responses(
        (status = 202, description = "It is being forgotten", body = ForgettingBegun),
        (status = 404, description = "No record of it"),
    ),
)]
pub(super) async fn session(text: &str, call: &Call) -> Result<Response, ApiError> {
    let author = author(call)?;
    let id = session::id(text)?;
    if !query::run(call, move |connection| is_session(connection, id)).await? {
        let session = id.to_string();
        return Err(ApiError::UnknownSession { session });
    }
    begin(call, Whose::Session(id), &author).await
}

/// Forget a user.
#[utoipa::path(
    delete, path = "/v1/users/{user}", tag = "users", security(("admin_token" = [])),
    params(("user" = String, Path, description = "Value of a user parameter"), AuthorQuery),
    description = "All sessions with this value of a user parameter are in no answer any more when \
        this answers, and soon gone from the disk, as \
        `/v1/forgettings` says. What arrives later is \
        stored again.",
    responses(
        (status = 202, description = "It is being forgotten", body = ForgettingBegun),
        (status = 404, description = "Nothing is stored of this user"),
    ),
)]
pub(super) async fn user(text: &str, call: &Call) -> Result<Response, ApiError> {
    let author = author(call)?;
    let name = decoded(text);
    let user = name.clone();
    if !query::run(call, move |connection| is_user(connection, &user)).await? {
        let parameter = "user";
        return Err(ApiError::NothingOf { parameter, name });
    }
    begin(call, Whose::User(name), &author).await
}

fn author(call: &Call) -> Result<String, ApiError> {
    Ok(admin::by(call, &call.params(&["author"])?).author)
}

async fn begin(call: &Call, whose: Whose, author: &str) -> Result<Response, ApiError> {
    let sessions = call.app.errands.forget(whose, author).await?;
    let mut response = json(&ForgettingBegun { sessions })?;
    *response.status_mut() = StatusCode::ACCEPTED;
    Ok(response)
}

fn is_session(connection: &Connection, id: SessionId) -> Result<bool, StoreError> {
    let sql = "SELECT count(*) > 0 FROM session_rows WHERE session = ?";
    Ok(connection.query_row(sql, params![id.0.to_vec()], |row| row.get(0))?)
}

fn is_user(connection: &Connection, user: &str) -> Result<bool, StoreError> {
    let sql = "SELECT EXISTS (FROM param_parts WHERE kind = 'user' AND value = ?1)
        OR EXISTS (FROM verdicts WHERE subject_kind = 'user' AND subject = ?1)";
    Ok(connection.query_row(sql, params![user], |row| row.get(0))?)
}

/// Somebody that was to be forgotten.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Forgetting {
    /// When it was asked for.
    #[schema(format = DateTime)]
    time: String,
    /// Who asked, as they called themselves.
    author: String,
    /// `session` or `user`.
    what: String,
    /// SHA-256 of the session id or the user's name, in hex: the name itself is forgotten.
    hash: String,
    /// How many sessions that were.
    sessions: u64,
    /// Since when database, segments and log have nothing of it any more; null while they may have.
    #[schema(format = DateTime)]
    gone: Option<String>,
    #[serde(skip)]
    asked_us: i64,
}

impl Forgetting {
    /// When it was asked for, microseconds since the Unix epoch.
    pub(super) fn asked_us(&self) -> i64 {
        self.asked_us
    }

    /// When, who, what, and about whom, for the audit log.
    pub(super) fn told(&self) -> (String, String, &'static str, String) {
        let action = match self.what.as_str() {
            "user" => "user_forgotten",
            _ => "session_forgotten",
        };
        let gone = match &self.gone {
            Some(gone) => format!("gone from the disk since {gone}"),
            None => "still on the disk".to_owned(),
        };
        let subject = format!("SHA-256 {}: {} sessions, {gone}", self.hash, self.sessions);
        (self.time.clone(), self.author.clone(), action, subject)
    }
}

/// What was to be forgotten, the newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ForgettingPage {
    /// What was to be forgotten.
    items: Vec<Forgetting>,
}

pub(super) fn route(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    warp::path!("v1" / "forgettings")
        .and(call(app, Access::ReadAll))
        .then(|call: Call| async move { respond(list(&call).await) })
        .boxed()
}

/// Who had sessions or users forgotten, and since when they are gone from the disk.
#[utoipa::path(
    get, path = "/v1/forgettings", tag = "service", security((), ("read_token" = [])),
    params(("limit" = Option<u64>, Query, description = "Entries listed, 1 to 500; 50 when absent")),
    responses((status = 200, description = "What was to be forgotten", body = ForgettingPage)),
)]
pub(super) async fn list(call: &Call) -> Result<Response, ApiError> {
    let limit = call.params(&["limit"])?.limit()?;
    let items = query::run(call, move |connection| latest(connection, limit)).await?;
    json(&ForgettingPage { items })
}

/// The latest `limit` of them.
pub(super) fn latest(connection: &Connection, limit: usize) -> Result<Vec<Forgetting>, StoreError> {
    let sql = "SELECT epoch_us(asked_at), author, what, hash, sessions, epoch_us(gone_at)
        FROM forgettings ORDER BY asked_at DESC, hash LIMIT ?";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map(params![limit as u64], |row| {
        let asked_us = row.get(0)?;
        Ok(Forgetting {
            time: time::text(asked_us),
            author: row.get(1)?,
            what: row.get(2)?,
            hash: row.get(3)?,
            sessions: row.get(4)?,
            gone: row.get::<_, Option<i64>>(5)?.map(time::text),
            asked_us,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
