//! By whom: one client, or several that share a key; and what it says it is.

use serde::{Deserialize, Serialize};

use super::Direction::{Either, Machine};
use super::{Feature, feature};
use crate::event::{Browser, Claim};
use crate::hash;
use crate::num::log1p;
use crate::sketch::Bits;
use crate::state::Step;
use crate::state::totals::octets;

/// Who makes the requests of a visit.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Identity {
    pub(crate) addresses: Bits<1>,
    pub(crate) subnets: Bits<1>,
    pub(crate) agents: Bits<1>,
    pub(crate) users: Bits<1>,
    pub(crate) claim: Claim,
    pub(crate) browser: Option<Browser>,
    pub(crate) shape: Option<u64>,
    /// Headers that any request with the latest user agent had; `None` where records do not say.
    pub(crate) marks: Option<u32>,
    /// Requests with this user agent whose headers are known.
    pub(crate) marked: u32,
    /// Countries and autonomous systems, where the caller has databases.
    pub(crate) countries: Bits<1>,
    pub(crate) asns: Bits<1>,
    /// Of the client's TLS, the latest.
    pub(crate) fingerprint: Option<u64>,
    agent: Option<u64>,
    pub(crate) http2: bool,
    pub(crate) http10: bool,
    /// Of the first request.
    pub(crate) address: Option<std::net::IpAddr>,
}

impl Identity {
    pub(crate) fn observe(&mut self, step: &Step<'_>) {
        let event = step.event;
        if let Some(address) = event.address {
            self.addresses.insert(hash::bytes(3, &octets(address)));
            self.address.get_or_insert(address);
        }
        if let Some(subnet) = event.subnet {
            self.subnets.insert(hash::bytes(3, &octets(subnet)));
        }
        if let Some(country) = event.country {
            self.countries.insert(country);
        }
        if let Some(asn) = event.asn {
            self.asns.insert(hash::mix(u64::from(asn)));
        }
        self.fingerprint = event.fingerprint.or(self.fingerprint);
        if let Some(agent) = event.user_agent {
            self.agents.insert(agent);
            self.claim = event.claim;
            self.browser = event.browser;
        }
        if let Some(user) = event.user {
            self.users.insert(user);
        }
        if event.user_agent != self.agent {
            self.agent = event.user_agent;
            (self.marks, self.marked) = (None, 0);
        }
        if let Some(marks) = event.header_marks {
            self.marked = self.marked.saturating_add(1);
            self.marks = Some(self.marks.unwrap_or(0) | marks);
        }
        self.shape = event.header_shape.or(self.shape);
        self.http2 |= event.protocol == crate::event::Protocol::Http2;
        self.http10 |= event.protocol == crate::event::Protocol::Http10;
    }
}

fn known(count: f64) -> Option<f64> {
    (count > 0.5).then(|| log1p(count))
}

pub(super) const FEATURES: &[Feature] = &[
    feature("addresses", Machine, "Addresses in the session, logarithm.", |view| {
        Some(log1p(view.session.totals.addresses.count()))
    }),
    feature("countries", Machine, "Countries in the visit, where known, logarithm.", |view| {
        known(view.visit.identity.countries.count())
    }),
    feature("networks_owned", Machine, "Autonomous systems, where known, logarithm.", |view| {
        known(view.visit.identity.asns.count())
    }),
    feature("claims_browser", Either, "The user agent claims a browser.", |view| {
        match view.visit.identity.claim {
            Claim::Unknown => None,
            Claim::Browser => Some(1.0),
            _ => Some(0.0),
        }
    }),
    feature("claims_machine", Machine, "The user agent claims a crawler or a tool.", |view| {
        match view.visit.identity.claim {
            Claim::Unknown => None,
            Claim::Crawler | Claim::Tool | Claim::Attack => Some(1.0),
            _ => Some(0.0),
        }
    }),
];
