//! A session over all its visits, in small counts.

use serde::{Deserialize, Serialize};

use crate::event::Event;
use crate::num;
use crate::sketch::Bits;

/// Small counts that survive a visit.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Totals {
    pub(crate) requests: u32,
    pub(crate) visits: u32,
    pub(crate) first_us: i64,
    pub(crate) last_us: i64,
    pub(crate) sessions: Bits<1>,
    pub(crate) addresses: Bits<1>,
    /// Hours of the day with requests, one bit each.
    pub(crate) hours: u32,
    pub(crate) misses: u32,
    pub(crate) logins_failed: u32,
    pub(crate) logins_succeeded: u32,
}

impl Totals {
    pub(crate) fn observe(&mut self, event: &Event) {
        if self.requests == 0 {
            self.first_us = event.at_us;
        }
        self.requests = self.requests.saturating_add(1);
        self.last_us = self.last_us.max(event.at_us);
        let hour = event.at_us.div_euclid(3_600_000_000).rem_euclid(24);
        self.hours |= 1 << hour;
        if let Some(address) = event.address {
            self.addresses
                .insert(crate::hash::bytes(3, &octets(address)));
        }
        self.sessions
            .insert(crate::hash::bytes(4, &event.session.0));
        self.misses += u32::from(event.missed());
        self.logins_failed += u32::from(event.login_failed());
        self.logins_succeeded += u32::from(event.login_succeeded());
    }

    /// Hours from the first to the last request.
    pub(crate) fn age_hours(&self) -> f64 {
        num::seconds(self.last_us.saturating_sub(self.first_us)) / 3600.0
    }
}

/// An address as bytes, to be hashed.
pub(crate) fn octets(address: std::net::IpAddr) -> [u8; 16] {
    match address {
        std::net::IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
        std::net::IpAddr::V6(v6) => v6.octets(),
    }
}
