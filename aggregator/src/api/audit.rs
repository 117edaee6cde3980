//! `GET /v1/audit`: who changed the policy, a token, or what is said of sessions and verdicts, or had
//! somebody forgotten.

use std::borrow::Cow;
use std::sync::Arc;

use duckdb::Connection;
use serde::Serialize;
use utoipa::ToSchema;
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use super::error::ApiError;
use super::forget::{self, Forgetting};
use super::request::{Access, Call, call, json, respond};
use super::{App, query};
use crate::policy::{Change, Event};
use crate::store::StoreError;
use crate::{time, tokens};

/// A change.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AuditEntry {
    /// Of a change to the policy: from 1, without gaps. Null for others.
    number: Option<u64>,
    /// When.
    #[schema(format = DateTime)]
    time: String,
    /// Who, as they called themselves: the token alone says that they may.
    author: String,
    /// Why.
    comment: String,
    /// `policy`, `rollback`, `candidate`, `candidate_deleted`, `finder`, `finder_stopped`,
    /// `token_created`, `token_revoked`, `verdict_labelled`, `verdict_label_deleted`,
    /// `session_pinned`, `session_unpinned`, `session_noted`, `session_note_deleted`, `view_saved`,
    /// `view_deleted`, `api_document_put`, `api_document_deleted`, `session_forgotten` or
    /// `user_forgotten`.
    action: Cow<'static, str>,
    /// The version that it made; null when it made none.
    version: Option<u64>,
    /// The version that was taken up again; null when none was.
    rollback_to: Option<u64>,
    /// The candidate; null when it is about none.
    candidate: Option<String>,
    /// What else it is about: the token with its role and applications, the verdict, the session,
    /// the view, or how many sessions were forgotten and since when they are gone.
    subject: Option<String>,
    #[serde(skip)]
    at_us: i64,
}

impl From<&Event> for AuditEntry {
    fn from(event: &Event) -> Self {
        let (version, rollback_to, candidate) = match &event.change {
            Change::Policy { version, .. } => (Some(*version), None, None),
            Change::Rollback { version, to, .. } => (Some(*version), Some(*to), None),
            Change::Candidate { name, .. } | Change::CandidateDeleted { name } => {
                (None, None, Some(name.clone()))
            }
            Change::Finder { .. } | Change::FinderStopped => (None, None, None),
        };
        Self {
            number: Some(event.number),
            at_us: event.at_us,
            subject: None,
            time: time::text(event.at_us),
            author: event.author.clone(),
            comment: event.comment.clone(),
            action: event.change.action().into(),
            version,
            rollback_to,
            candidate,
        }
    }
}

fn token(event: &tokens::Event) -> AuditEntry {
    let (action, subject) = match &event.change {
        tokens::Change::Created {
            name,
            role,
            applications,
            ..
        } => {
            let of = match applications.as_slice() {
                [] => "all applications".to_owned(),
                names => names.join(", "),
            };
            let subject = format!("{} ({name}): {} of {of}", event.id, role.name());
            ("token_created", subject)
        }
        tokens::Change::Revoked => ("token_revoked", event.id.to_string()),
    };
    AuditEntry {
        number: None,
        at_us: event.at_us,
        time: time::text(event.at_us),
        author: event.author.clone(),
        comment: event.comment.clone(),
        action: action.into(),
        version: None,
        rollback_to: None,
        candidate: None,
        subject: Some(subject),
    }
}

/// What people said of verdicts and sessions, the latest first. Of the same microsecond, the last in the table: nothing is
/// found by its number, which a checkpoint may change.
fn deeds(connection: &Connection, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
    let sql = "SELECT epoch_us(done_at) AS at_us, author, comment, action, subject,
            rowid::UBIGINT AS place FROM deeds
        UNION ALL SELECT epoch_us(said_at), author, note,
            CASE WHEN label IS NULL THEN 'verdict_label_deleted'
                 ELSE 'verdict_labelled' END, id, position FROM labels
        ORDER BY at_us DESC, place DESC LIMIT ?";
    let mut statement = connection.prepare(sql)?;
    let read = |row: &duckdb::Row<'_>| {
        let at_us: i64 = row.get(0)?;
        Ok(AuditEntry {
            number: None,
            at_us,
            time: time::text(at_us),
            author: row.get(1)?,
            comment: row.get(2)?,
            action: Cow::Owned(row.get(3)?),
            version: None,
            rollback_to: None,
            candidate: None,
            subject: row.get(4)?,
        })
    };
    let rows = statement.query_map([limit as u64], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

impl From<&Forgetting> for AuditEntry {
    fn from(forgetting: &Forgetting) -> Self {
        let (time, author, action, subject) = forgetting.told();
        Self {
            number: None,
            time,
            author,
            comment: String::new(),
            action: Cow::Borrowed(action),
            version: None,
            rollback_to: None,
            candidate: None,
            subject: Some(subject),
            at_us: forgetting.asked_us(),
        }
    }
}

/// Changes, the newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AuditPage {
    /// The changes.
    items: Vec<AuditEntry>,
}

pub(super) fn route(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    warp::path!("v1" / "audit")
        .and(call(app, Access::ReadAll))
        .then(|call: Call| async move { respond(handle(&call).await) })
        .boxed()
}

/// Who changed the policy, a token, or what is said of sessions and verdicts, or had somebody
/// forgotten: the newest first.
#[utoipa::path(
    get, path = "/v1/audit", tag = "policy", security((), ("read_token" = [])),
    params(("limit" = Option<u64>, Query, description = "Changes listed, 1 to 500; 50 when absent")),
    responses(
        (status = 200, description = "The changes", body = AuditPage),
    ),
)]
pub(super) async fn handle(call: &Call) -> Result<Response, ApiError> {
    let limit = call.params(&["limit"])?.limit()?;
    let policies = call.app.policies.audit();
    let mut items: Vec<_> = policies.iter().map(AuditEntry::from).collect();
    let tokens = call.app.gate.contents();
    items.extend(tokens.events.iter().rev().map(token));
    items.extend(query::run(call, move |connection| deeds(connection, limit)).await?);
    let forgotten = query::run(call, move |connection| forget::latest(connection, limit)).await?;
    items.extend(forgotten.iter().map(AuditEntry::from));
    // Stable: what happened at the same time stays in its order.
    items.sort_by_key(|entry| std::cmp::Reverse(entry.at_us));
    items.truncate(limit);
    json(&AuditPage { items })
}
