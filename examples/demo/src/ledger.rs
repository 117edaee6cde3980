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
}

/// The books of one filter instance.
#[derive(Debug, Clone, Deserialize)]
pub struct WorkerCount {
    /// Exchanges that it saw end.
    pub seen: u64,
    /// It vanished: what it saw after its last word is not known.
    #[serde(default)]
    pub unknown: bool,
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
    /// Records that the filters still hold.
    pub pending: u64,
    /// Records that a vanished filter held.
    pub lost: u64,
    /// Whether `seen = stored + quarantined + dropped + pending + lost` holds.
    pub balanced: bool,
}

/// One Envoy's own request counter beside the filter's.
#[derive(Debug, Clone, Deserialize)]
pub struct EnvoyCount {
    /// Requests that Envoy counted.
    pub handled: Option<u64>,
    /// Of these, those that no filter saw.
    pub bypassed: Option<u64>,
}

impl Status {
    /// Filter instances that saw anything.
    #[must_use]
    pub fn busy_workers(&self) -> usize {
        self.workers.iter().filter(|worker| worker.seen > 0).count()
    }

    /// Filter instances whose tail is not known.
    #[must_use]
    pub fn unknown_workers(&self) -> usize {
        self.workers.iter().filter(|worker| worker.unknown).count()
    }

    /// Requests that the Envoys counted; absent when none could be asked.
    #[must_use]
    pub fn handled(&self) -> Option<u64> {
        self.envoys.iter().map(|envoy| envoy.handled).sum()
    }

    /// Requests that passed without the filter.
    #[must_use]
    pub fn bypassed(&self) -> Option<u64> {
        self.envoys.iter().map(|envoy| envoy.bypassed).sum()
    }

    /// Requests that Envoy handled and that are not in the store, for whatever reason.
    ///
    /// Negative when the store has more than Envoy counted, which is as wrong.
    #[must_use]
    pub fn missing(&self) -> Option<i128> {
        Some(i128::from(self.handled()?) - i128::from(self.totals.stored))
    }
}
