//! `GET /v1/quarantine`: record lines that could not be understood, the newest first.

use std::sync::Arc;

use duckdb::Connection;
use duckdb::types::Value;
use serde::{Deserialize, Serialize};
use throughline_session::hex::Hex;
use throughline_session::wire::RecordId;
use utoipa::{IntoParams, ToSchema};
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use super::cursor::Pages;
use super::error::ApiError;
use super::request::{Access, Call, call, json, respond};
use super::{App, query};
use crate::store::StoreError;
use crate::time;

/// A record line that could not be understood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct BadLine {
    /// The record id that it would have had.
    record_id: String,
    /// When its batch arrived.
    #[schema(format = DateTime)]
    arrived: String,
    /// What is wrong with it.
    reason: String,
    /// The line, cut after 4 KiB; bytes that are not UTF-8 are shown as U+FFFD.
    line: String,
    /// Its length, bytes.
    line_bytes: u64,
}

/// A page of lines.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BadLinePage {
    /// The lines.
    items: Vec<BadLine>,
    /// `cursor` of the next page; null on the last.
    next: Option<String>,
}

/// How many lines.
#[derive(Debug, Default, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters in the OpenAPI document")]
struct QuarantineQuery {
    /// Lines per page, 1 to 500; 50 when absent.
    limit: Option<u64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// Where a page ended: position of the batch and index of the line.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Cursor(u64, u32);

pub(super) fn route(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    warp::path!("v1" / "quarantine")
        .and(call(app, Access::ReadAll))
        .then(|call: Call| async move { respond(handle(&call).await) })
        .boxed()
}

/// Record lines that could not be understood, the newest first.
#[utoipa::path(
    get, path = "/v1/quarantine", tag = "service", params(QuarantineQuery),
    security((), ("read_token" = [])),
    responses(
        (status = 200, description = "A page of lines", body = BadLinePage),
    ),
)]
async fn handle(call: &Call) -> Result<Response, ApiError> {
    let params = call.params(&["limit", "cursor"])?;
    let pages = Pages::of(&params);
    let (before, limit) = (pages.read(&params)?, params.limit()?);
    let page = query::run(call, move |connection| {
        page(connection, pages, before, limit)
    });
    json(&page.await?)
}

fn page(
    connection: &Connection,
    pages: Pages,
    before: Option<Cursor>,
    limit: usize,
) -> Result<BadLinePage, StoreError> {
    let Cursor(position, idx) = before.unwrap_or(Cursor(u64::MAX, u32::MAX));
    let sql = "SELECT boot, worker, sequence, idx, epoch_us(arrived), reason, line, line_bytes,
            position
         FROM quarantine WHERE position < ? OR (position = ? AND idx < ?)
         ORDER BY position DESC, idx DESC LIMIT ?";
    let values = [
        Value::UBigInt(position),
        Value::UBigInt(position),
        Value::UInt(idx),
        Value::UBigInt(limit as u64 + 1),
    ];
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map(duckdb::params_from_iter(values), |row| {
        let boot = Hex(row.get::<_, u64>(0)?.to_be_bytes());
        let (worker, sequence, index) = (row.get(1)?, row.get(2)?, row.get(3)?);
        let line = BadLine {
            record_id: RecordId {
                boot,
                worker,
                sequence,
                index,
            }
            .to_string(),
            arrived: time::text(row.get(4)?),
            reason: row.get(5)?,
            line: row.get(6)?,
            line_bytes: row.get(7)?,
        };
        Ok((line, Cursor(row.get(8)?, index)))
    })?;
    let mut rows: Vec<_> = rows.collect::<Result<_, _>>()?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows
        .last()
        .filter(|_| more)
        .and_then(|(_, cursor)| pages.write(cursor));
    Ok(BadLinePage {
        items: rows.into_iter().map(|(line, _)| line).collect(),
        next,
    })
}
