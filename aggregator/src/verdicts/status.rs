//! How detection stands, for whoever asks.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use utoipa::ToSchema;

/// Whether an application is known well enough for learnt limits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ApplicationStatus {
    /// Its name.
    pub application: String,
    /// `learning`: cold-start limits hold; `ready`: limits are learnt from its own sessions.
    pub state: &'static str,
}

/// How detection stands.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Standing {
    /// Position up to which the log was judged.
    pub position: u64,
    /// Position at which the figures below were taken.
    pub told: u64,
    /// When the last batch that was judged arrived, microseconds since the Unix epoch.
    pub arrived_us: i64,
    /// Everything that the log held at the start was judged.
    pub caught_up: bool,
    /// Records judged since the start, of those that the log did not hold then.
    pub records: u64,
    /// Live sessions.
    pub sessions: u64,
    /// Addresses and networks.
    pub sources: u64,
    /// Sessions forgotten for lack of room.
    pub evicted: u64,
    /// Verdicts that were not made because somebody had said 'no bot'.
    pub suppressed: u64,
    /// Verdicts since the start, by type.
    pub verdicts: BTreeMap<String, u64>,
    /// Applications met so far.
    pub applications: Vec<ApplicationStatus>,
    /// Version of the policy whose profiles hold.
    pub policy_version: Option<String>,
    /// Last snapshot: log position, bytes, milliseconds it took.
    pub snapshot: Option<(u64, u64, u64)>,
    /// Why the state was built anew at the start; `None` when it was not.
    pub rebuilt: Option<String>,
    /// Why no snapshot can be written; `None` when it can.
    pub failing: Option<String>,
}

/// Shared by the thread and whoever asks.
#[derive(Debug, Default)]
pub struct Status(Mutex<Standing>);

impl Status {
    fn lock(&self) -> MutexGuard<'_, Standing> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How it stands now.
    #[must_use]
    pub fn get(&self) -> Standing {
        self.lock().clone()
    }

    /// Position up to which the log was judged.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.lock().position
    }

    /// Changes something.
    pub(super) fn set(&self, change: impl FnOnce(&mut Standing)) {
        change(&mut self.lock());
    }
}
