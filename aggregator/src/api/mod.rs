//! session → you: what can be asked, under `/v1`, and how the service is doing.
//!
//! An endpoint is one file here and one line in `router.rs`.

mod admin;
mod applications;
mod audit;
mod backtest;
mod backup;
mod bots;
mod candidate_verdicts;
mod candidates;
mod compare;
mod comparison;
mod cursor;
mod denied;
mod describe;
mod detection;
mod docs;
mod endpoints;
mod error;
mod evidence;
mod export;
mod facets;
mod finder;
mod flow_runs;
mod flows;
mod forget;
mod health;
mod histogram;
mod identity;
mod import;
mod ingest;
mod labels;
mod listing;
mod live;
mod marks;
mod metrics;
mod notes;
mod openapi;
mod params;
mod pins;
mod policy;
mod prediction;
mod quarantine;
mod query;
mod ranked;
mod related;
mod replay;
mod request;
mod requests;
mod router;
mod scope;
mod sequence;
mod session;
mod sessions;
mod sources;
mod sql;
mod status;
mod storage;
mod top;
mod transitions;
mod users;
mod verdicts;
mod views;
mod walk;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Semaphore;

pub use error::{ApiError, Problem};
pub use live::Live;
pub use openapi::document;
pub use router::routes;

use crate::clock::Clock;
use crate::envoy_admin::Envoys;
use crate::export::Exports;
use crate::ledger::Books;
use crate::log::{Budget, Log};
use crate::metrics::Metrics;
use crate::policy::Policies;
use crate::sql::Sql;
use crate::store::{Database, Health};
use crate::tokens::Gate;
use crate::verdicts::{Outbox, Profiles, Status};

/// Queries that run at the same time.
pub const QUERIES_MAX: usize = 4;

/// Runs of detection over stored records at the same time: each keeps a processor busy.
pub const REPLAYS_MAX: usize = 1;

/// Logs that are taken in at the same time: each keeps a processor busy.
pub const IMPORTS_MAX: usize = 1;

/// What the endpoints work with.
pub struct App {
    /// Who may ask.
    pub gate: Gate,
    /// Where batches go.
    pub log: Arc<dyn Log>,
    /// Memory for batches on their way.
    pub budget: Budget,
    /// Longest batch, bytes.
    pub max_batch_bytes: u64,
    /// What is asked.
    pub database: Arc<Database>,
    /// One permit per query.
    pub queries: Arc<Semaphore>,
    /// One permit per run of detection over stored records.
    pub replays: Arc<Semaphore>,
    /// What live readers have.
    pub live: Live,
    /// Statements of users.
    pub sql: Sql,
    /// Lists on their way out.
    pub exports: Exports,
    /// One permit per log that is taken in.
    pub imports: Arc<Semaphore>,
    /// What the sessions of logs that are taken in are made with.
    pub session_secret: Option<String>,
    /// A query is stopped after this long.
    pub query_timeout: Duration,
    /// How the closed segments stand.
    pub segments: Arc<crate::store::Shared>,
    /// Keeps what people say, and has sessions forgotten.
    pub errands: crate::store::Errands,
    /// The ledger.
    pub books: Arc<Books>,
    /// Readings of Envoys.
    pub envoys: Arc<Envoys>,
    /// How the store stands.
    pub health: Arc<Health>,
    /// Figures.
    pub metrics: Arc<Metrics>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// When this process started, microseconds since the Unix epoch.
    pub started_us: i64,
    /// A worker silent for longer counts as vanished.
    pub worker_timeout: Duration,
    /// The process is about to end.
    pub closing: AtomicBool,
    /// The policy, and what is tried beside it.
    pub policies: Arc<Policies>,
    /// How detection stands.
    pub detection: Arc<Status>,
    /// Verdicts on their way to the store.
    pub outbox: Arc<Outbox>,
    /// The profiles that detection was told last.
    pub announced: tokio::sync::Mutex<Option<Profiles>>,
    /// When a session counts as shared.
    pub shared_key: SharedKey,
}

/// A session with more of these is no one user's: its key is shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SharedKey {
    /// Client addresses.
    pub ips: u64,
    /// Users.
    pub users: u64,
}

impl App {
    /// Turns `/readyz` red, so that nothing new is sent here.
    pub fn close(&self) {
        self.closing.store(true, Ordering::Release);
    }
}
