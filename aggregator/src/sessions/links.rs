//! Which sessions belong together, summed over the records of one transaction.

use std::collections::HashMap;

use throughline_session::wire::{Link, LinkKind, Record, SessionId};

/// Names a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LinkKey {
    /// The records' own session.
    pub session_a: SessionId,
    /// The session it was linked to.
    pub session_b: SessionId,
    /// How it is known.
    pub kind: LinkKind,
}

/// Sums over some records that carry a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkPart {
    /// Rule that made the records' own session.
    pub key_a: String,
    /// Rule that made the other.
    pub key_b: String,
    /// Earliest start, microseconds since the Unix epoch.
    pub first_us: i64,
    /// Latest start, microseconds since the Unix epoch.
    pub last_us: i64,
    /// Number of records.
    pub requests: u64,
}

/// The name of a kind in the database and the API.
#[must_use]
pub fn link_kind(kind: LinkKind) -> &'static str {
    match kind {
        LinkKind::Login => "login",
        LinkKind::Refresh => "refresh",
        LinkKind::Both => "both",
        LinkKind::PolicyChange => "policy_change",
    }
}

/// The links of one transaction.
#[derive(Debug, Default)]
pub struct Links(HashMap<LinkKey, LinkPart>);

impl Links {
    /// Adds the links of a record. The filter does not know whether anybody ever was in the session
    /// that the policy before would have made: one without records is no session, and not `known`.
    pub fn add(&mut self, record: &Record<'_>, known: impl Fn(SessionId) -> bool) {
        let is_real = |link: &&Link<'_>| link.kind != LinkKind::PolicyChange || known(link.session);
        for link in record.links.iter().filter(is_real) {
            let name = LinkKey {
                session_a: record.session,
                session_b: link.session,
                kind: link.kind,
            };
            let part = self.0.entry(name).or_insert_with(|| LinkPart {
                key_a: record.key.to_string(),
                key_b: link.key.to_string(),
                first_us: record.start_us,
                last_us: record.start_us,
                requests: 0,
            });
            part.first_us = part.first_us.min(record.start_us);
            part.last_us = part.last_us.max(record.start_us);
            part.requests += 1;
        }
    }

    /// The links, in order.
    #[must_use]
    pub fn sorted(&self) -> Vec<(&LinkKey, &LinkPart)> {
        let mut links: Vec<_> = self.0.iter().collect();
        links.sort_unstable_by_key(|(name, _)| **name);
        links
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use throughline_session::hex::Hex;

    #[test]
    fn links_are_summed() {
        let mut links = Links::default();
        let all = [
            (20, "login", 2),
            (10, "login", 2),
            (30, "both", 2),
            (40, "policy_change", 3),
            (50, "policy_change", 4),
        ];
        for (start, kind, other) in all {
            let line = format!(
                r#"{{"index":0,"start_us":{start},"application":"a","key":"k","request_session":"{0:032x}","session":"{0:032x}","links":[{{"kind":"{kind}","session":"{1:032x}","key":"ip"}}]}}"#,
                1, other
            );
            let known = |session| session == Hex::parse(&format!("{:032x}", 3)).unwrap();
            links.add(&serde_json::from_str(&line).unwrap(), known);
        }
        let sorted = links.sorted();
        let figures: Vec<_> = sorted
            .iter()
            .map(|(name, part)| {
                (
                    link_kind(name.kind),
                    part.first_us,
                    part.last_us,
                    part.requests,
                )
            })
            .collect();
        let expected = [
            ("login", 10, 20, 2),
            ("both", 30, 30, 1),
            ("policy_change", 40, 40, 1),
        ];
        assert_eq!(figures, expected);
    }
}
