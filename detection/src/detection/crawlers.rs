//! Who is a good bot: by the networks that a profile names, or by names that the caller has looked up.
//!
//! Detection asks nobody. What the caller was told it hands in ([`Detection::confirm`]), at a place in
//! the log of its own, so that the same log gives the same verdicts.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::Detection;
use crate::verdicts::{Network, Watch};

/// Confirmed addresses that are remembered.
pub(super) const CRAWLERS_MAX: usize = 16_384;
/// How far from the time it was said a confirmation holds: addresses change hands.
const HOLDS_US: i64 = 24 * 3600 * 1_000_000;

/// What was confirmed of an address.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Crawler {
    domain: Box<str>,
    at_us: i64,
}

impl Detection {
    /// Takes over that an address lies in a domain: its name says so, and the name leads back to it.
    /// It holds for a day around `at_us`, where a profile names the domain.
    pub fn confirm(&mut self, address: IpAddr, domain: &str, at_us: i64) {
        let crawler = Crawler {
            domain: domain.into(),
            at_us,
        };
        if let Some(known) = self.crawlers.entry(&address, || crawler.clone()) {
            *known = crawler;
        }
    }

    /// Whether an address is a good bot's by a profile, at a time.
    pub(super) fn is_good_bot(&self, watch: &Watch, address: Option<IpAddr>, now_us: i64) -> bool {
        let Some(address) = address else {
            return false;
        };
        let profile = &watch.profile;
        if profile.good_bots.iter().any(|it| it.contains(address)) {
            return true;
        }
        // Nothing is looked up where no profile asks for it.
        let domains = &profile.good_bot_domains;
        !domains.is_empty()
            && self
                .crawlers
                .get(&address)
                .is_some_and(|it| it.holds(domains, now_us))
    }

    /// Whether a good bot sits in a network.
    pub(super) fn has_good_bot(&self, watch: &Watch, network: Network, now_us: i64) -> bool {
        let domains = &watch.profile.good_bot_domains;
        !domains.is_empty()
            && self
                .crawlers
                .entries()
                .any(|(address, it)| network.contains(*address) && it.holds(domains, now_us))
    }
}

impl Crawler {
    fn holds(&self, domains: &[String], now_us: i64) -> bool {
        let near = now_us.saturating_sub(self.at_us).saturating_abs() <= HOLDS_US;
        near && domains.iter().any(|domain| **domain == *self.domain)
    }
}
