//! `GET /v1/verdicts/{id}`: one verdict with its history and the requests that show it.

use std::collections::HashMap;
use std::sync::Arc;

use duckdb::types::Value;
use duckdb::{Connection, OptionalExt as _, Row, params};
use serde::Serialize;
use throughline_session::hex::Hex;
use utoipa::ToSchema;
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use super::error::ApiError;
use super::request::{Access, Call, call, json, respond};
use super::verdicts::{COLUMNS, LabelShown, Verdict, read};
use super::{App, query};
use crate::store::StoreError;
use crate::time;
use crate::verdicts::{EvidenceVote, Place, reason};

/// Changes listed with a verdict: the latest ones.
const HISTORY_MAX: u64 = 100;

/// A request that shows something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct Shown {
    /// Names the record for good: boot, worker, batch and line.
    record_id: String,
    /// The session it belongs to, 32 hex digits.
    session: String,
    /// When its headers were in.
    #[schema(format = DateTime)]
    start: String,
    /// Request method.
    method: Option<String>,
    /// Path without the query.
    path: Option<String>,
    /// Response status.
    status: Option<u16>,
    /// Client address.
    client_ip: Option<String>,
}

/// One detector's evidence. Named apart in the OpenAPI document, where the key finder's has the short name.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = VerdictEvidence)]
pub(super) struct Evidence {
    /// Which detector.
    detector: String,
    /// What kind of bot it speaks of.
    bot_type: String,
    /// It in one sentence.
    reason: String,
    /// What was measured, in `unit`.
    value: f64,
    /// What the value counts.
    unit: String,
    /// Over which stretch.
    window: String,
    /// The limit it is past.
    limit: f64,
    /// Where the limit comes from: `cold_start`, `learnt` or `profile`; `model` where a learnt model speaks.
    limit_from: String,
    /// How strongly it speaks, 0 to 1.
    strength: f64,
    /// The endpoint's template, where it happened at one.
    endpoint: Option<String>,
    /// Stored requests that show it, the oldest first, at most ten.
    records: Vec<Shown>,
}

/// What was said of the subject at one time.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(super) struct Change {
    /// Time of the request that led to it.
    #[schema(format = DateTime)]
    time: String,
    /// What kind of bot.
    bot_type: String,
    /// How sure, 0 to 1.
    confidence: f64,
    /// The least sensitivity that flags it.
    sensitivity: String,
    /// Whether the application's sensitivity flagged it.
    flagged: bool,
    /// Requests of the visit until then.
    requests: u64,
    /// The evidence in sentences, the strongest first.
    reasons: Vec<String>,
}

/// A verdict with everything that led to it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct VerdictWithEvidence {
    /// The verdict.
    #[serde(flatten)]
    verdict: Verdict,
    /// What each detector found, the strongest first.
    evidence: Vec<Evidence>,
    /// What was said over time, the latest first, at most 100.
    history: Vec<Change>,
    /// What people said over time, the latest first, at most 100.
    labels: Vec<LabelShown>,
}

/// Whether this may be a verdict's id.
pub(super) fn check_id(id: &str) -> Result<(), ApiError> {
    let known = ["session-", "user-", "source-"];
    let rest = known.iter().find_map(|kind| id.strip_prefix(kind));
    if rest.and_then(Hex::<16>::parse).is_some() {
        return Ok(());
    }
    Err(ApiError::BadParameter {
        parameter: "id",
        detail: format!(
            "`{}` is no verdict's id",
            id.chars().take(64).collect::<String>()
        ),
        remedy: "take it from /v1/verdicts; on a session it is `session-` and the session id",
    })
}

pub(super) fn route(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    warp::path!("v1" / "verdicts" / String)
        .and(call(app, Access::Read))
        .then(|id: String, call: Call| async move { respond(handle(&id, &call).await) })
        .boxed()
}

/// One verdict with its evidence and history.
#[utoipa::path(
    get, path = "/v1/verdicts/{id}", tag = "verdicts", security((), ("read_token" = [])),
    params(("id" = String, Path, description = "The verdict's id")),
    responses(
        (status = 200, description = "The verdict", body = VerdictWithEvidence),
        (status = 404, description = "No verdict on it"),
    ),
)]
pub(super) async fn handle(text: &str, call: &Call) -> Result<Response, ApiError> {
    call.params(&[])?;
    check_id(text)?;
    let (now_us, id) = (call.app.clock.now_us(), text.to_owned());
    let found = query::run(call, move |connection| find(connection, &id, now_us));
    let id = text.to_owned();
    json(&found.await?.ok_or(ApiError::UnknownVerdict { id })?)
}

/// A verdict as it stands.
pub(super) fn current(
    connection: &Connection,
    id: &str,
    now_us: i64,
) -> Result<Option<super::verdicts::Found>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM current_verdicts WHERE id = ?");
    let found = connection.query_row(&sql, [id], |row| read(row, now_us));
    Ok(found.optional()?)
}

fn find(
    connection: &Connection,
    id: &str,
    now_us: i64,
) -> Result<Option<VerdictWithEvidence>, StoreError> {
    let Some((verdict, votes, _)) = current(connection, id, now_us)? else {
        return Ok(None);
    };
    let shown = shown(connection, votes.iter().flat_map(|vote| &vote.records))?;
    let evidence = votes.into_iter().map(|vote| Evidence {
        reason: reason(&vote),
        records: vote
            .records
            .iter()
            .filter_map(|it| shown.get(it).cloned())
            .collect(),
        detector: vote.detector,
        bot_type: vote.bot_type,
        value: vote.value,
        unit: vote.unit,
        window: vote.window,
        limit: vote.limit,
        limit_from: vote.limit_from,
        strength: vote.strength,
        endpoint: vote.endpoint,
    });
    let evidence = evidence.collect();
    Ok(Some(VerdictWithEvidence {
        verdict,
        evidence,
        history: history(connection, id)?,
        labels: labels(connection, id)?,
    }))
}

/// The stored requests at these places.
fn shown<'a>(
    connection: &Connection,
    places: impl Iterator<Item = &'a Place>,
) -> Result<HashMap<Place, Shown>, StoreError> {
    let mut values: Vec<Value> = places.map(|place| Value::UBigInt(place.0)).collect();
    values.dedup();
    if values.is_empty() {
        return Ok(HashMap::new());
    }
    let marks = vec!["?"; values.len()].join(", ");
    let sql = format!(
        "SELECT position, idx, record_id, session_hex, epoch_us(start), method, path, status,
            client_ip
         FROM requests WHERE position IN ({marks})"
    );
    let mut statement = connection.prepare(&sql)?;
    let one = |row: &Row<'_>| {
        let shown = Shown {
            record_id: row.get(2)?,
            session: row.get(3)?,
            start: time::text(row.get(4)?),
            method: row.get(5)?,
            path: row.get(6)?,
            status: row.get(7)?,
            client_ip: row.get(8)?,
        };
        Ok(((row.get(0)?, row.get(1)?), shown))
    };
    let rows = statement.query_map(duckdb::params_from_iter(values), one)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn history(connection: &Connection, id: &str) -> Result<Vec<Change>, StoreError> {
    let sql =
        "SELECT epoch_us(said_at), bot_type, confidence, sensitivity, flagged, requests, votes
        FROM verdicts WHERE id = ?
        ORDER BY position DESC, idx DESC LIMIT ?";
    let mut statement = connection.prepare(sql)?;
    let change = |row: &Row<'_>| {
        let votes: String = row.get(6)?;
        let votes: Vec<EvidenceVote> = serde_json::from_str(&votes).unwrap_or_default();
        Ok(Change {
            time: time::text(row.get(0)?),
            bot_type: row.get(1)?,
            confidence: row.get(2)?,
            sensitivity: row.get(3)?,
            flagged: row.get(4)?,
            requests: row.get(5)?,
            reasons: votes.iter().map(reason).collect(),
        })
    };
    let rows = statement.query_map(params![id, HISTORY_MAX], change)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn labels(connection: &Connection, id: &str) -> Result<Vec<LabelShown>, StoreError> {
    let sql = "SELECT label, note, author, epoch_us(said_at) FROM labels
        WHERE id = ? ORDER BY position DESC LIMIT ?";
    let mut statement = connection.prepare(sql)?;
    let label = |row: &Row<'_>| {
        Ok(LabelShown {
            label: row.get(0)?,
            note: row.get(1)?,
            author: row.get(2)?,
            time: time::text(row.get(3)?),
        })
    };
    let rows = statement.query_map(params![id, HISTORY_MAX], label)?;
    Ok(rows.collect::<Result<_, _>>()?)
}
