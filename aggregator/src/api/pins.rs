//! `PUT /v1/sessions/{id}/pin`: keeps a session beyond its time, and `GET /v1/pins`: which are kept.

use std::collections::HashSet;
use std::sync::Arc;

use duckdb::{Connection, params};
use http::Method;
use serde::Serialize;
use throughline_session::wire::SessionId;
use utoipa::ToSchema;
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use super::admin::{self, ByQuery};
use super::candidates::no_content;
use super::error::ApiError;
use super::request::{Access, Call, Methods, call, json, respond};
use super::{App, query, session};
use crate::filters::Clause;
use crate::store::StoreError;
use crate::store::desk::Deed;
use crate::time;

/// Pins listed.
const LISTED_MAX: u64 = 10_000;

pub(super) fn route(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    warp::path!("v1" / "sessions" / String / "pin")
        .and(call(app, Methods::PUT_DELETE))
        .then(|id: String, call: Call| async move {
            respond(match call.method {
                Method::DELETE => delete(&id, &call).await,
                _ => put(&id, &call).await,
            })
        })
        .boxed()
}

/// Keep a session beyond its time.
#[utoipa::path(
    put, path = "/v1/sessions/{id}/pin", tag = "sessions", security(("admin_token" = [])),
    params(("id" = String, Path, description = "Session id, 32 hex digits"), ByQuery),
    responses(
        (status = 204, description = "It is kept until it is unpinned"),
        (status = 404, description = "No record of it"),
    ),
)]
pub(super) async fn put(text: &str, call: &Call) -> Result<Response, ApiError> {
    let by = admin::by(call, &call.params(admin::PARAMETERS)?);
    let id = session::id(text)?;
    if !query::run(call, move |connection| is_known(connection, id)).await? {
        let session = id.to_string();
        return Err(ApiError::UnknownSession { session });
    }
    let doer = admin::doer(by);
    call.app.errands.perform(Deed::Pin(id), doer).await?;
    Ok(no_content())
}

/// Let a session go when its time has come.
#[utoipa::path(
    delete, path = "/v1/sessions/{id}/pin", tag = "sessions", security(("admin_token" = [])),
    params(("id" = String, Path, description = "Session id, 32 hex digits"), ByQuery),
    responses((status = 204, description = "It is not pinned")),
)]
pub(super) async fn delete(text: &str, call: &Call) -> Result<Response, ApiError> {
    let by = admin::by(call, &call.params(admin::PARAMETERS)?);
    let id = session::id(text)?;
    let doer = admin::doer(by);
    call.app.errands.perform(Deed::Unpin(id), doer).await?;
    Ok(no_content())
}

pub(super) fn is_known(connection: &Connection, id: SessionId) -> Result<bool, StoreError> {
    let sql = "SELECT count(*) > 0 FROM session_rows WHERE session = ?";
    Ok(connection.query_row(sql, params![id.0.to_vec()], |row| row.get(0))?)
}

/// Those of `sessions` that are kept beyond their time, as hex digits.
pub(super) fn among(
    connection: &Connection,
    sessions: &[SessionId],
) -> Result<HashSet<String>, StoreError> {
    if sessions.is_empty() {
        return Ok(HashSet::new());
    }
    let which = Clause::joined_to("session", sessions).sql;
    let sql = format!("SELECT lower(hex(session)) FROM pins WHERE {which}");
    let mut statement = connection.prepare(&sql)?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A session that is kept beyond its time.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Pin {
    /// Session id, 32 hex digits.
    session: String,
    /// Who pinned it, as they called themselves.
    author: String,
    /// When.
    #[schema(format = DateTime)]
    time: String,
}

/// All of them.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PinList {
    /// The pins, the newest first; the first 10,000.
    items: Vec<Pin>,
}

pub(super) fn list_route(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    warp::path!("v1" / "pins")
        .and(call(app, Access::Read))
        .then(|call: Call| async move { respond(list(&call).await) })
        .boxed()
}

/// Sessions that are kept beyond their time.
#[utoipa::path(
    get, path = "/v1/pins", tag = "sessions", security((), ("read_token" = [])),
    responses((status = 200, description = "The pins", body = PinList)),
)]
pub(super) async fn list(call: &Call) -> Result<Response, ApiError> {
    call.params(&[])?;
    json(&query::run(call, pins).await?)
}

fn pins(connection: &Connection) -> Result<PinList, StoreError> {
    let sql = format!(
        "SELECT lower(hex(session)), author, epoch_us(pinned_at) FROM pins
         ORDER BY pinned_at DESC, session LIMIT {LISTED_MAX}"
    );
    let mut statement = connection.prepare(&sql)?;
    let pin = |row: &duckdb::Row<'_>| {
        Ok(Pin {
            session: row.get(0)?,
            author: row.get(1)?,
            time: time::text(row.get(2)?),
        })
    };
    let items = statement.query_map([], pin)?.collect::<Result<_, _>>()?;
    Ok(PinList { items })
}
