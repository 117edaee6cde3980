//! A session: its current visit in full, its past in short.

use serde::{Deserialize, Serialize};

use super::totals::Totals;
use crate::event::{Event, Referer};
use crate::features::Visit;
use crate::verdicts::Standing;

/// A gap after which another visit begins.
const IDLE_US: i64 = 30 * 60 * 1_000_000;
/// The longest visit.
const VISIT_US: i64 = 24 * 3600 * 1_000_000;
/// A record this much older than the latest is not late: the clock was set back.
const LATE_US: i64 = 3600 * 1_000_000;

/// What is remembered of one session.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) application: u32,
    pub(crate) keyed: bool,
    pub(crate) visit: Visit,
    pub(crate) totals: Totals,
    pub(crate) standing: Standing,
    /// Endpoint of the request before, plus one.
    pub(crate) previous: u32,
    pub(crate) last_us: i64,
    started_us: i64,
    /// Kin: the session that links lead to.
    pub(crate) root: Option<throughline_session::wire::SessionId>,
}

impl Session {
    /// Turns to the visit that an event belongs to; gives the gap since the request before.
    pub(crate) fn turn(&mut self, event: &Event) -> Option<i64> {
        let at = event.at_us;
        if self.totals.requests == 0 {
            self.begin(at);
            return None;
        }
        let gap = at.saturating_sub(self.last_us);
        if gap < 0 {
            if gap < -LATE_US {
                self.begin(at);
            }
            return None;
        }
        if gap > IDLE_US || at.saturating_sub(self.started_us) > VISIT_US {
            self.begin(at);
            return None;
        }
        self.last_us = at;
        Some(gap)
    }

    fn begin(&mut self, at: i64) {
        self.visit = Visit::default();
        self.previous = 0;
        self.started_us = at;
        self.last_us = at;
        self.totals.visits = self.totals.visits.saturating_add(1);
    }

    /// Whether the event names a page of this visit as where it came from.
    pub(crate) fn came_from_here(&self, event: &Event) -> bool {
        event.referer == Referer::Own
            && event
                .referer_path
                .is_some_and(|path| self.visit.endpoints.paths.contains(path))
    }
}
