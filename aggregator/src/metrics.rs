//! Figures about the service itself, for `GET /metrics`.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

/// A gauge that never goes below zero.
pub type Level = Gauge<u64, AtomicU64>;

/// Why a batch was turned away.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Reason {
    /// The problem's type, e.g. `bad-token`.
    pub reason: &'static str,
}

/// A column of the loss ledger.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Account {
    /// `seen`, `stored`, `quarantined`, `dropped`, `pending`, `lost`, `unknown_at_least` or
    /// `bypassed`.
    pub account: &'static str,
}

/// What became of a look-up.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Outcome {
    /// `confirmed`, `refuted`, `silent`, or `left_out` where too many waited.
    pub outcome: &'static str,
}

/// What kind of verdict.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct VerdictKind {
    /// What kind of bot.
    pub bot_type: String,
    /// Whether the application's sensitivity flags it: `true` or `false`.
    pub flagged: &'static str,
}

/// Every figure. The registry has clones of them, which share their numbers.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    /// Batches acknowledged for the first time.
    pub batches: Counter,
    /// Heartbeats acknowledged.
    pub heartbeats: Counter,
    /// Records in them.
    pub records: Counter,
    /// Their bytes.
    pub bytes: Counter,
    /// Batches acknowledged again.
    pub duplicates: Counter,
    /// Batches turned away, by reason.
    pub rejected: Family<Reason, Counter>,
    /// Record lines put in quarantine.
    pub quarantined: Counter,
    /// Records put in the store.
    pub stored: Counter,
    /// Position after the last durable batch.
    pub log_end: Level,
    /// Position up to which the store has everything.
    pub store_position: Level,
    /// How long storing waited for segments to be closed, seconds.
    pub store_waited: Counter<f64, AtomicU64>,
    /// What lies between the two.
    pub store_lag: Level,
    /// What is stored and not in lists yet, bytes of the log.
    pub sums_lag: Level,
    /// Bytes of batches in memory.
    pub queue_bytes: Level,
    /// Time to write a group and make it durable.
    pub fsync_seconds: Histogram,
    /// Time of one transaction of the store.
    pub commit_seconds: Histogram,
    /// Time of one query of the API.
    pub query_seconds: Histogram,
    /// Exports begun.
    pub exports: Counter,
    /// Exports that ended before their end.
    pub exports_cut: Counter,
    /// Visits that a record may still join.
    pub open_visits: Level,
    /// Visits that were closed since the start as more were open than may be.
    pub visits_closed_early: Level,
    /// Workers heard of lately.
    pub live_workers: Level,
    /// Records judged.
    pub judged: Counter,
    /// Verdicts, by type.
    pub verdicts: Family<VerdictKind, Counter>,
    /// Crawlers whose names were looked up, by outcome.
    pub lookups: Family<Outcome, Counter>,
    /// Batches that detection has not judged, bytes.
    pub detection_lag_bytes: Level,
    /// Records that detection has not judged.
    pub detection_lag_records: Level,
    /// How long ago the first batch arrived that detection has not judged, seconds.
    pub detection_lag_seconds: Gauge<f64, AtomicU64>,
    /// Live sessions of detection.
    pub detection_sessions: Level,
    /// Sessions that detection forgot for lack of room.
    pub detection_evicted: Level,
    /// Size of detection's last snapshot.
    pub snapshot_bytes: Level,
    /// The ledger's totals.
    pub ledger: Family<Account, Level>,
}

impl Default for Metrics {
    fn default() -> Self {
        let times = || Histogram::new(exponential_buckets(0.0005, 2.0, 15));
        let mut metrics = Self {
            registry: Registry::with_prefix("throughline"),
            batches: Counter::default(),
            heartbeats: Counter::default(),
            records: Counter::default(),
            bytes: Counter::default(),
            duplicates: Counter::default(),
            rejected: Family::default(),
            quarantined: Counter::default(),
            stored: Counter::default(),
            log_end: Level::default(),
            store_position: Level::default(),
            store_waited: Counter::default(),
            store_lag: Level::default(),
            sums_lag: Level::default(),
            queue_bytes: Level::default(),
            fsync_seconds: times(),
            commit_seconds: times(),
            query_seconds: times(),
            exports: Counter::default(),
            exports_cut: Counter::default(),
            open_visits: Level::default(),
            visits_closed_early: Level::default(),
            live_workers: Level::default(),
            judged: Counter::default(),
            verdicts: Family::default(),
            lookups: Family::default(),
            detection_lag_bytes: Level::default(),
            detection_lag_records: Level::default(),
            detection_lag_seconds: Gauge::default(),
            detection_sessions: Level::default(),
            detection_evicted: Level::default(),
            snapshot_bytes: Level::default(),
            ledger: Family::default(),
        };
        metrics.register();
        metrics
    }
}

impl Metrics {
    #[expect(clippy::too_many_lines, reason = "one entry per figure")]
    fn register(&mut self) {
        let to = &mut self.registry;
        to.register(
            "ingest_batches",
            "Batches acknowledged for the first time",
            self.batches.clone(),
        );
        to.register(
            "ingest_heartbeats",
            "Heartbeats acknowledged",
            self.heartbeats.clone(),
        );
        to.register(
            "ingest_records",
            "Record lines in acknowledged batches",
            self.records.clone(),
        );
        to.register_with_unit(
            "ingest_received",
            "Bodies of acknowledged batches",
            Unit::Bytes,
            self.bytes.clone(),
        );
        to.register(
            "ingest_duplicates",
            "Batches acknowledged again",
            self.duplicates.clone(),
        );
        to.register(
            "ingest_rejected",
            "Batches turned away",
            self.rejected.clone(),
        );
        to.register(
            "store_quarantined",
            "Record lines put in quarantine",
            self.quarantined.clone(),
        );
        to.register("store_records", "Records stored", self.stored.clone());
        to.register_with_unit(
            "log_end",
            "Position after the last durable batch",
            Unit::Bytes,
            self.log_end.clone(),
        );
        to.register_with_unit(
            "store_position",
            "Position up to which everything is stored",
            Unit::Bytes,
            self.store_position.clone(),
        );
        to.register_with_unit(
            "store_waited",
            "Storing waited, as segments were closed more slowly than they filled",
            Unit::Seconds,
            self.store_waited.clone(),
        );
        to.register_with_unit(
            "store_lag",
            "Durable, and not yet stored",
            Unit::Bytes,
            self.store_lag.clone(),
        );
        to.register_with_unit(
            "sums_lag",
            "Stored, and not yet in lists",
            Unit::Bytes,
            self.sums_lag.clone(),
        );
        to.register_with_unit(
            "ingest_queue",
            "Batches in memory",
            Unit::Bytes,
            self.queue_bytes.clone(),
        );
        to.register_with_unit(
            "log_sync",
            "Writing a group of batches durably",
            Unit::Seconds,
            self.fsync_seconds.clone(),
        );
        to.register_with_unit(
            "store_commit",
            "One transaction of the store",
            Unit::Seconds,
            self.commit_seconds.clone(),
        );
        to.register_with_unit(
            "api_query",
            "One query of the API",
            Unit::Seconds,
            self.query_seconds.clone(),
        );
        to.register("exports", "Exports begun", self.exports.clone());
        to.register(
            "exports_cut",
            "Exports that ended before their end",
            self.exports_cut.clone(),
        );
        to.register(
            "open_visits",
            "Visits that a record may still join",
            self.open_visits.clone(),
        );
        to.register(
            "visits_closed_early",
            "Visits closed since the start as more were open than --max-open-visits",
            self.visits_closed_early.clone(),
        );
        to.register(
            "live_workers",
            "Filter workers heard of lately",
            self.live_workers.clone(),
        );
        to.register(
            "detection_records",
            "Records judged, again after a restart too",
            self.judged.clone(),
        );
        to.register("verdicts", "Verdicts", self.verdicts.clone());
        to.register_with_unit(
            "detection_lag",
            "Durable, and not yet judged",
            Unit::Bytes,
            self.detection_lag_bytes.clone(),
        );
        to.register(
            "detection_lag_records",
            "Records acknowledged since the start, and not yet judged",
            self.detection_lag_records.clone(),
        );
        to.register_with_unit(
            "detection_lag",
            "Since the last batch that was judged arrived; 0 when all are",
            Unit::Seconds,
            self.detection_lag_seconds.clone(),
        );
        to.register(
            "crawler_lookups",
            "Addresses of crawlers that the policy names, looked up in DNS",
            self.lookups.clone(),
        );
        to.register(
            "detection_sessions",
            "Live sessions that detection remembers",
            self.detection_sessions.clone(),
        );
        to.register(
            "detection_sessions_evicted",
            "Sessions that detection forgot for lack of room",
            self.detection_evicted.clone(),
        );
        to.register_with_unit(
            "detection_snapshot",
            "Last snapshot of detection",
            Unit::Bytes,
            self.snapshot_bytes.clone(),
        );
        to.register(
            "ledger_records",
            "Totals of the loss ledger",
            self.ledger.clone(),
        );
    }

    /// All figures in the `OpenMetrics` text format.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        if prometheus_client::encoding::text::encode(&mut text, &self.registry).is_err() {
            text.clear();
        }
        text
    }

    /// Sets one total of the ledger.
    pub fn account(&self, account: &'static str, records: u64) {
        self.ledger.get_or_create(&Account { account }).set(records);
    }

    /// Counts a verdict.
    pub fn verdict(&self, bot_type: &str, flagged: bool) {
        let kind = VerdictKind {
            bot_type: bot_type.to_owned(),
            flagged: if flagged { "true" } else { "false" },
        };
        self.verdicts.get_or_create(&kind).inc();
    }

    /// Counts a look-up.
    pub fn lookup(&self, outcome: &'static str) {
        self.lookups.get_or_create(&Outcome { outcome }).inc();
    }

    /// Counts a batch turned away.
    pub fn reject(&self, reason: &'static str) {
        self.rejected.get_or_create(&Reason { reason }).inc();
    }
}
