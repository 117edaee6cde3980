//! `GET /v1/users`: who was there, and `GET /v1/users/{user}`: one of them.

use std::sync::Arc;

use duckdb::Connection;
use duckdb::types::Value;
use http::Method;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use super::endpoints::quoted;
use super::error::ApiError;
use super::ranked::{self, Asked};
use super::request::{Access, Call, call, decoded, json, respond};
use super::scope::{Extent, Scope};
use super::sources::{ScopeQuery, VERDICTS_MAX};
use super::top::{self, Figures, Top};
use super::verdicts::Verdict;
use super::{App, forget, query, verdicts};
use crate::filters::Clause;
use crate::store::StoreError;

/// Values listed of one user.
const TOP_MAX: u64 = 20;

/// A value of a user parameter.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub(super) struct User {
    /// The value.
    #[schema(example = "u-17")]
    user: String,
    /// What selects its sessions: to be added to `q`.
    #[schema(example = "user:\"u-17\"")]
    term: String,
    /// What its sessions did, also before it was known whose they are.
    #[serde(flatten)]
    figures: Figures,
}

impl User {
    fn new(user: String, figures: Figures) -> Self {
        Self {
            term: format!("user:{}", quoted(&user)),
            user,
            figures,
        }
    }
}

/// A page of users.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct UserPage {
    /// What was looked at.
    extent: Extent,
    /// The users.
    items: Vec<User>,
    /// How many there are on all pages.
    count: u64,
    /// `cursor` of the next page; null on the last.
    next: Option<String>,
}

/// Which users.
#[derive(Debug, Default, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters in the OpenAPI document")]
struct UsersQuery {
    /// A filter, as `docs/filters.md` describes it: requests of its sessions, within its time.
    #[param(example = "app:shop last:24h")]
    q: Option<String>,
    /// What the list is ordered by: `requests` (when absent), `sessions`, `bots`, `errors`,
    /// `bytes`, `first` or `last`.
    sort: Option<String>,
    /// `desc`, the most first (when absent), or `asc`.
    order: Option<String>,
    /// Users per page, 1 to 500; 50 when absent.
    limit: Option<u64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

pub(super) fn list_route(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    warp::path!("v1" / "users")
        .and(call(app, Access::Read))
        .then(|call: Call| async move { respond(list(&call).await) })
        .boxed()
}

/// Who was there, the most active first unless asked otherwise.
#[utoipa::path(
    get, path = "/v1/users", tag = "users", params(UsersQuery), security((), ("read_token" = [])),
    description = "Users are the values of the policy's user parameters. A session with several \
        counts for each of them.",
    responses((status = 200, description = "A page of users", body = UserPage)),
)]
pub(super) async fn list(call: &Call) -> Result<Response, ApiError> {
    let params = call.params(ranked::PARAMETERS)?;
    let asked = Asked::read(&params, &call.app)?;
    let found = query::run(call, move |connection| {
        let chosen = asked.scope.choose(connection, false)?;
        let rows = format!(
            "SELECT * FROM ({}) JOIN (
                SELECT DISTINCT session, value FROM param_parts
                WHERE kind = 'user' AND position <= ?) USING (session)",
            top::rows(&chosen.records, "")
        );
        let mut values = chosen.records.values.clone();
        values.push(Value::UBigInt(chosen.position()));
        let page = ranked::page(connection, &asked, &chosen, (rows, values), User::new)?;
        Ok(UserPage {
            extent: page.extent,
            items: page.items,
            count: page.count,
            next: page.next,
        })
    });
    json(&found.await?)
}

/// One user.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct UserDetail {
    /// The user and its figures.
    #[serde(flatten)]
    user: User,
    /// What was looked at.
    extent: Extent,
    /// What it asked for.
    endpoints: Top,
    /// From where.
    addresses: Top,
    /// As what.
    user_agents: Top,
    /// Its roles, with the requests that carried them.
    roles: Vec<String>,
    /// Some request carried the user where the client could have put there what it liked.
    forgeable: bool,
    /// Verdicts on it and its sessions, the latest 20.
    verdicts: Vec<Verdict>,
}

pub(super) fn route(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    warp::path!("v1" / "users" / String)
        .and(call(app, forget::METHODS))
        .then(|user: String, call: Call| async move {
            respond(match call.method {
                Method::DELETE => forget::user(&user, &call).await,
                _ => show(&user, &call).await,
            })
        })
        .boxed()
}

/// One user: what it did, from where, and what is held against it.
#[utoipa::path(
    get, path = "/v1/users/{user}", tag = "users", security((), ("read_token" = [])),
    params(("user" = String, Path, description = "Value of a user parameter"), ScopeQuery),
    responses(
        (status = 200, description = "The user", body = UserDetail),
        (status = 404, description = "Nothing is stored of this user"),
    ),
)]
pub(super) async fn show(text: &str, call: &Call) -> Result<Response, ApiError> {
    let params = call.params(&["q"])?;
    let name = decoded(text);
    let scope = Scope::read(&params, &call.app)?;
    let now_us = call.app.clock.now_us();
    let user = name.clone();
    let found = query::run(call, move |connection| {
        detail(connection, user, &scope, now_us)
    });
    let found = found.await?;
    json(&found.ok_or(ApiError::NothingOf {
        parameter: "user",
        name,
    })?)
}

fn detail(
    connection: &Connection,
    user: String,
    scope: &Scope,
    now_us: i64,
) -> Result<Option<UserDetail>, StoreError> {
    let name = || Value::Text(user.clone());
    let of = "session IN (SELECT session FROM param_parts WHERE kind = 'user' AND value = ?)";
    let (which, extent) = scope.of(connection, Clause::new(of, [name()]))?;
    let figures = top::figures(connection, &which)?;
    if figures.requests == 0 {
        return Ok(None);
    }
    let top = |expression| top::of_records(connection, expression, &which, TOP_MAX);
    let roles = format!(
        "SELECT DISTINCT value FROM param_parts WHERE kind = 'role' AND {of}
         ORDER BY value LIMIT {TOP_MAX}"
    );
    let mut roles = connection.prepare(&roles)?;
    let forgeable = "SELECT coalesce(bool_or(forgeable), false) FROM param_parts
        WHERE kind = 'user' AND value = ?";
    let against = Clause::new(
        "subject_kind = 'user' AND subject = ? OR unhex(session) IN (
            SELECT session FROM param_parts WHERE kind = 'user' AND value = ?)",
        [name(), name()],
    );
    Ok(Some(UserDetail {
        extent,
        endpoints: top("endpoint")?,
        addresses: top("client_ip")?,
        user_agents: top("user_agent")?,
        roles: roles
            .query_map([&user], |row| row.get(0))?
            .collect::<Result<_, _>>()?,
        forgeable: connection.query_row(forgeable, [&user], |row| row.get(0))?,
        verdicts: verdicts::against(connection, &against, VERDICTS_MAX, now_us)?,
        user: User::new(user, figures),
    }))
}
