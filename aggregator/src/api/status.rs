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
use super::storage::{self, StorageStatus};
use crate::config::units::micros;
use crate::ledger::report::{Moment, Report, State, report};
use crate::time;
use crate::verdicts::ApplicationStatus;

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
    /// Position up to which sessions are summed, bytes: what lists and figures see. The rest follows
    /// within some tens of milliseconds, under load within five seconds and what summing takes.
    summed: u64,
    /// Records ever stored.
    records: u64,
    /// Storing waits, as segments are closed more slowly than they fill: the log holds what comes.
    waiting: bool,
    /// When DuckDB's file was last written: its last checkpoint. Null where that is not known.
    #[schema(format = DateTime)]
    checkpointed: Option<String>,
    /// Bytes that the next checkpoint moves into that file.
    wal_bytes: u64,
    /// Why it cannot be written; null when it can.
    failing: Option<String>,
    /// Why sessions cannot be summed: `summed` stands still. Null when they can.
    sums_failing: Option<String>,
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

/// What lies between the log and detection.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Lag {
    pub(super) bytes: u64,
    pub(super) records: u64,
    pub(super) seconds: f64,
}

/// How far detection is behind.
pub(super) fn lag(app: &App) -> Lag {
    let standing = app.detection.get();
    let bytes = app.log.state().end.saturating_sub(standing.position);
    let records = app.metrics.records.get().saturating_sub(standing.records);
    let waited_us = app.clock.now_us().saturating_sub(standing.arrived_us);
    Lag {
        bytes,
        records: if bytes == 0 { 0 } else { records },
        seconds: if bytes == 0 || standing.arrived_us == 0 {
            0.0
        } else {
            std::time::Duration::from_micros(u64::try_from(waited_us).unwrap_or(0)).as_secs_f64()
        },
    }
}

/// A snapshot of detection's state.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SnapshotStatus {
    /// Position in the log at which it was taken.
    position: u64,
    /// Its size.
    bytes: u64,
    /// Milliseconds that it took.
    took_ms: u64,
}

/// How bot detection stands.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DetectionStatus {
    /// Position up to which the log was judged, bytes.
    position: u64,
    /// Durable and not yet judged, bytes.
    lag_bytes: u64,
    /// Records acknowledged since the start and not yet judged.
    lag_records: u64,
    /// Since the last batch that was judged arrived, seconds; 0 when all are.
    lag_seconds: f64,
    /// Everything that the log held at the start was judged.
    caught_up: bool,
    /// Live sessions in memory.
    sessions: u64,
    /// Addresses and networks in memory.
    sources: u64,
    /// Sessions forgotten for lack of room.
    sessions_evicted: u64,
    /// Verdicts that were not made because somebody had said that the one before is wrong.
    suppressed: u64,
    /// Verdicts since the start, by type.
    verdicts: std::collections::BTreeMap<String, u64>,
    /// Verdicts that are not in the database yet.
    verdicts_waiting: u64,
    /// Whether each application is known well enough for learnt limits.
    applications: Vec<ApplicationStatus>,
    /// Version of the policy whose profiles hold; null where none does.
    policy_version: Option<String>,
    /// The last snapshot; null before the first since the start.
    snapshot: Option<SnapshotStatus>,
    /// Why the state was built anew at the start; null when it was not.
    rebuilt: Option<String>,
    /// Why no snapshot can be written; null when it can.
    failing: Option<String>,
}

fn detection(app: &App) -> DetectionStatus {
    let standing = app.detection.get();
    let lag = lag(app);
    let snapshot = standing
        .snapshot
        .map(|(position, bytes, took_ms)| SnapshotStatus {
            position,
            bytes,
            took_ms,
        });
    DetectionStatus {
        position: standing.position,
        lag_bytes: lag.bytes,
        lag_records: lag.records,
        lag_seconds: lag.seconds,
        caught_up: standing.caught_up,
        sessions: standing.sessions,
        sources: standing.sources,
        sessions_evicted: standing.evicted,
        suppressed: standing.suppressed,
        verdicts: standing.verdicts,
        verdicts_waiting: app.outbox.standing().0 as u64,
        applications: standing.applications,
        policy_version: standing.policy_version,
        snapshot,
        rebuilt: standing.rebuilt,
        failing: standing.failing,
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
    /// What is on the disk, and for how long.
    storage: StorageStatus,
    /// Bot detection.
    detection: DetectionStatus,
}

pub(super) fn route(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    warp::path!("v1" / "status")
        .and(call(app, Access::ReadAll))
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
        detection: detection(app),
        ledger,
        log: LogStatus {
            end: log.end,
            waiting_bytes: log.end.saturating_sub(log.committed),
            queue_bytes: app.budget.used(),
            segments: log.segments as u64,
            failing: log.failing,
            gaps: gaps.collect(),
        },
        storage: storage::status(app),
        store: StoreStatus {
            position: app.health.position(),
            summed: app.health.summed(),
            records: app.health.records(),
            waiting: app.health.waiting(),
            checkpointed: app.database.checkpointed_us().map(time::text),
            wal_bytes: app.database.wal_bytes(),
            failing: app.health.failing(),
            sums_failing: app.health.sums_failing(),
        },
    })
}
