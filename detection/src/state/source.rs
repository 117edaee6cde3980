//! An address or a network over time: many sessions, one place.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::totals::octets;
use crate::event::{Event, Kind};
use crate::hash;
use crate::num;
use crate::sketch::{Bits, Rolling, Sample};
use crate::verdicts::{HOLDS_US, Network, Subject, Verdict};

/// Half a day: long enough for a slow bot, short enough that an address that changed hands
/// starts clean.
pub(crate) const WINDOW_SECONDS: i64 = 12 * 3600;

/// What an address or a network did lately.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Source {
    pub(crate) requests: u32,
    pub(crate) recent: Rolling<WINDOW_SECONDS>,
    pub(crate) sessions: Bits<8>,
    pub(crate) addresses: Bits<1>,
    pub(crate) agents: Bits<1>,
    pub(crate) paths: Bits<8>,
    pub(crate) days: u32,
    first_day: i64,
    pub(crate) hours: u32,
    pub(crate) assets: u32,
    pub(crate) referers: u32,
    /// Requests for other than assets.
    pub(crate) documents: u32,
    pub(crate) logins: Rolling<WINDOW_SECONDS>,
    pub(crate) logins_failed: Rolling<WINDOW_SECONDS>,
    pub(crate) logins_succeeded: Rolling<WINDOW_SECONDS>,
    /// Accounts that failed logins tried, where known.
    pub(crate) accounts: Bits<4>,
    /// Sessions with a failed login.
    pub(crate) failed_sessions: Bits<4>,
    pub(crate) misses: Rolling<WINDOW_SECONDS>,
    pub(crate) missed_paths: Bits<4>,
    pub(crate) sample: Sample,
    reset_us: i64,
    /// Sessions that were here since the sets began anew, and those of them that were flagged.
    pub(crate) active: Bits<4>,
    pub(crate) flagged: u32,
    said_us: i64,
}

impl Source {
    pub(crate) fn observe(&mut self, event: &Event) {
        let at = event.at_us;
        self.forget(at);
        self.requests = self.requests.saturating_add(1);
        self.recent.add(at);
        let session = hash::bytes(1, &event.session.0);
        self.sessions.insert(session);
        self.active.insert(session);
        if let Some(address) = event.address {
            self.addresses.insert(hash::bytes(2, &octets(address)));
        }
        if let Some(agent) = event.user_agent {
            self.agents.insert(agent);
        }
        self.paths.insert(event.path);
        let day = at.div_euclid(86_400_000_000);
        if self.first_day == 0 {
            self.first_day = day;
        }
        self.days |= 1 << day.saturating_sub(self.first_day).clamp(0, 31);
        self.hours |= 1 << at.div_euclid(3_600_000_000).rem_euclid(24);
        self.assets += u32::from(event.kind.is_asset());
        self.documents += u32::from(!event.kind.is_asset() && event.kind != Kind::Robots);
        self.referers += u32::from(event.referer != crate::event::Referer::None);
        if event.login {
            self.logins.add(at);
        }
        if event.login_succeeded() {
            self.logins_succeeded.add(at);
        }
        if event.login_failed() {
            self.logins_failed.add(at);
            self.failed_sessions.insert(session);
            self.sample.add(event.position);
            if let Some(account) = event.account {
                self.accounts.insert(account);
            }
        } else if event.missed() {
            self.misses.add(at);
            self.missed_paths.insert(event.path);
        }
    }

    /// A verdict on the whole place, where at least so many sessions were flagged lately and nine
    /// in ten of all were: people behind the same address are left alone. Once in twelve hours.
    pub(crate) fn verdict(
        &mut self,
        ip: IpAddr,
        address: bool,
        least: f64,
        because: &Verdict,
    ) -> Option<Verdict> {
        let at = because.at_us;
        let flagged = f64::from(self.flagged);
        let sessions = self.active.count().max(flagged);
        let again = at.saturating_sub(self.said_us) >= HOLDS_US / 2;
        if flagged < least || flagged < 0.9 * sessions || self.said_us != 0 && !again {
            return None;
        }
        self.said_us = at;
        Some(Verdict {
            subject: Subject::Source {
                network: Network {
                    address: ip,
                    bits: match (ip, address) {
                        (IpAddr::V4(_), true) => 32,
                        (IpAddr::V4(_), false) => 24,
                        (IpAddr::V6(_), true) => 128,
                        (IpAddr::V6(_), false) => 64,
                    },
                },
                flagged: self.flagged,
                sessions: num::count(sessions),
            },
            ..because.clone()
        })
    }

    /// Sets are kept for two windows at most.
    fn forget(&mut self, at: i64) {
        const KEPT_US: i64 = 2 * WINDOW_SECONDS * 1_000_000;
        if at.saturating_sub(self.reset_us).abs() > KEPT_US {
            self.accounts = Bits::default();
            self.failed_sessions = Bits::default();
            self.missed_paths = Bits::default();
            self.sample = Sample::default();
            self.active = Bits::default();
            self.flagged = 0;
            self.reset_us = at;
        }
    }
}
