//! request → session key: which application, which rules find a value, which session.
//!
//! Early, when the request's headers are in, and once more when the exchange has ended: then the
//! bodies and the response may hold further keys. The first rule in the policy's order that found
//! a value makes the final session; every other session found is linked to it.

use std::borrow::Cow;
use std::net::IpAddr;

use super::document::{Fallback, Mask};
use super::rule::{Kept, Policy, Rule, Where};
use crate::extract::{Failure, Outcome, Parts};
use crate::identity::{Hasher, Namespace};
use crate::wire::{Link, LinkKind, Param, SessionId, ShareKind};

const LINKS_MAX: usize = 4;
const FAILURES_MAX: usize = 8;

/// A session that some rule found; `None` stands for the fallback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Found {
    rule: Option<usize>,
    session: SessionId,
}

/// What a rule came to.
enum Looked {
    Found(SessionId),
    Missing,
    Failed(Failure),
}

/// What is known when the request's headers are in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Early {
    application: Option<usize>,
    /// In the policy's order; the fallback alone where no rule found a value.
    found: Vec<Found>,
    /// What has to be kept until the end.
    pub needs: Needs,
    hits: Hits,
    failed: Vec<(usize, Failure)>,
}

/// Which bodies a rule or parameter for this request reads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Needs {
    /// The request's.
    pub request_body: bool,
    /// The response's.
    pub response_body: bool,
}

impl std::ops::BitOr for Needs {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self {
            request_body: self.request_body | other.request_body,
            response_body: self.response_body | other.response_body,
        }
    }
}

/// Rules and parameters of one policy by their numbers, as bits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Hits {
    /// Key rules that the request is for.
    pub rules_expected: u128,
    /// Of these the ones that found a value.
    pub rules_found: u128,
    /// Parameters that the request is for.
    pub parameters_expected: u64,
    /// Of these the ones that found a value.
    pub parameters_found: u64,
    /// How many rules and parameters could not read theirs, as far as [`Late::failed`] names them.
    pub failed: u8,
}

/// What is known when the exchange has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Late<'p> {
    /// The application that host and path belong to.
    pub application: &'p str,
    /// The rule that made the session, or the fallback.
    pub key: &'p str,
    /// The session.
    pub session: SessionId,
    /// Other sessions that belong together with it.
    pub links: Vec<Link<'p>>,
    /// Context parameters.
    pub params: Vec<Param<'p>>,
    /// Which rules and parameters were expected, and which found a value.
    pub hits: Hits,
    /// Which rule or parameter could not read its value, and why.
    pub failed: Vec<(Cow<'p, str>, Cow<'p, str>)>,
}

impl Early {
    /// The session known when the request's headers were in.
    #[must_use]
    pub fn session(&self) -> SessionId {
        // There always is one: the fallback's at least.
        self.found
            .first()
            .map_or(crate::hex::Hex([0; 16]), |found| found.session)
    }
}

impl Policy {
    /// Finds the application and the sessions of a request; a fallback always finds one, and
    /// only for a fallback is `client_ip` asked.
    #[must_use]
    pub fn early<'c>(
        &self,
        parts: &Parts<'_>,
        client_ip: impl FnOnce() -> &'c [u8],
        hasher: &Hasher,
    ) -> Early {
        let application = self.application_of(parts);
        let place = self.place(application, parts);
        let mut early = Early {
            application,
            ..Early::default()
        };
        for (index, rule) in self.covering(&place).filter(|(_, rule)| !rule.late) {
            self.try_rule(index, rule, parts, &place, hasher, &mut early);
        }
        if early.found.is_empty() {
            let session = self.fallback_session(place.application, parts, client_ip(), hasher);
            early.found.push(Found {
                rule: None,
                session,
            });
        }
        early.needs = self.needs(&place, parts);
        early
    }

    /// Finds what the rest of the exchange adds. `parts` are those of [`Self::early`] and more.
    #[must_use]
    pub fn late<'p>(&'p self, early: &Early, parts: &Parts<'_>, hasher: &Hasher) -> Late<'p> {
        let place = self.place(early.application, parts);
        let mut all = early.clone();
        let late = self.rules.iter().enumerate().filter(|(_, rule)| rule.late);
        for (index, rule) in late.filter(|(_, rule)| rule.when.covers(&place)) {
            self.try_rule(index, rule, parts, &place, hasher, &mut all);
        }
        let order = |found: &Found| found.rule.unwrap_or(usize::MAX);
        let last = all.found.iter().copied().min_by_key(order);
        let last = last.unwrap_or(Found {
            rule: None,
            session: early.session(),
        });
        let others = all
            .found
            .iter()
            .filter(|other| other.session != last.session);
        let links = others
            .take(LINKS_MAX)
            .map(|other| Link {
                kind: self.link_kind(early, &last, other),
                session: other.session,
                key: Cow::Borrowed(self.key_name(other)),
            })
            .collect();
        let mut failed = Vec::new();
        for (index, why) in &all.failed {
            if let Some(rule) = self.rules.get(*index) {
                note(&mut failed, &rule.name, why.name());
            }
        }
        let params = self.params(&place, parts, hasher, &mut failed, &mut all.hits);
        all.hits.failed = u8::try_from(failed.len()).unwrap_or(u8::MAX);
        Late {
            application: self.application_name(early.application),
            key: self.key_name(&last),
            session: last.session,
            links,
            params,
            hits: all.hits,
            failed,
        }
    }

    fn try_rule(
        &self,
        index: usize,
        rule: &Rule,
        parts: &Parts<'_>,
        place: &Where<'_>,
        hasher: &Hasher,
        into: &mut Early,
    ) {
        let bit = u32::try_from(index)
            .ok()
            .and_then(|index| 1_u128.checked_shl(index));
        into.hits.rules_expected |= bit.unwrap_or(0);
        match rule.session(parts, place, hasher) {
            Looked::Found(session) => {
                into.hits.rules_found |= bit.unwrap_or(0);
                push(
                    &mut into.found,
                    Found {
                        rule: Some(index),
                        session,
                    },
                );
            }
            Looked::Failed(why) if into.failed.len() < FAILURES_MAX => {
                into.failed.push((index, why));
            }
            Looked::Failed(_) | Looked::Missing => {}
        }
    }

    /// The counted rules and parameters: kind, name, number, and whether it is built in.
    pub fn counted(&self) -> impl Iterator<Item = (ShareKind, &str, u32, bool)> {
        let number = |index| u32::try_from(index).unwrap_or(u32::MAX);
        let rules = self.rules.iter().enumerate().map(move |(index, rule)| {
            let is_builtin = rule.name.starts_with(super::builtin::PREFIX);
            (ShareKind::Key, &*rule.name, number(index), is_builtin)
        });
        let parameters = self.parameters.iter().enumerate();
        rules.chain(
            parameters.map(move |(index, kept)| {
                (ShareKind::Parameter, &*kept.name, number(index), false)
            }),
        )
    }

    /// The application of a request.
    #[must_use]
    pub fn application_name(&self, index: Option<usize>) -> &str {
        index
            .and_then(|index| self.applications.get(index))
            .map_or("default", |(name, _)| name)
    }

    fn application_of(&self, parts: &Parts<'_>) -> Option<usize> {
        let host = parts.request.host().unwrap_or_default();
        let path = parts.request.path().unwrap_or_default();
        self.applications
            .iter()
            .position(|(_, scope)| scope.covers(host, path))
    }

    fn place<'a>(&'a self, application: Option<usize>, parts: &'a Parts<'_>) -> Where<'a> {
        Where {
            application: self.application_name(application),
            host: parts.request.host().unwrap_or_default(),
            path: parts.request.path().unwrap_or_default(),
            method: parts.request.method,
        }
    }

    fn covering(&self, place: &Where<'_>) -> impl Iterator<Item = (usize, &Rule)> {
        self.rules
            .iter()
            .enumerate()
            .filter(|(_, rule)| rule.when.covers(place))
    }

    fn needs(&self, place: &Where<'_>, parts: &Parts<'_>) -> Needs {
        if !self.reads_bodies {
            return Needs::default();
        }
        let rules = self.covering(place).map(|(_, rule)| &rule.from);
        let kept = self
            .parameters
            .iter()
            .filter(|kept| kept.when.covers(place));
        let sources = rules.chain(kept.map(|kept| &kept.from)).flatten();
        let mut needs = Needs::default();
        let kind = parts.request.content_type.unwrap_or_default();
        for source in sources.filter(|source| source.reads_body()) {
            if source.in_response {
                needs.response_body = true;
            } else if source.may_read(kind) {
                needs.request_body = true;
            }
        }
        needs
    }

    fn fallback_session(
        &self,
        application: &str,
        parts: &Parts<'_>,
        client_ip: &[u8],
        hasher: &Hasher,
    ) -> SessionId {
        let namespace = Namespace::Fallback(self.fallback.name());
        match self.fallback {
            Fallback::Ip => hasher.session(application, namespace, [client_ip]),
            Fallback::IpPrefix => {
                hasher.session(application, namespace, [prefix(client_ip).as_slice()])
            }
            Fallback::IpUserAgent => {
                let user_agent = parts.request.user_agent.unwrap_or_default();
                hasher.session(application, namespace, [client_ip, user_agent])
            }
        }
    }

    fn key_name(&self, found: &Found) -> &str {
        let rule = found.rule.and_then(|index| self.rules.get(index));
        rule.map_or(self.fallback.name(), |rule| &rule.name)
    }

    /// How the final session and another one of the same exchange are known to belong together.
    fn link_kind(&self, early: &Early, last: &Found, other: &Found) -> LinkKind {
        let namespace = |found: &Found| {
            found
                .rule
                .and_then(|index| self.rules.get(index))
                .map(|rule| &*rule.namespace)
        };
        let came_with_the_request = |found: &Found| early.found.contains(found);
        if came_with_the_request(last) && came_with_the_request(other) {
            LinkKind::Both
        } else if namespace(last).is_some() && namespace(last) == namespace(other) {
            LinkKind::Refresh
        } else {
            LinkKind::Login
        }
    }

    fn params<'p>(
        &'p self,
        place: &Where<'_>,
        parts: &Parts<'_>,
        hasher: &Hasher,
        failed: &mut Vec<(Cow<'p, str>, Cow<'p, str>)>,
        hits: &mut Hits,
    ) -> Vec<Param<'p>> {
        let mut params = Vec::new();
        let kept = self.parameters.iter().enumerate();
        for (index, kept) in kept.filter(|(_, kept)| kept.when.covers(place)) {
            let bit = u32::try_from(index)
                .ok()
                .and_then(|index| 1_u64.checked_shl(index));
            hits.parameters_expected |= bit.unwrap_or(0);
            for source in &kept.from {
                match source.find(parts) {
                    Outcome::Found(value) => {
                        hits.parameters_found |= bit.unwrap_or(0);
                        params.push(Param {
                            name: Cow::Borrowed(&kept.name),
                            value: Cow::Owned(kept.shown(&value, hasher)),
                            kind: kept.kind,
                            forgeable: source.is_forgeable(),
                        });
                        break;
                    }
                    Outcome::Failed(why) => note(failed, &kept.name, why.name()),
                    Outcome::Missing | Outcome::NotYet => {}
                }
            }
        }
        params
    }
}

impl Rule {
    /// The session of the values; every part of a composite key must be found.
    fn session(&self, parts: &Parts<'_>, place: &Where<'_>, hasher: &Hasher) -> Looked {
        let namespace = Namespace::Named(&self.namespace);
        // Nearly every rule has one.
        if let [source] = &*self.from {
            return match source.find(parts) {
                Outcome::Found(value) => {
                    Looked::Found(hasher.session(place.application, namespace, [&*value]))
                }
                Outcome::Missing | Outcome::NotYet => Looked::Missing,
                Outcome::Failed(why) => Looked::Failed(why),
            };
        }
        let mut values: [Option<Cow<'_, [u8]>>; 8] = Default::default();
        for (slot, source) in values.iter_mut().zip(&self.from) {
            match source.find(parts) {
                Outcome::Found(value) => *slot = Some(value),
                Outcome::Missing | Outcome::NotYet => return Looked::Missing,
                Outcome::Failed(why) => return Looked::Failed(why),
            }
        }
        let values = values.iter().flatten().map(|value| &**value);
        Looked::Found(hasher.session(place.application, namespace, values))
    }
}

impl Kept {
    /// What the policy lets through of a value.
    fn shown(&self, value: &[u8], hasher: &Hasher) -> String {
        if self.hash {
            return hasher.parameter(&self.name, value).to_string();
        }
        let (text, _) = crate::text::limited(value, self.bytes_max);
        match self.mask {
            Some(mask) => masked(&text, mask),
            None => text.into_owned(),
        }
    }
}

/// `ann@example.com` with one character at each end → `a*************m`; what is no longer than
/// twice its readable ends is hidden altogether.
fn masked(text: &str, mask: Mask) -> String {
    let (start, end) = (usize::from(mask.start), usize::from(mask.end));
    let length = text.chars().count();
    let short = length <= start.saturating_add(end).saturating_mul(2);
    let hidden = |index: usize| short || (index >= start && index < length.saturating_sub(end));
    text.chars()
        .enumerate()
        .map(|(index, letter)| if hidden(index) { '*' } else { letter })
        .collect()
}

/// The /24 of an IPv4 address, the /64 of an IPv6 one; what is neither stays as it is.
fn prefix(client_ip: &[u8]) -> Vec<u8> {
    let address = std::str::from_utf8(client_ip)
        .ok()
        .and_then(|text| text.parse::<IpAddr>().ok());
    match address {
        Some(IpAddr::V4(address)) => address.octets().iter().take(3).copied().collect(),
        Some(IpAddr::V6(address)) => address.octets().iter().take(8).copied().collect(),
        None => client_ip.to_vec(),
    }
}

fn push(found: &mut Vec<Found>, new: Found) {
    if found.len() <= LINKS_MAX && !found.iter().any(|known| known.session == new.session) {
        found.push(new);
    }
}

fn note<'p>(failed: &mut Vec<(Cow<'p, str>, Cow<'p, str>)>, name: &'p str, why: &'static str) {
    if failed.len() < FAILURES_MAX {
        failed.push((Cow::Borrowed(name), Cow::Borrowed(why)));
    }
}

#[cfg(test)]
mod tests;
