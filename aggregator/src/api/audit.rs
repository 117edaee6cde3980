//! `GET /v1/audit`: who changed the policy, when, and why.

use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use super::App;
use super::error::ApiError;
use super::request::{Access, Call, call, json, respond};
use crate::policy::{Change, Event};
use crate::time;

/// A change.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AuditEntry {
    /// From 1, without gaps.
    number: u64,
    /// When.
    #[schema(format = DateTime)]
    time: String,
    /// Who, as they called themselves: the token alone says that they may.
    author: String,
    /// Why.
    comment: String,
    /// `policy`, `rollback`, `candidate`, `candidate_deleted`, `finder` or `finder_stopped`.
    action: &'static str,
    /// The version that it made; null when it made none.
    version: Option<u64>,
    /// The version that was taken up again; null when none was.
    rollback_to: Option<u64>,
    /// The candidate; null when it is about none.
    candidate: Option<String>,
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
            number: event.number,
            time: time::text(event.at_us),
            author: event.author.clone(),
            comment: event.comment.clone(),
            action: event.change.action(),
            version,
            rollback_to,
            candidate,
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
        .and(call(app, Access::Read))
        .then(|call: Call| async move { respond(handle(&call)) })
        .boxed()
}

/// Who changed the policy, when, and why: the latest changes, the newest first.
#[utoipa::path(
    get, path = "/v1/audit", tag = "policy", security((), ("read_token" = [])),
    params(("limit" = Option<u64>, Query, description = "Changes listed, 1 to 500; 50 when absent")),
    responses(
        (status = 200, description = "The changes", body = AuditPage),
    ),
)]
pub(super) fn handle(call: &Call) -> Result<Response, ApiError> {
    let limit = call.params(&["limit"])?.limit()?;
    let events = call.app.policies.audit();
    json(&AuditPage {
        items: events.iter().take(limit).map(AuditEntry::from).collect(),
    })
}
