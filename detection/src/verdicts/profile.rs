//! What an application's owner decides.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use throughline_session::wire::SessionId;

use super::Sensitivity;
use crate::detectors::{self, Limits};
use crate::event::Exchange;
use crate::state::session::Session;

/// A network: an address and how many of its leading bits count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    /// Any address in it.
    pub address: IpAddr,
    /// Leading bits, at most 32 or 128.
    pub bits: u8,
}

impl Network {
    /// Whether an address lies in it.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let bits = u32::from(self.bits);
        match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let apart = u32::from(own) ^ u32::from(other);
                apart.leading_zeros() >= bits.min(32)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let apart = u128::from(own) ^ u128::from(other);
                apart.leading_zeros() >= bits.min(128)
            }
            _ => false,
        }
    }
}

/// Whom to leave alone: no verdict is made, so there is neither alert nor reaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exception {
    /// Requests from a network; an address is one of 32 or 128 bits.
    Network(Network),
    /// Requests whose user agent is exactly this.
    UserAgent(String),
    /// Requests whose path begins with this.
    PathPrefix(String),
    /// One session.
    Session(SessionId),
    /// One user, by the name that records carry.
    User(String),
    /// Requests from a country, two letters in capitals, where the caller knows countries.
    Country(String),
}

impl Exception {
    fn covers(&self, exchange: &Exchange<'_>, address: Option<IpAddr>) -> bool {
        match self {
            Self::Network(network) => address.is_some_and(|address| network.contains(address)),
            Self::UserAgent(text) => exchange.user_agent.as_deref() == Some(text),
            Self::PathPrefix(prefix) => {
                let path = exchange.path.as_deref();
                path.is_some_and(|path| path.starts_with(&**prefix))
            }
            Self::Session(session) => exchange.session == *session,
            Self::User(user) => exchange.user.as_deref() == Some(user),
            Self::Country(country) => exchange.country.as_deref() == Some(country),
        }
    }
}

/// How an application wants to be watched.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Profile {
    /// What is flagged.
    pub sensitivity: Sensitivity,
    /// Detectors that are off, by name.
    pub off: Vec<String>,
    /// Limits in place of cold-start and learnt ones, by detector.
    pub limits: Vec<(String, f64)>,
    /// Whom to leave alone.
    pub exceptions: Vec<Exception>,
    /// Networks of good bots, verified by the caller.
    pub good_bots: Vec<Network>,
    /// Domains of good bots, in lower case: an address that the caller has confirmed to lie in one
    /// ([`crate::Detection::confirm`]) is left alone like those of `good_bots`.
    pub good_bot_domains: Vec<String>,
    /// Parameters of records, or of queries, whose value is the account that a login tries.
    pub account_parameters: Vec<String>,
    /// Parameters of records whose value is the fingerprint of the client's TLS, as the proxy
    /// measured it.
    pub fingerprint_parameters: Vec<String>,
}

impl Profile {
    /// Names in it that no detector has: typing errors that would silently do nothing.
    #[must_use]
    pub fn unknown_names(&self) -> Vec<&str> {
        let named = self.limits.iter().map(|(name, _)| name).chain(&self.off);
        named
            .filter(|name| detectors::abouts().all(|about| about.name != **name))
            .map(String::as_str)
            .collect()
    }
}

/// A profile with its names looked up.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(from = "Profile", into = "Profile")]
pub(crate) struct Watch {
    pub(crate) profile: Profile,
    /// Per detector: `None` when it is off, and its limit where the profile has one.
    limits: Vec<Option<Option<f64>>>,
}

impl Default for Watch {
    fn default() -> Self {
        Profile::default().into()
    }
}

impl From<Watch> for Profile {
    fn from(watch: Watch) -> Self {
        watch.profile
    }
}

impl From<Profile> for Watch {
    fn from(profile: Profile) -> Self {
        let limits = detectors::abouts().map(|about| {
            let fixed = profile.limits.iter().find(|(name, _)| name == about.name);
            let on = !profile.off.iter().any(|name| name == about.name);
            on.then_some(fixed.map(|(_, limit)| *limit))
        });
        Self {
            limits: limits.collect(),
            profile,
        }
    }
}

impl Watch {
    /// The limits of a detector, `None` when it is off.
    pub(crate) fn limits_of(&self, detector: usize) -> Option<Limits> {
        let on = self.limits.get(detector).copied().flatten();
        on.map(|fixed| Limits { fixed, visits: 1.0 })
    }

    /// Whether a session is to be left alone that is judged without a request of its own.
    pub(crate) fn excepts_session(&self, session: &Session, id: &SessionId) -> bool {
        let address = session.visit.identity.address;
        let inside = |network: &Network| address.is_some_and(|it| network.contains(it));
        let mut exceptions = self.profile.exceptions.iter();
        exceptions.any(|exception| match exception {
            Exception::Network(network) => inside(network),
            Exception::Session(excepted) => excepted == id,
            Exception::UserAgent(_)
            | Exception::PathPrefix(_)
            | Exception::User(_)
            | Exception::Country(_) => false,
        })
    }

    /// Whether somebody is to be left alone.
    pub(crate) fn excepts(&self, exchange: &Exchange<'_>, address: Option<IpAddr>) -> bool {
        let mut exceptions = self.profile.exceptions.iter();
        exceptions.any(|exception| exception.covers(exchange, address))
    }

    /// Whether somebody who is to be left alone sits in a network.
    pub(crate) fn excepts_in(&self, network: Network) -> bool {
        let named = self.profile.exceptions.iter().filter_map(|it| match it {
            Exception::Network(network) => Some(network),
            _ => None,
        });
        let mut all = named.chain(&self.profile.good_bots);
        all.any(|it| it.contains(network.address) || network.contains(it.address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_hold_their_addresses() {
        for (network, bits, address, expected) in [
            ("203.0.113.0", 24, "203.0.113.9", true),
            ("203.0.113.0", 24, "203.0.114.9", false),
            ("203.0.113.9", 32, "203.0.113.9", true),
            ("2001:db8::", 32, "2001:db8:1::1", true),
            ("2001:db8::", 32, "203.0.113.9", false),
            ("0.0.0.0", 0, "203.0.113.9", true),
        ] {
            let network = Network {
                address: network.parse().unwrap(),
                bits,
            };
            assert_eq!(
                network.contains(address.parse().unwrap()),
                expected,
                "{address}"
            );
        }
    }

    #[test]
    fn misspelt_detectors_are_named() {
        let profile = Profile {
            off: vec!["scraping".into(), "scrapping".into()],
            ..Profile::default()
        };
        assert_eq!(profile.unknown_names(), ["scrapping"]);
    }
}
