//! `GET /v1/applications`: which there are, and the OpenAPI documents that describe them.

use std::sync::Arc;

use bytes::Buf;
use duckdb::{Connection, OptionalExt as _, Row, params};
use futures_util::Stream;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method};
use serde::Serialize;
use utoipa::ToSchema;
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use super::admin::{self, ByQuery};
use super::candidates::no_content;
use super::error::ApiError;
use super::request::{Access, Call, Methods, call, decoded, json, respond};
use super::{App, query};
use crate::endpoints::{DOCUMENT_BYTES_MAX, DOCUMENTS_MAX, Operations};
use crate::store::StoreError;
use crate::store::desk::{Deed, Outcome};
use crate::time;

/// Applications listed.
const LISTED_MAX: u64 = 1000;
/// Letters of an application's name.
const NAME_LEN_MAX: usize = 64;

/// An application.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Application {
    /// Its name.
    #[schema(example = "shop")]
    application: String,
    /// Start of its first request, as far as it is remembered; null when there was none.
    #[schema(format = DateTime)]
    first: Option<String>,
    /// Start of its last request.
    #[schema(format = DateTime)]
    last: Option<String>,
    /// How many endpoints it was asked for.
    endpoints: u64,
    /// What describes its API; null where nothing was uploaded.
    document: Option<ApiDocument>,
}

/// An OpenAPI document, in short.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(super) struct ApiDocument {
    /// Its title and version.
    #[schema(example = "Shop 2.3.0")]
    title: String,
    /// How many operations it has.
    operations: u64,
    /// Those of them that were never asked for, as far as it is remembered.
    never_asked: u64,
    /// Endpoints that were asked for and are none of its operations.
    undocumented: u64,
    /// Who uploaded it, as they called themselves.
    author: String,
    /// When.
    #[schema(format = DateTime)]
    time: String,
}

/// All of them.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ApplicationList {
    /// By name; the first 1,000.
    items: Vec<Application>,
}

pub(super) fn list_route(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    warp::path!("v1" / "applications")
        .and(call(app, Access::Read))
        .then(|call: Call| async move { respond(list(&call).await) })
        .boxed()
}

pub(super) fn route(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    warp::path!("v1" / "applications" / String / "openapi")
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

/// Applications that were asked for something, or are described.
#[utoipa::path(
    get, path = "/v1/applications", tag = "endpoints", security((), ("read_token" = [])),
    responses((status = 200, description = "The applications", body = ApplicationList)),
)]
pub(super) async fn list(call: &Call) -> Result<Response, ApiError> {
    call.params(&[])?;
    let items = query::run(call, |connection| all(connection, None)).await?;
    json(&ApplicationList { items })
}

fn unknown(application: &str) -> ApiError {
    ApiError::NothingOf {
        parameter: "application",
        name: application.to_owned(),
    }
}

/// The document that describes an application's API, as it was uploaded.
#[utoipa::path(
    get, path = "/v1/applications/{application}/openapi", tag = "endpoints",
    security((), ("read_token" = [])),
    params(("application" = String, Path, description = "Its name")),
    responses(
        (status = 200, description = "The document", content(
            (String = "application/yaml"), (Object = "application/json"))),
        (status = 404, description = "Nothing was uploaded for it"),
    ),
)]
pub(super) async fn show(application: &str, call: &Call) -> Result<Response, ApiError> {
    call.params(&[])?;
    let name = application.to_owned();
    let text = query::run(call, move |connection| {
        let sql = "SELECT document FROM api_documents WHERE application = ?";
        let read = |row: &Row<'_>| row.get::<_, String>(0);
        Ok(connection.query_row(sql, params![name], read).optional()?)
    });
    let text = text.await?.ok_or_else(|| unknown(application))?;
    let kind = if text.trim_start().starts_with('{') {
        "application/json"
    } else {
        "application/yaml"
    };
    let mut response = Response::new(text.into());
    let kind = HeaderValue::from_static(kind);
    response.headers_mut().insert(CONTENT_TYPE, kind);
    Ok(response)
}

/// Say what an application's API is, in place of what was uploaded before.
#[utoipa::path(
    put, path = "/v1/applications/{application}/openapi", tag = "endpoints",
    security(("admin_token" = [])),
    params(("application" = String, Path, description = "Its name, 1 to 64 letters"), ByQuery),
    description = "OpenAPI 3.x or Swagger 2.0, in JSON or YAML, at most 1 MiB and 2,000 operations. \
        From then on requests to its paths are named as it names them; those that are stored keep \
        the name that was learnt, and are recognised by their shape. References to other documents \
        are not followed.",
    request_body(content((Object = "application/json"), (String = "application/yaml"))),
    responses(
        (status = 200, description = "What was read of it", body = ApiDocument),
        (status = 409, description = "64 applications have a document"),
        (status = 422, description = "The body is no document that can be used: the place and the remedy"),
    ),
)]
pub(super) async fn put<B: Buf>(
    application: &str,
    call: &Call,
    stream: impl Stream<Item = Result<B, warp::Error>>,
) -> Result<Response, ApiError> {
    let by = admin::by(call, &call.params(admin::PARAMETERS)?);
    check_name(application)?;
    admin::format(call)?;
    let most = DOCUMENT_BYTES_MAX;
    let body = admin::read_up_to(call, stream, most, ApiError::BodyTooLong { most }).await?;
    let text = String::from_utf8(body).map_err(|error| ApiError::BadBody(error.to_string()))?;
    let read = tokio::task::spawn_blocking(move || {
        let operations = Operations::read(&text)?;
        Ok::<_, crate::endpoints::Unusable>((text, operations))
    });
    let read = read
        .await
        .map_err(|error| ApiError::Database(error.to_string()))?;
    let (text, operations) = read.map_err(|unusable| ApiError::Unfit {
        place: unusable.place,
        problem: unusable.problem,
        remedy: unusable.remedy,
    })?;
    let deed = Deed::PutDocument {
        application: application.to_owned(),
        text,
        operations,
    };
    let outcome = call.app.errands.perform(deed, admin::doer(by)).await?;
    if outcome == Outcome::Full {
        let (what, most) = ("applications with a document", DOCUMENTS_MAX);
        return Err(ApiError::Full { what, most });
    }
    let name = application.to_owned();
    let now = query::run(call, move |connection| all(connection, Some(&name))).await?;
    let document = now.into_iter().find_map(|it| it.document);
    json(&document.ok_or_else(|| unknown(application))?)
}

/// Forget what describes an application's API; paths are named as they were learnt.
#[utoipa::path(
    delete, path = "/v1/applications/{application}/openapi", tag = "endpoints",
    security(("admin_token" = [])),
    params(("application" = String, Path, description = "Its name"), ByQuery),
    responses(
        (status = 204, description = "It is forgotten"),
        (status = 404, description = "Nothing was uploaded for it"),
    ),
)]
pub(super) async fn delete(application: &str, call: &Call) -> Result<Response, ApiError> {
    let by = admin::by(call, &call.params(admin::PARAMETERS)?);
    let deed = Deed::DropDocument(application.to_owned());
    match call.app.errands.perform(deed, admin::doer(by)).await? {
        Outcome::Nothing => Err(unknown(application)),
        _ => Ok(no_content()),
    }
}

fn check_name(application: &str) -> Result<(), ApiError> {
    let length = application.chars().count();
    if (1..=NAME_LEN_MAX).contains(&length) && !application.chars().any(char::is_control) {
        return Ok(());
    }
    Err(ApiError::BadParameter {
        parameter: "application",
        detail: "no application can have this name".into(),
        remedy: "give the name as the policy has it, 1 to 64 letters",
    })
}

/// All applications, or one.
fn all(connection: &Connection, one: Option<&str>) -> Result<Vec<Application>, StoreError> {
    let sql = format!(
        "SELECT application, epoch_us(min(seen.first)), epoch_us(max(seen.last)),
            count(DISTINCT seen.endpoint)::UBIGINT, any_value(document.title),
            any_value(document.operations),
            (SELECT count(*)::UBIGINT FROM api_operations AS operation
             WHERE operation.application = name.application AND operation.endpoint NOT IN (
                SELECT asked.operation FROM endpoints_seen AS asked
                WHERE asked.application = name.application AND asked.operation IS NOT NULL)),
            count(DISTINCT seen.endpoint) FILTER (seen.operation IS NULL
                AND NOT contains(seen.endpoint, '/{{file}}.'))::UBIGINT,
            any_value(document.author), epoch_us(any_value(document.said_at))
         FROM (SELECT application FROM endpoints_seen
               UNION SELECT application FROM api_documents) AS name
            LEFT JOIN endpoints_seen AS seen USING (application)
            LEFT JOIN api_documents AS document USING (application)
         WHERE ?1 IS NULL OR application = ?1
         GROUP BY application ORDER BY application LIMIT {LISTED_MAX}"
    );
    let mut statement = connection.prepare(&sql)?;
    let rows = statement.query_map(params![one], application)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn application(row: &Row<'_>) -> duckdb::Result<Application> {
    let text = |column| -> duckdb::Result<Option<String>> {
        Ok(row.get::<_, Option<i64>>(column)?.map(time::text))
    };
    let title: Option<String> = row.get(4)?;
    let document = match title {
        Some(title) => Some(ApiDocument {
            title,
            operations: row.get(5)?,
            never_asked: row.get(6)?,
            undocumented: row.get(7)?,
            author: row.get(8)?,
            time: text(9)?.unwrap_or_default(),
        }),
        None => None,
    };
    Ok(Application {
        application: row.get(0)?,
        first: text(1)?,
        last: text(2)?,
        endpoints: row.get(3)?,
        document,
    })
}
