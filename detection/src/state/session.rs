//! A session: its current visit in full, its past in short. A group of sessions that belong
//! together, and all sessions of a user, are kept in the same form: what is judged in one session
//! is judged in many as if they were one.

use serde::{Deserialize, Serialize};
use throughline_session::wire::SessionId;

use super::Step;
use super::totals::Totals;
use crate::event::{Event, Referer};
use crate::features::Visit;
use crate::verdicts::Standing;

/// A gap after which another visit begins.
const IDLE_US: i64 = 30 * 60 * 1_000_000;
/// The longest visit.
const VISIT_US: i64 = 24 * 3600 * 1_000_000;
/// How long what a group did is added up before it starts over.
const GROUP_US: i64 = 7 * VISIT_US;
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
    /// Requests of the visit when it was judged last.
    pub(crate) judged: u32,
    /// Endpoint of the request before, plus one.
    pub(crate) previous: u32,
    pub(crate) last_us: i64,
    pub(crate) started_us: i64,
    /// It took over from a session that fetched assets: a person's login gives a new key.
    pub(crate) from_browser: bool,
    /// The policy changed in the midst of its visit: how it began stands in a session of the policy
    /// before, so nothing follows from what it did not do.
    pub(crate) cut: bool,
    /// The first of the sessions that belong together with this one.
    pub(crate) root: Option<SessionId>,
    /// Whose it is, as far as the last exchanges say.
    pub(crate) owner: Option<Owner>,
}

/// The user of a session.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Owner {
    /// The user, by hash.
    pub(crate) user: u64,
    /// No client could have made it up: requests that name nobody are the user's, too.
    pub(crate) certain: bool,
}

impl Session {
    /// Whether an event begins another visit, and so ends the one that is remembered.
    pub(crate) fn ends_with(&self, event: &Event) -> bool {
        let gap = event.at_us.saturating_sub(self.last_us);
        let age = event.at_us.saturating_sub(self.started_us);
        self.totals.requests > 0 && (!(-LATE_US..=IDLE_US).contains(&gap) || age > VISIT_US)
    }

    /// Turns to the visit that an event belongs to; gives the gap since the request before.
    pub(crate) fn turn(&mut self, event: &Event) -> Option<i64> {
        let at = event.at_us;
        if self.totals.requests == 0 || self.ends_with(event) {
            self.begin(at);
            return None;
        }
        self.pass_to(at)
    }

    /// The same for a group: its visits add up for a week.
    pub(crate) fn turn_group(&mut self, event: &Event) -> Option<i64> {
        let at = event.at_us;
        let age = at.saturating_sub(self.started_us);
        if self.totals.requests == 0 || !(-LATE_US..=GROUP_US).contains(&age) {
            self.begin(at);
            return None;
        }
        let gap = self.pass_to(at)?;
        if gap > IDLE_US {
            self.totals.visits = self.totals.visits.saturating_add(1);
            self.previous = 0;
            return None;
        }
        Some(gap)
    }

    /// `None` for a late record.
    fn pass_to(&mut self, at: i64) -> Option<i64> {
        let gap = at.saturating_sub(self.last_us);
        self.last_us = self.last_us.max(at);
        (gap >= 0).then_some(gap)
    }

    fn begin(&mut self, at: i64) {
        self.visit = Visit::default();
        self.judged = 0;
        self.cut = false;
        self.previous = 0;
        self.started_us = at;
        self.last_us = at;
        self.totals.visits = self.totals.visits.saturating_add(1);
    }

    /// The group that this session founds, with what it did in its visit so far.
    pub(crate) fn found_group(&self) -> Self {
        Self {
            standing: Standing::default(),
            root: None,
            totals: Totals {
                visits: 1,
                ..self.totals.clone()
            },
            ..self.clone()
        }
    }

    /// Adds a member's step to a group; gives what all of it did, unless many seem to share it.
    pub(crate) fn observe_member(&mut self, step: &Step<'_>, application: u32) -> Option<&Visit> {
        let event = step.event;
        self.application = application;
        self.keyed |= event.keyed;
        let gap_us = self.turn_group(event);
        self.totals.observe(event);
        self.visit.observe(&Step { gap_us, ..*step });
        self.previous = event.endpoint + 1;
        (!self.is_shared()).then_some(&self.visit)
    }

    /// Whether more people than one seem to be in this group: a key that many share joins nobody.
    pub(crate) fn is_shared(&self) -> bool {
        const MANY: f64 = 5.5;
        let identity = &self.visit.identity;
        let one_user = (0.5..1.5).contains(&identity.users.count());
        let many = if one_user { 2.0 * MANY } else { MANY };
        identity.agents.count() >= many && identity.subnets.count() >= many
    }

    /// Whether the event names a page of this visit as where it came from.
    pub(crate) fn came_from_here(&self, event: &Event) -> bool {
        event.referer == Referer::Own
            && event
                .referer_path
                .is_some_and(|path| self.visit.endpoints.paths.contains(path))
    }
}
