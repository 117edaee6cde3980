//! `GET /v1/views`: pages of the web UI with their filter, under names that all people share.

use std::sync::Arc;

use bytes::Buf;
use duckdb::{Connection, OptionalExt as _, Row, params};
use futures_util::Stream;
use http::Method;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use super::admin::{self, ByQuery};
use super::candidates::no_content;
use super::error::ApiError;
use super::request::{Access, Call, Methods, call, decoded, json, respond};
use super::{App, query};
use crate::store::StoreError;
use crate::store::desk::{Deed, Outcome, VIEWS_MAX};
use crate::time;

/// Letters of a name.
const NAME_LEN_MAX: usize = 60;
/// Bytes of a path, and of a query string.
const PAGE_LEN_MAX: usize = 200;
const QUERY_LEN_MAX: usize = 4096;

/// A page with its filter.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewView {
    /// Path of a page of the web UI, at most 200 bytes.
    #[schema(example = "/sessions")]
    page: String,
    /// Its query string, at most 4,096 bytes.
    #[serde(default)]
    #[schema(example = "q=status:5xx&last=24h")]
    query: String,
}

/// A page with its filter, under a name.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(super) struct SavedView {
    /// The name.
    #[schema(example = "failing checkouts")]
    name: String,
    /// Path of a page of the web UI.
    #[schema(example = "/sessions")]
    page: String,
    /// Its query string.
    #[schema(example = "q=status:5xx&last=24h")]
    query: String,
    /// Who saved it, as they called themselves.
    author: String,
    /// When.
    #[schema(format = DateTime)]
    time: String,
}

/// All of them.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ViewList {
    /// By name; at most 500.
    items: Vec<SavedView>,
}

pub(super) fn list_route(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    warp::path!("v1" / "views")
        .and(call(app, Access::Read))
        .then(|call: Call| async move { respond(list(&call).await) })
        .boxed()
}

pub(super) fn route(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    warp::path!("v1" / "views" / String)
        .and(call(app, Methods::GET_PUT_DELETE))
        .and(warp::body::stream())
        .then(|name: String, call: Call, stream| async move {
            let name = decoded(&name);
            respond(match call.method {
                Method::PUT => put(&name, &call, stream).await,
                Method::DELETE => delete(&name, &call).await,
                _ => show(&name, &call).await,
            })
        })
        .boxed()
}

/// Saved views, by name.
#[utoipa::path(
    get, path = "/v1/views", tag = "views", security((), ("read_token" = [])),
    description = "A token that is limited to applications sees none: their filters may name what \
        it may not see.",
    responses((status = 200, description = "The views", body = ViewList)),
)]
pub(super) async fn list(call: &Call) -> Result<Response, ApiError> {
    call.params(&[])?;
    json(&query::run(call, all).await?)
}

/// One saved view.
#[utoipa::path(
    get, path = "/v1/views/{name}", tag = "views", security((), ("read_token" = [])),
    params(("name" = String, Path, description = "Its name")),
    responses(
        (status = 200, description = "The view", body = SavedView),
        (status = 404, description = "No view has this name"),
    ),
)]
pub(super) async fn show(name: &str, call: &Call) -> Result<Response, ApiError> {
    call.params(&[])?;
    json(&found(name, call).await?)
}

async fn found(name: &str, call: &Call) -> Result<SavedView, ApiError> {
    let wanted = name.to_owned();
    let view = query::run(call, move |connection| {
        let sql = format!("SELECT {COLUMNS} FROM saved_views WHERE name = ?");
        Ok(connection
            .query_row(&sql, params![wanted], read)
            .optional()?)
    });
    view.await?.ok_or_else(|| unknown(name))
}

fn unknown(name: &str) -> ApiError {
    ApiError::NothingOf {
        parameter: "name",
        name: name.to_owned(),
    }
}

/// Keep a page with its filter under a name, in place of what had the name before.
#[utoipa::path(
    put, path = "/v1/views/{name}", tag = "views", security(("admin_token" = [])),
    params(("name" = String, Path, description = "1 to 60 letters"), ByQuery),
    request_body(content = NewView),
    responses(
        (status = 200, description = "The view", body = SavedView),
        (status = 409, description = "There are 500 views"),
        (status = 422, description = "The body is no page"),
    ),
)]
pub(super) async fn put<B: Buf>(
    name: &str,
    call: &Call,
    stream: impl Stream<Item = Result<B, warp::Error>>,
) -> Result<Response, ApiError> {
    let by = admin::by(call, &call.params(admin::PARAMETERS)?);
    check_name(name)?;
    let new: NewView = admin::read_small(call, stream).await?;
    let NewView { page, query } = new.checked()?;
    let deed = Deed::SaveView {
        name: name.to_owned(),
        page,
        query,
    };
    let outcome = call.app.errands.perform(deed, admin::doer(by)).await?;
    if outcome == Outcome::Full {
        let (what, most) = ("saved views", VIEWS_MAX);
        return Err(ApiError::Full { what, most });
    }
    json(&found(name, call).await?)
}

/// Forget a saved view.
#[utoipa::path(
    delete, path = "/v1/views/{name}", tag = "views", security(("admin_token" = [])),
    params(("name" = String, Path, description = "Its name"), ByQuery),
    responses(
        (status = 204, description = "It is forgotten"),
        (status = 404, description = "No view has this name"),
    ),
)]
pub(super) async fn delete(name: &str, call: &Call) -> Result<Response, ApiError> {
    let by = admin::by(call, &call.params(admin::PARAMETERS)?);
    let deed = Deed::DropView(name.to_owned());
    match call.app.errands.perform(deed, admin::doer(by)).await? {
        Outcome::Nothing => Err(unknown(name)),
        _ => Ok(no_content()),
    }
}

fn check_name(name: &str) -> Result<(), ApiError> {
    let length = name.chars().count();
    let fits = (1..=NAME_LEN_MAX).contains(&length);
    if fits && name.trim() == name && !name.chars().any(char::is_control) {
        return Ok(());
    }
    Err(ApiError::BadParameter {
        parameter: "name",
        detail: "no view can have this name".into(),
        remedy: "give 1 to 60 letters without a space at either end",
    })
}

impl NewView {
    /// It leads to a page of the service, and nowhere else.
    fn checked(self) -> Result<Self, ApiError> {
        let refuse = |place: &str, problem: String, remedy| {
            let place = place.to_owned();
            Err(ApiError::Unfit {
                place,
                problem,
                remedy,
            })
        };
        let (page, query) = (self.page.as_str(), self.query.as_str());
        let plain = |it: u8| it.is_ascii_alphanumeric() || b"/-_.~%:".contains(&it);
        let is_page = page.starts_with('/') && !page.starts_with("//");
        if !is_page || page.len() > PAGE_LEN_MAX || !page.bytes().all(plain) {
            let problem = "this is no path of a page".into();
            let remedy = "give a path of the web UI, such as /sessions";
            return refuse("page", problem, remedy);
        }
        if query.len() > QUERY_LEN_MAX {
            let problem = format!("a query of {} bytes", query.len());
            return refuse("query", problem, "a query has at most 4,096 bytes");
        }
        if query.starts_with('?') || query.contains('#') || query.chars().any(char::is_control) {
            let problem = "this is no query string".into();
            let remedy = "give what stands behind the question mark of the page's address";
            return refuse("query", problem, remedy);
        }
        Ok(self)
    }
}

const COLUMNS: &str = "name, page, query, author, epoch_us(said_at)";

fn read(row: &Row<'_>) -> duckdb::Result<SavedView> {
    Ok(SavedView {
        name: row.get(0)?,
        page: row.get(1)?,
        query: row.get(2)?,
        author: row.get(3)?,
        time: time::text(row.get(4)?),
    })
}

fn all(connection: &Connection) -> Result<ViewList, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM saved_views ORDER BY lower(name), name");
    let mut statement = connection.prepare(&sql)?;
    let rows = statement.query_map([], read)?;
    let items = rows.collect::<Result<_, _>>()?;
    Ok(ViewList { items })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_leads_to_a_page_of_the_service_only() {
        for (page, query, place) in [
            ("/sessions", "q=a", ""),
            ("/endpoints/flow", "", ""),
            ("//evil.example", "", "page"),
            ("https://evil.example", "", "page"),
            ("javascript:alert(1)", "", "page"),
            ("/\\evil.example", "", "page"),
            ("", "", "page"),
            ("/sessions", "?q=a", "query"),
            ("/sessions", "q=a#b", "query"),
            ("/sessions", &"x".repeat(4097), "query"),
        ] {
            let view = NewView {
                page: page.into(),
                query: query.into(),
            };
            let refused = view.checked().err();
            let found = refused.and_then(|error| error.problem().place);
            assert_eq!(found.unwrap_or_default(), place, "{page} {query}");
        }
    }

    #[test]
    fn names_can_be_read() {
        for (name, fits) in [
            ("failing checkouts", true),
            ("größer", true),
            ("", false),
            (" a", false),
            ("a\nb", false),
        ] {
            assert_eq!(check_name(name).is_ok(), fits, "{name}");
        }
    }
}
