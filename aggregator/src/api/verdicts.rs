//! `GET /v1/verdicts`: who is held for a bot, the latest first.

use std::collections::HashMap;
use std::sync::Arc;

use duckdb::types::Value;
use duckdb::{Connection, Row};
use serde::{Deserialize, Serialize};
use throughline_session::wire::SessionId;
use utoipa::{IntoParams, ToSchema};
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use super::cursor::Pages;
use super::error::ApiError;
use super::params::Params;
use super::request::{Access, Call, call, json, respond};
use super::sessions::at;
use super::{App, query};
use crate::filters::Clause;
use crate::joined;
use crate::store::StoreError;
use crate::time;
use crate::verdicts::{EvidenceVote, Label, reason, verdict_id};

/// What people said of a verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct LabelShown {
    /// `wrong`: no bot; `confirmed`: a bot.
    pub(super) label: Option<String>,
    /// Why.
    pub(super) note: String,
    /// Who, as they called themselves.
    pub(super) author: String,
    /// When.
    #[schema(format = DateTime)]
    pub(super) time: String,
}

/// A verdict as it stands now.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(super) struct Verdict {
    /// Names it: `session-` and the session id, or `user-` or `source-` and a hash.
    pub(super) id: String,
    /// What it is about: `session`, `user` or `source`.
    pub(super) subject_kind: String,
    /// Whom: a session id, a user's name, an address or a network.
    pub(super) subject: String,
    /// The session whose request led to it, 32 hex digits.
    pub(super) session: String,
    /// Where.
    pub(super) application: String,
    /// `suspicious_activity`, `account_takeover`, `security_crawler`, `scraping` or
    /// `resource_consumption`.
    pub(super) bot_type: String,
    /// How sure, 0 to 1.
    pub(super) confidence: f64,
    /// The least sensitivity that flags it: `low` (from .95), `medium` (.80) or `high` (.50).
    pub(super) sensitivity: String,
    /// Whether the application's sensitivity flags it.
    pub(super) flagged: bool,
    /// `active`; `rejected`: somebody said that it is wrong; `expired`: a day passed.
    pub(super) state: &'static str,
    /// `learning`: cold-start limits held; `ready`: limits were learnt.
    pub(super) knowledge: String,
    /// `unknown`, `known_machine` or `good_bot`.
    pub(super) class: String,
    /// Time of the request that first led to a verdict.
    #[schema(format = DateTime)]
    pub(super) first: String,
    /// Time of the request that led to this one.
    #[schema(format = DateTime)]
    pub(super) last: String,
    /// Until when it holds.
    #[schema(format = DateTime)]
    pub(super) expires: String,
    /// Requests of the visit until then.
    pub(super) requests: u64,
    /// Version of the policy whose profile held; null where there was none.
    pub(super) policy_version: Option<String>,
    /// The evidence in sentences, the strongest first.
    pub(super) reasons: Vec<String>,
    /// What people said of it; null when nobody did.
    pub(super) label: Option<LabelShown>,
}

/// Columns of [`read`], of the view `current_verdicts`.
pub(super) const COLUMNS: &str =
    "position, idx, id, subject_kind, subject, session, application, bot_type,
    confidence, sensitivity, flagged, knowledge, class, epoch_us(first_at), epoch_us(said_at),
    epoch_us(expires), requests, policy_version, votes, label, note, author, epoch_us(labelled)";

/// A verdict, its evidence, and where it stands in the log.
pub(super) type Found = (Verdict, Vec<EvidenceVote>, (u64, u32));

/// How a verdict stands of which people said `label`.
fn state(label: Option<&str>, expires_us: i64, now_us: i64) -> &'static str {
    match label {
        Some(label) if label == Label::Wrong.name() => "rejected",
        _ if expires_us <= now_us => "expired",
        _ => "active",
    }
}

pub(super) fn read(row: &Row<'_>, now_us: i64) -> duckdb::Result<Found> {
    let votes: String = row.get(18)?;
    let votes: Vec<EvidenceVote> = serde_json::from_str(&votes).unwrap_or_default();
    let label: Option<String> = row.get(19)?;
    let expires_us: i64 = row.get(15)?;
    let state = state(label.as_deref(), expires_us, now_us);
    let label = match label {
        Some(_) => Some(LabelShown {
            label,
            note: row.get(20)?,
            author: row.get(21)?,
            time: time::text(row.get(22)?),
        }),
        None => None,
    };
    let verdict = Verdict {
        id: row.get(2)?,
        subject_kind: row.get(3)?,
        subject: row.get(4)?,
        session: row.get(5)?,
        application: row.get(6)?,
        bot_type: row.get(7)?,
        confidence: row.get(8)?,
        sensitivity: row.get(9)?,
        flagged: row.get(10)?,
        state,
        knowledge: row.get(11)?,
        class: row.get(12)?,
        first: time::text(row.get(13)?),
        last: time::text(row.get(14)?),
        expires: time::text(expires_us),
        requests: row.get(16)?,
        policy_version: row.get(17)?,
        reasons: votes.iter().map(reason).collect(),
        label,
    };
    Ok((verdict, votes, (row.get(0)?, row.get(1)?)))
}

/// The verdict on a session, in short.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(super) struct SessionVerdict {
    /// The verdict's id, for `GET /v1/verdicts/{id}`.
    id: String,
    /// What kind of bot.
    bot_type: String,
    /// How sure, 0 to 1.
    confidence: f64,
    /// Whether the application's sensitivity flags it.
    flagged: bool,
    /// `active`, `rejected` or `expired`.
    state: &'static str,
    /// The strongest evidence in one sentence; null when there is none.
    reason: Option<String>,
}

/// The verdicts on these sessions, by session id.
pub(super) fn of_sessions(
    connection: &Connection,
    sessions: &[SessionId],
    now_us: i64,
) -> Result<HashMap<String, SessionVerdict>, StoreError> {
    if sessions.is_empty() {
        return Ok(HashMap::new());
    }
    let marks = vec!["?"; sessions.len()].join(", ");
    let ids = sessions.iter().map(|id| Value::Text(verdict_id(id)));
    let which = Clause::new(format!("id IN ({marks})"), ids);
    // What `current_verdicts` has of them, and no more than that.
    let sql = format!(
        "SELECT session, id, bot_type, confidence, flagged, epoch_us(expires), votes, label
         FROM verdicts LEFT JOIN (
            SELECT id, arg_max(coalesce(label, ''), position) AS label FROM labels GROUP BY id
         ) AS said USING (id)
         WHERE {}
         QUALIFY row_number() OVER (PARTITION BY id ORDER BY verdicts.position DESC, idx DESC) = 1",
        which.sql
    );
    let mut statement = connection.prepare(&sql)?;
    let short = |row: &Row<'_>| {
        let (expires_us, votes): (i64, String) = (row.get(5)?, row.get(6)?);
        let label: Option<String> = row.get(7)?;
        let votes: Vec<EvidenceVote> = serde_json::from_str(&votes).unwrap_or_default();
        let short = SessionVerdict {
            id: row.get(1)?,
            bot_type: row.get(2)?,
            confidence: row.get(3)?,
            flagged: row.get(4)?,
            state: state(label.as_deref(), expires_us, now_us),
            reason: votes.first().map(reason),
        };
        Ok((row.get(0)?, short))
    };
    let rows = statement.query_map([], short)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Verdicts for which `which` holds, the latest first.
pub(super) fn against(
    connection: &Connection,
    which: &Clause,
    limit: u64,
    now_us: i64,
) -> Result<Vec<Verdict>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM current_verdicts WHERE {}
         ORDER BY position DESC, idx DESC, id LIMIT {limit}",
        which.sql
    );
    let mut statement = connection.prepare(&sql)?;
    let values = duckdb::params_from_iter(which.values.clone());
    let rows = statement.query_map(values, |row| Ok(read(row, now_us)?.0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A page of verdicts.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct VerdictPage {
    /// The verdicts.
    items: Vec<Verdict>,
    /// `cursor` of the next page; null on the last.
    next: Option<String>,
}

/// Which verdicts.
#[derive(Debug, Default, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters in the OpenAPI document")]
struct VerdictsQuery {
    /// Only verdicts of this application.
    application: Option<String>,
    /// Only verdicts of this type.
    bot_type: Option<String>,
    /// Only verdicts that a request of this session led to.
    session: Option<String>,
    /// Only verdicts on subjects of this kind: `session`, `user` or `source`.
    subject_kind: Option<String>,
    /// Only the verdicts on this session, user, address or network.
    subject: Option<String>,
    /// Only verdicts on sessions with this value of a user parameter.
    user: Option<String>,
    /// Only verdicts on sessions with a request from this address.
    ip: Option<String>,
    /// Only verdicts at least this sure, 0 to 1.
    confidence_min: Option<f64>,
    /// `true`: only those that the application's sensitivity flags; `false`: only others.
    flagged: Option<bool>,
    /// Only verdicts in this state: `active`, `rejected` or `expired`.
    state: Option<String>,
    /// Only verdicts whose last request is at or after this time: RFC 3339, or how long ago.
    from: Option<String>,
    /// Only verdicts whose last request is before this time: RFC 3339, or how long ago.
    to: Option<String>,
    /// Verdicts per page, 1 to 500; 50 when absent.
    limit: Option<u64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

const PARAMETERS: &[&str] = &[
    "application",
    "bot_type",
    "session",
    "subject_kind",
    "subject",
    "user",
    "ip",
    "confidence_min",
    "flagged",
    "state",
    "from",
    "to",
    "limit",
    "cursor",
];

/// Where a page ended: the place of its last verdict, and its id.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Cursor(u64, u32, String);

struct Asked {
    pages: Pages,
    conditions: Vec<&'static str>,
    values: Vec<Value>,
    limit: usize,
    now_us: i64,
}

fn bad<T>(parameter: &'static str, value: &str, remedy: &'static str) -> Result<T, ApiError> {
    Err(ApiError::BadParameter {
        parameter,
        detail: format!("`{parameter}` is `{value}`"),
        remedy,
    })
}

impl Asked {
    fn add(&mut self, sql: &'static str, value: Value) {
        self.conditions.push(sql);
        self.values.push(value);
    }

    fn add_texts(&mut self, params: &Params) {
        const USER: &str = "unhex(session) IN
            (SELECT session FROM session_rows WHERE contains(users, ?))";
        const IP: &str = "unhex(session) IN
            (SELECT session FROM session_rows WHERE contains(ips, ?))";
        for (name, sql) in [
            ("application", "application = ?"),
            ("bot_type", "bot_type = ?"),
            ("session", "session = ?"),
            ("subject_kind", "subject_kind = ?"),
            ("subject", "subject = ?"),
        ] {
            if let Some(text) = params.get(name) {
                self.add(sql, Value::Text(text.to_owned()));
            }
        }
        for (name, sql) in [("user", USER), ("ip", IP)] {
            if let Some(text) = params.get(name) {
                self.add(sql, Value::Text(joined::whole(text)));
            }
        }
    }

    fn add_state(&mut self, params: &Params) -> Result<(), ApiError> {
        let now = at(self.now_us);
        match params.get("state") {
            None => {}
            Some("rejected") => self.conditions.push("label = 'wrong'"),
            Some("active") => self.add("label IS DISTINCT FROM 'wrong' AND expires > ?", now),
            Some("expired") => self.add("label IS DISTINCT FROM 'wrong' AND expires <= ?", now),
            Some(other) => return bad("state", other, "give active, rejected or expired"),
        }
        match params.get("flagged") {
            None => {}
            Some("true") => self.conditions.push("flagged"),
            Some("false") => self.conditions.push("NOT flagged"),
            Some(other) => return bad("flagged", other, "give true or false"),
        }
        Ok(())
    }
}

fn asked(params: &Params, now_us: i64) -> Result<Asked, ApiError> {
    let pages = Pages::of(params);
    let mut asked = Asked {
        pages,
        conditions: vec!["true"],
        values: Vec::new(),
        limit: params.limit()?,
        now_us,
    };
    asked.add_texts(params);
    asked.add_state(params)?;
    if let Some(text) = params.get("confidence_min") {
        match text.parse() {
            Ok(least) if (0.0..=1.0).contains(&least) => {
                asked.add("confidence >= ?", Value::Double(least));
            }
            _ => return bad("confidence_min", text, "give a number from 0 to 1"),
        }
    }
    if let Some(from_us) = params.time("from", now_us)? {
        asked.add("said_at >= ?", at(from_us));
    }
    if let Some(to_us) = params.time("to", now_us)? {
        asked.add("said_at < ?", at(to_us));
    }
    if let Some(Cursor(position, index, id)) = pages.read(params)? {
        asked
            .conditions
            .push("(position, idx, id) < (?::UBIGINT, ?::UINTEGER, ?::VARCHAR)");
        asked.values.extend([
            Value::UBigInt(position),
            Value::UInt(index),
            Value::Text(id),
        ]);
    }
    Ok(asked)
}

pub(super) fn route(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    warp::path!("v1" / "verdicts")
        .and(call(app, Access::Read))
        .then(|call: Call| async move { respond(handle(&call).await) })
        .boxed()
}

/// Who is held for a bot: the last word about each session, user and source, the latest first.
#[utoipa::path(
    get, path = "/v1/verdicts", tag = "verdicts", params(VerdictsQuery),
    security((), ("read_token" = [])),
    responses(
        (status = 200, description = "A page of verdicts", body = VerdictPage),
    ),
)]
pub(super) async fn handle(call: &Call) -> Result<Response, ApiError> {
    let params = call.params(PARAMETERS)?;
    let asked = asked(&params, call.app.clock.now_us())?;
    let page = query::run(call, move |connection| page(connection, asked));
    json(&page.await?)
}

fn page(connection: &Connection, asked: Asked) -> Result<VerdictPage, StoreError> {
    let Asked {
        pages,
        conditions,
        mut values,
        limit,
        now_us,
    } = asked;
    let sql = format!(
        "SELECT {COLUMNS} FROM current_verdicts WHERE {}
         ORDER BY position DESC, idx DESC, id DESC LIMIT ?",
        conditions.join(" AND "),
    );
    values.push(Value::UBigInt(limit as u64 + 1));
    let mut statement = connection.prepare(&sql)?;
    let mut rows: Vec<Found> = statement
        .query_map(duckdb::params_from_iter(values), |row| read(row, now_us))?
        .collect::<Result<_, _>>()?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows
        .last()
        .filter(|_| more)
        .and_then(|(last, _, place)| pages.write(&Cursor(place.0, place.1, last.id.clone())));
    Ok(VerdictPage {
        items: rows.into_iter().map(|(verdict, _, _)| verdict).collect(),
        next,
    })
}
