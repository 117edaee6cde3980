//! `PUT /v1/verdicts/{id}/label`: what people say of verdicts, and `GET /v1/labels`: all of it.

use std::sync::Arc;

use bytes::Buf;
use duckdb::Connection;
use futures_util::Stream;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method};
use serde::Deserialize;
use utoipa::ToSchema;
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use super::admin::{self, ByQuery};
use super::candidates::no_content;
use super::error::ApiError;
use super::request::{Access, Call, Methods, call, json, respond};
use super::{App, evidence, query};
use crate::store::StoreError;
use crate::verdicts::{Label, Labelling, Ruling};

/// Longest note, bytes.
const NOTE_LEN_MAX: usize = 1024;

/// What somebody says of a verdict.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewLabel {
    /// `wrong`: no bot, and there will be no other verdict on its subject; `confirmed`: a bot.
    label: Label,
    /// Why, at most 1,024 bytes.
    #[serde(default)]
    note: String,
}

pub(super) fn route(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    warp::path!("v1" / "verdicts" / String / "label")
        .and(call(app, Methods::PUT_DELETE))
        .and(warp::body::stream())
        .then(|id: String, call: Call, stream| async move {
            respond(match call.method {
                Method::DELETE => delete(&id, &call).await,
                _ => put(&id, &call, stream).await,
            })
        })
        .boxed()
}

async fn label(id: &str, call: &Call, label: Option<Label>, note: String) -> Result<(), ApiError> {
    let by = admin::by(call, &call.params(admin::PARAMETERS)?);
    evidence::check_id(id)?;
    let (wanted, now_us) = (id.to_owned(), by.now_us);
    let known = query::run(call, move |connection| {
        evidence::current(connection, &wanted, now_us)
    });
    if known.await?.is_none() {
        return Err(ApiError::UnknownVerdict { id: id.to_owned() });
    }
    let ruling = Ruling::Label(Labelling {
        id: id.to_owned(),
        label,
        note,
        author: by.author,
        at_us: now_us,
    });
    call.app.rule(&ruling).await.map_err(ApiError::Refused)
}

/// Say that a verdict is wrong, or right.
#[utoipa::path(
    put, path = "/v1/verdicts/{id}/label", tag = "verdicts", security(("admin_token" = [])),
    params(("id" = String, Path, description = "The verdict's id"), ByQuery),
    description = "It has its place among the records and survives restarts. A verdict that is \
        `wrong` is withdrawn, and there will be no other on its subject until the label is taken \
        back.",
    request_body(content = NewLabel),
    responses(
        (status = 200, description = "The verdict with the label", body = super::verdicts::Verdict),
        (status = 404, description = "No verdict on it"),
        (status = 422, description = "The body is no label"),
    ),
)]
pub(super) async fn put<B: Buf>(
    id: &str,
    call: &Call,
    stream: impl Stream<Item = Result<B, warp::Error>>,
) -> Result<Response, ApiError> {
    let format = admin::format(call)?;
    let body = admin::read(call, stream).await?;
    let new: NewLabel = admin::parse(&body, format)?;
    if new.note.len() > NOTE_LEN_MAX {
        let problem = format!(
            "{} bytes; a note has at most {NOTE_LEN_MAX}",
            new.note.len()
        );
        let place = "note".to_owned();
        return Err(crate::policy::Refused { place, problem }.into());
    }
    label(id, call, Some(new.label), new.note).await?;
    let wanted = id.to_owned();
    let now_us = call.app.clock.now_us();
    let found = query::run(call, move |connection| {
        evidence::current(connection, &wanted, now_us)
    });
    let id = id.to_owned();
    let (verdict, _, _) = found.await?.ok_or(ApiError::UnknownVerdict { id })?;
    json(&verdict)
}

/// Take a label back.
#[utoipa::path(
    delete, path = "/v1/verdicts/{id}/label", tag = "verdicts", security(("admin_token" = [])),
    params(("id" = String, Path, description = "The verdict's id"), ByQuery),
    responses(
        (status = 204, description = "It is taken back; the history keeps it"),
        (status = 404, description = "No verdict on it"),
    ),
)]
pub(super) async fn delete(id: &str, call: &Call) -> Result<Response, ApiError> {
    label(id, call, None, String::new()).await?;
    Ok(no_content())
}

pub(super) fn export_route(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    warp::path!("v1" / "labels")
        .and(call(app, Access::Read))
        .then(|call: Call| async move { respond(export(&call).await) })
        .boxed()
}

/// All labels on sessions, as a file that `throughline evaluate --labels` reads.
#[utoipa::path(
    get, path = "/v1/labels", tag = "verdicts", security((), ("read_token" = [])),
    description = "Tab-separated: session id, `bot` (confirmed) or `human` (wrong), the note.",
    responses(
        (status = 200, description = "One line per session", body = String, content_type = "text/tab-separated-values"),
    ),
)]
pub(super) async fn export(call: &Call) -> Result<Response, ApiError> {
    call.params(&[])?;
    let text = query::run(call, all).await?;
    let mut response = Response::new(text.into());
    let kind = HeaderValue::from_static("text/tab-separated-values; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    Ok(response)
}

fn all(connection: &Connection) -> Result<String, StoreError> {
    let sql = "SELECT id[9:], arg_max(coalesce(label, ''), position) AS last,
            arg_max(note, position)
        FROM labels WHERE starts_with(id, 'session-')
        GROUP BY id HAVING last <> '' ORDER BY id";
    let mut statement = connection.prepare(sql)?;
    let row = |row: &duckdb::Row<'_>| {
        Ok((
            row.get::<_, String>(0)?,
            row.get::<_, String>(1)?,
            row.get::<_, String>(2)?,
        ))
    };
    let mut text = String::new();
    for label in statement.query_map([], row)? {
        let (session, label, note) = label?;
        let truth = if label == Label::Wrong.name() {
            "human"
        } else {
            "bot"
        };
        let note = note.replace(['\t', '\n', '\r'], " ");
        text.extend([&session, "\t", truth, "\t", &note, "\n"]);
    }
    Ok(text)
}
