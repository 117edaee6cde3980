//! `GET /v1/status`: the loss ledger, and how the log and the store stand.

use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use super::App;
use super::error::ApiError;
use super::request::{Access, Call, call, json, respond};
use crate::config::units::micros;
use crate::ledger::report::{Moment, Report, State, report};
use crate::time;

/// A stretch of the log that could not be read: its records are missing.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LogGap {
    /// File that should have held it.
    segment: String,
    /// Where it begins.
    position: u64,
    /// How long it is, bytes.
    bytes: u64,
}

/// How the log stands.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LogStatus {
    /// Position after the last durable batch, bytes.
    end: u64,
    /// Durable and not yet in the database, bytes.
    waiting_bytes: u64,
    /// Batches in memory, bytes.
    queue_bytes: u64,
    /// Segment files on disk.
    segments: u64,
    /// Why it cannot be written; null when it can.
    failing: Option<String>,
    /// What could not be read, the first 1,000.
    gaps: Vec<LogGap>,
}

/// How the database stands.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct StoreStatus {
    /// Position up to which the log is stored, bytes.
    position: u64,
    /// Records ever stored.
    records: u64,
    /// Why it cannot be written; null when it can.
    failing: Option<String>,
}

/// The policy, and who runs it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PolicyStatus {
    /// Name of the policy on records; null while filters run the one of their configuration.
    policy_version: Option<String>,
    /// What `GET /v1/policy/live` answers now; null while nothing was ever set.
    live_version: Option<String>,
    /// The file that is the policy; null where it is none.
    file: Option<String>,
    /// Why what stands in the file now is not used; null when it is.
    failing: Option<String>,
    /// Live workers that run this policy.
    current_workers: u64,
    /// Live workers that run another one.
    drifting: Vec<DriftingWorker>,
}

/// A live worker that runs another policy than it should.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DriftingWorker {
    /// The run of its Envoy, 16 hex digits.
    boot: String,
    /// The filter instance within that run.
    worker: u32,
    /// Envoy's `node.id`.
    node: String,
    /// What it runs.
    policy_version: String,
}

fn policy(app: &App, ledger: &Report) -> PolicyStatus {
    let live = app.policies.live(app.clock.now_us());
    let file = app.policies.file();
    let expected = live.as_ref().and_then(|live| live.policy_version.clone());
    let alive = ledger
        .workers
        .iter()
        .filter(|worker| worker.state == State::Live);
    let (current, others): (Vec<_>, Vec<_>) =
        alive.partition(|worker| Some(&worker.policy_version) == expected.as_ref());
    let drifting = others.into_iter().filter(|_| expected.is_some());
    PolicyStatus {
        live_version: live.map(|live| live.version.clone()),
        file: file.as_ref().map(|file| file.path.display().to_string()),
        failing: file.and_then(|file| file.failing),
        current_workers: current.len() as u64,
        drifting: drifting
            .map(|worker| DriftingWorker {
                boot: worker.boot.clone(),
                worker: worker.worker,
                node: worker.node.clone(),
                policy_version: worker.policy_version.clone(),
            })
            .collect(),
        policy_version: expected,
    }
}

/// The whole service.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Status {
    /// Version of the aggregator.
    version: &'static str,
    /// Now.
    #[schema(format = DateTime)]
    now: String,
    /// When this process started.
    #[schema(format = DateTime)]
    started: String,
    /// The loss ledger.
    #[serde(flatten)]
    ledger: Report,
    /// The policy.
    policy: PolicyStatus,
    /// The log.
    log: LogStatus,
    /// The database.
    store: StoreStatus,
}

pub(super) fn route(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    warp::path!("v1" / "status")
        .and(call(app, Access::Read))
        .then(|call: Call| async move { respond(handle(&call)) })
        .boxed()
}

/// The ledger as it is now.
pub(super) fn ledger(app: &App) -> Report {
    let moment = Moment {
        now_us: app.clock.now_us(),
        started_us: app.started_us,
        timeout_us: micros(app.worker_timeout),
    };
    let (books, forgotten) = app.books.all();
    report(&books, forgotten, &app.envoys.all(), moment)
}

/// The loss ledger, the log and the database.
#[utoipa::path(
    get, path = "/v1/status", tag = "service", security((), ("read_token" = [])),
    description = "For every filter worker: seen = stored + quarantined + dropped + pending + lost.",
    responses(
        (status = 200, description = "How things stand", body = Status),
        (status = 401, description = "No valid token", body = super::Problem, content_type = "application/problem+json"),
    ),
)]
fn handle(call: &Call) -> Result<Response, ApiError> {
    call.params(&[])?;
    let app = &call.app;
    let log = app.log.state();
    let gaps = app.health.gaps().into_iter().map(|gap| LogGap {
        bytes: gap.end - gap.position,
        segment: gap.segment,
        position: gap.position,
    });
    let ledger = ledger(app);
    json(&Status {
        version: env!("CARGO_PKG_VERSION"),
        now: time::text(app.clock.now_us()),
        started: time::text(app.started_us),
        policy: policy(app, &ledger),
        ledger,
        log: LogStatus {
            end: log.end,
            waiting_bytes: log.end.saturating_sub(log.committed),
            queue_bytes: app.budget.used(),
            segments: log.segments as u64,
            failing: log.failing,
            gaps: gaps.collect(),
        },
        store: StoreStatus {
            position: app.health.position(),
            records: app.health.records(),
            failing: app.health.failing(),
        },
    })
}
