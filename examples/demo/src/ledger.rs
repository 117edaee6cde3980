//! `GET /v1/status`: the aggregator's books, as far as the demo and the tests read them.

use serde::Deserialize;

/// The answer of `GET /v1/status`.
#[derive(Debug, Clone, Deserialize)]
pub struct Status {
    /// All filters together.
    pub totals: Totals,
    /// What each Envoy counted itself.
    #[serde(default)]
    pub envoys: Vec<EnvoyCount>,
    /// The books of each filter instance.
    #[serde(default)]
    pub workers: Vec<WorkerCount>,
    /// How far the store is.
    pub store: StoreCount,
}

/// How far the store is, as positions of the log.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct StoreCount {
    /// Up to here requests are stored,
    pub position: u64,
    /// and up to here lists see them.
    pub summed: u64,
}

/// The books of one filter instance.
#[derive(Debug, Clone, Deserialize)]
pub struct WorkerCount {
    /// The run of its Envoy.
    pub boot: String,
    /// Exchanges that it saw end.
    pub seen: u64,
}

/// Where the records of all filters are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Totals {
    /// Exchanges that the filters saw end.
    pub seen: u64,
    /// Records in the store.
    pub stored: u64,
    /// Records that could not be read.
    pub quarantined: u64,
    /// Records that the filters gave up.
    pub dropped: u64,
    /// Records not yet in the store.
    pub pending: u64,
    /// Records that a vanished filter held.
    pub lost: u64,
    /// What nobody can know.
    pub unknown: Unknown,
    /// Requests that no filter saw.
    pub bypassed: u64,
    /// Whether `seen = stored + quarantined + dropped + pending + lost` holds everywhere.
    pub balanced: bool,
}

/// The tails of vanished filter instances.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Unknown {
    /// Instances whose tail is not known.
    pub workers: u64,
    /// How many exchanges these tails had at least.
    pub at_least: u64,
}

/// One Envoy's own request counter.
#[derive(Debug, Clone, Deserialize)]
pub struct EnvoyCount {
    /// Requests that it counted.
    pub handled: u64,
    /// When it was asked; absent before the first time.
    pub last_scrape: Option<String>,
}

impl Status {
    /// Filter instances that saw anything.
    #[must_use]
    pub fn busy_workers(&self) -> usize {
        self.workers.iter().filter(|worker| worker.seen > 0).count()
    }

    /// Requests that the Envoys counted; absent while one was not asked yet.
    #[must_use]
    pub fn handled(&self) -> Option<u64> {
        let count = |envoy: &EnvoyCount| envoy.last_scrape.as_ref().map(|_| envoy.handled);
        if self.envoys.is_empty() {
            None
        } else {
            self.envoys.iter().map(count).sum()
        }
    }

    /// Requests that Envoy handled and that are not in the store, for whatever reason.
    ///
    /// Negative when the store has more than Envoy counted, which is as wrong.
    #[must_use]
    pub fn missing(&self) -> Option<i128> {
        Some(i128::from(self.handled()?) - i128::from(self.totals.stored))
    }
}
