//! Logins of a whole application: what no single session shows.
//!
//! A stuffer with a thousand addresses fails once or twice from each. Seen by itself every one of
//! them is a person who mistyped; together they are logins that come from nowhere, browse nothing
//! and fail far more often than logins do here.

use serde::{Deserialize, Serialize};

use crate::event::{Event, LogPosition};
use crate::num;
use crate::sketch::{Bits, Rolling};
use crate::state::session::Session;
use throughline_session::wire::SessionId;

const WINDOW: i64 = 6 * 3600;
/// Sessions remembered until there are enough to tell.
const MEMBERS_MAX: usize = 2048;
/// Failed share of a person's first logins where nothing is learnt yet.
const COLD_FAILED: f64 = 0.15;

/// A session that may be part of a campaign.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Member {
    pub(crate) session: SessionId,
    pub(crate) position: LogPosition,
    at_us: i64,
}

/// First logins of sessions, lately and since ever.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Campaign {
    /// Of sessions that did something besides: people.
    people_failed: u32,
    people_succeeded: u32,
    /// Of sessions that do nothing but log in.
    bare_failed: Rolling<WINDOW>,
    bare_succeeded: Rolling<WINDOW>,
    sources: Bits<16>,
    sources_us: i64,
    members: Vec<Member>,
    next: usize,
    announced_us: i64,
}

impl Campaign {
    /// Whether a visit does nothing but log in: at most two other requests, no assets.
    pub(crate) fn is_bare(session: &Session) -> bool {
        session.visit.authentication.logins().attempts > 0 && Self::does_nothing_else(session)
    }

    fn does_nothing_else(session: &Session) -> bool {
        session.visit.authentication.others <= 2 && session.visit.assets.assets() == 0
    }

    /// Learns from an answered login; the session has learnt from it already.
    /// `before` is the session that the login came from, where it gave the client another one.
    pub(crate) fn observe(&mut self, event: &Event, session: &Session, before: Option<&Session>) {
        let attempts = match before {
            Some(before) => before
                .visit
                .authentication
                .logins()
                .attempts
                .saturating_add(1),
            None => session.visit.authentication.logins().attempts,
        };
        if attempts != 1 || !(event.login_failed() || event.login_succeeded()) {
            return;
        }
        let at = event.at_us;
        let failed = event.login_failed();
        if !before.map_or_else(|| Self::is_bare(session), Self::does_nothing_else) {
            let counter = if failed {
                &mut self.people_failed
            } else {
                &mut self.people_succeeded
            };
            *counter = counter.saturating_add(1);
            return;
        }
        if !failed {
            self.bare_succeeded.add(at);
            return;
        }
        self.bare_failed.add(at);
        if at.saturating_sub(self.sources_us).abs() > 2 * WINDOW * 1_000_000 {
            self.sources = Bits::default();
            self.sources_us = at;
        }
        if let Some(subnet) = event.subnet {
            self.sources
                .insert(crate::hash::bytes(5, &super::totals::octets(subnet)));
        }
        let member = Member {
            session: event.session,
            position: event.position,
            at_us: at,
        };
        match self.members.get_mut(self.next) {
            Some(old) => *old = member,
            None => self.members.push(member),
        }
        self.next = (self.next + 1) % MEMBERS_MAX;
    }

    /// The members so far, once per hour of a campaign: they are judged again.
    pub(crate) fn announce(&mut self, now_us: i64) -> Option<Vec<Member>> {
        const AGAIN_US: i64 = 3600 * 1_000_000;
        if now_us.saturating_sub(self.announced_us).abs() < AGAIN_US {
            return None;
        }
        self.announced_us = now_us;
        Some(self.members(now_us))
    }

    /// Sessions of the last window that failed, latest last.
    pub(crate) fn members(&self, now_us: i64) -> Vec<Member> {
        let since = now_us.saturating_sub(WINDOW * 1_000_000);
        let mut members: Vec<_> = self
            .members
            .iter()
            .filter(|member| member.at_us >= since)
            .copied()
            .collect();
        members.sort_unstable_by_key(|member| member.position);
        members
    }

    /// The latest few that failed, latest first: called for every vote, so it sorts nothing.
    pub(crate) fn latest(&self, now_us: i64) -> impl Iterator<Item = &Member> {
        let since = now_us.saturating_sub(WINDOW * 1_000_000);
        let (newer, older) = self.members.split_at(self.next.min(self.members.len()));
        let latest = newer.iter().rev().chain(older.iter().rev());
        latest.filter(move |member| member.at_us >= since)
    }

    /// How often people fail here.
    pub(crate) fn usual(&self) -> (f64, bool) {
        const WEIGHT: f64 = 50.0;
        let failed = f64::from(self.people_failed);
        let all = failed + f64::from(self.people_succeeded);
        let usual = (failed + WEIGHT * COLD_FAILED) / (all + WEIGHT);
        (usual.min(0.3), all >= WEIGHT)
    }

    /// How it stands.
    pub(crate) fn weigh(&self, now_us: i64) -> Weight {
        let failed = self.bare_failed.count(now_us);
        let succeeded = self.bare_succeeded.count(now_us);
        let (usual, learnt) = self.usual();
        let honest = succeeded * usual / (1.0 - usual);
        Weight {
            failed,
            sources: self.sources.count(),
            share: num::share(failed, failed + succeeded).unwrap_or(0.0),
            usual,
            learnt,
            guilty: num::share(failed - honest, failed).unwrap_or(0.0).max(0.0),
        }
    }
}

/// The logins of sessions that do nothing else, over the last hours.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Weight {
    /// Sessions that failed.
    pub(crate) failed: f64,
    /// Networks they came from.
    pub(crate) sources: f64,
    /// Failed share.
    pub(crate) share: f64,
    /// Failed share of people's first logins.
    pub(crate) usual: f64,
    pub(crate) learnt: bool,
    /// The share of failures that people's mistakes do not explain.
    pub(crate) guilty: f64,
}
