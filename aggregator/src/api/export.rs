//! `GET /v1/export/{list}`: a whole list as CSV, NDJSON or Parquet, as a stream.

use std::sync::Arc;

use bytes::Bytes;
use http::HeaderValue;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use utoipa::IntoParams;
use warp::filters::BoxedFilter;
use warp::reply::Response;
use warp::{Filter, Reply as _};

use super::App;
use super::error::ApiError;
use super::request::{Access, Call, call, respond};
use super::sessions;
use crate::export::{Export, FORMATS, Format, List, Wanted};
use crate::time;

/// What of it, and how.
#[derive(Debug, Default, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters in the OpenAPI document")]
struct ExportQuery {
    /// `csv`, `ndjson` (when absent) or `parquet`.
    #[param(example = "csv")]
    format: Option<String>,
    /// A filter, as `docs/filters.md` describes it. Terms about requests hold for the requests
    /// that are exported.
    #[param(example = "app:shop last:24h")]
    q: Option<String>,
}

pub(super) fn route(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    warp::path!("v1" / "export" / String)
        .and(call(app, Access::Read))
        .then(|list: String, call: Call| async move { respond(handle(&list, &call).await) })
        .boxed()
}

/// A whole list as a file.
#[utoipa::path(
    get, path = "/v1/export/{list}", tag = "sessions", security((), ("read_token" = [])),
    params(
        ("list" = String, Path, description = "`requests`, `sessions`, `visits`, `endpoints`, \
            `sources`, `users` or `verdicts`"),
        ExportQuery,
    ),
    description = "A stream without an order, as it was stored a few seconds ago \
        (`throughline-as-of`). An answer that breaks off is not everything; one that ends as HTTP \
        ends it is, unless `throughline-partial` is `true`: then only the newest requests of \
        DuckDB's own file could be looked at. Two run at a time.",
    responses(
        (status = 200, description = "The list", content(
            (String = "application/x-ndjson"), (String = "text/csv"),
            (String = "application/vnd.apache.parquet"),
        )),
        (status = 503, description = "Two exports run, or this one took too long to begin"),
    ),
)]
pub(super) async fn handle(name: &str, call: &Call) -> Result<Response, ApiError> {
    let params = call.params(&["format", "q"])?;
    let Some(list) = List::named(name) else {
        return Err(ApiError::BadParameter {
            parameter: "list",
            detail: format!("there is no list `{}`", short(name)),
            remedy: "export requests, sessions, visits, endpoints, sources, users or verdicts",
        });
    };
    let format = format(params.get("format"))?;
    let now_us = call.app.clock.now_us();
    let filter = sessions::filter(&params, now_us)?;
    let wanted = Wanted::new(list, &filter)
        .ok_or_else(|| ApiError::Database("a filter has a value that COPY does not take".into()))?;
    let (app, scope) = (&call.app, &call.grant.scope);
    let cut = app.metrics.exports_cut.clone();
    let begun = app
        .exports
        .begin(&app.sql, wanted, format, scope, now_us, move || {
            cut.inc();
        });
    let export = begun.await.map_err(ApiError::Sql)?;
    app.metrics.exports.inc();
    Ok(answer(list, format, export))
}

fn short(text: &str) -> String {
    text.chars().take(64).collect()
}

fn format(text: Option<&str>) -> Result<Format, ApiError> {
    let Some(text) = text else {
        return Ok(Format::Ndjson);
    };
    let found = FORMATS.iter().find(|format| format.name() == text);
    found.copied().ok_or_else(|| ApiError::BadParameter {
        parameter: "format",
        detail: format!("`format` is `{}`", short(text)),
        remedy: "give csv, ndjson or parquet",
    })
}

fn answer(list: &List, format: Format, export: Export) -> Response {
    let bytes = futures_util::stream::unfold(export.bytes, |mut bytes| async {
        let next: std::io::Result<Bytes> = bytes.recv().await?;
        Some((next, bytes))
    });
    let mut response = warp::reply::stream(bytes).into_response();
    let file = format!("attachment; filename=\"{}.{}\"", list.name, format.name());
    let mut set = |name, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(name, value);
        }
    };
    set(CONTENT_TYPE, format.media_type());
    set(CONTENT_DISPOSITION, &file);
    set(AS_OF, &time::text(export.as_of_us));
    set(PARTIAL, if export.partial { "true" } else { "false" });
    response
}

/// The time that an export shows.
const AS_OF: http::HeaderName = http::HeaderName::from_static("throughline-as-of");
/// Whether it had only the newest requests to look at.
const PARTIAL: http::HeaderName = http::HeaderName::from_static("throughline-partial");
