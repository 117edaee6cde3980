//! The sums of a visit over the records of one transaction. Sums of sums are the visit's.

use std::collections::HashMap;

use throughline_session::wire::{Record, SessionId};

/// Different client addresses that a part lists.
const IPS_MAX: usize = 64;
/// Different user agents that a part lists.
const USER_AGENTS_MAX: usize = 16;
/// Different policy versions that a part lists.
const POLICY_VERSIONS_MAX: usize = 8;

/// Names a visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VisitKey {
    /// Its session.
    pub session: SessionId,
    /// Start of the record that opened it, microseconds since the Unix epoch.
    pub start_us: i64,
}

/// What a record adds to its visit.
#[derive(Debug, Clone, Copy)]
pub struct Exchange<'a> {
    /// The record.
    pub record: &'a Record<'a>,
    /// The policy it was made with.
    pub policy_version: &'a str,
    /// Its number in log order.
    pub ordinal: u64,
    /// When its batch arrived, microseconds since the Unix epoch.
    pub arrived_us: i64,
}

/// Sums over some records of a visit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Part {
    /// Application of its first record in log order.
    pub application: String,
    /// Key rule of that record.
    pub key: String,
    /// Earliest start, microseconds since the Unix epoch.
    pub first_us: i64,
    /// Latest start, microseconds since the Unix epoch.
    pub last_us: i64,
    /// Number of records.
    pub requests: u64,
    /// Those with a status from 400 to 499.
    pub errors_4xx: u64,
    /// Those with a status from 500 to 599.
    pub errors_5xx: u64,
    /// Bytes of request bodies.
    pub request_bytes: u64,
    /// Bytes of response bodies.
    pub response_bytes: u64,
    /// Sum of the durations, microseconds.
    pub duration_us: u64,
    /// Client addresses in order, at most 64.
    pub ips: Vec<String>,
    /// User agents in order, at most 16.
    pub user_agents: Vec<String>,
    /// Versions of the policy that its records were made with in order, at most 8.
    pub policy_versions: Vec<String>,
    /// There were more addresses or user agents than are listed.
    pub more: bool,
    /// Number of the last record in log order.
    pub ordinal: u64,
    /// When that record arrived, microseconds since the Unix epoch.
    pub arrived_us: i64,
}

/// Puts `value` among the others; gives whether there was no room.
fn list(values: &mut Vec<String>, value: Option<&str>, len_max: usize) -> bool {
    let Some(value) = value else { return false };
    let Err(place) = values.binary_search_by(|it| it.as_str().cmp(value)) else {
        return false;
    };
    let full = values.len() >= len_max;
    if !full {
        values.insert(place, value.to_owned());
    }
    full
}

impl Part {
    fn add(&mut self, exchange: &Exchange<'_>) {
        let record = exchange.record;
        if self.requests == 0 {
            self.application = record.application.to_string();
            self.key = record.key.to_string();
            self.first_us = record.start_us;
            self.last_us = record.start_us;
        }
        self.first_us = self.first_us.min(record.start_us);
        self.last_us = self.last_us.max(record.start_us);
        self.requests += 1;
        let class = record.status.map(|status| status / 100);
        self.errors_4xx += u64::from(class == Some(4));
        self.errors_5xx += u64::from(class == Some(5));
        self.request_bytes = self.request_bytes.saturating_add(record.request_bytes);
        self.response_bytes = self.response_bytes.saturating_add(record.response_bytes);
        self.duration_us = self.duration_us.saturating_add(record.duration_us);
        self.more |= list(&mut self.ips, record.client_ip.as_deref(), IPS_MAX);
        self.more |= list(
            &mut self.user_agents,
            record.user_agent.as_deref(),
            USER_AGENTS_MAX,
        );
        let version = Some(exchange.policy_version);
        list(&mut self.policy_versions, version, POLICY_VERSIONS_MAX);
        self.ordinal = exchange.ordinal;
        self.arrived_us = exchange.arrived_us;
    }
}

/// The parts of one transaction.
#[derive(Debug, Default)]
pub struct Parts(HashMap<VisitKey, Part>);

impl Parts {
    /// Adds a record to its visit.
    pub fn add(&mut self, visit: VisitKey, exchange: &Exchange<'_>) {
        self.0.entry(visit).or_default().add(exchange);
    }

    /// The parts, in the order of their visits.
    #[must_use]
    pub fn sorted(&self) -> Vec<(&VisitKey, &Part)> {
        let mut parts: Vec<_> = self.0.iter().collect();
        parts.sort_unstable_by_key(|(visit, _)| **visit);
        parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use throughline_session::hex::Hex;

    fn record(n: u64) -> Record<'static> {
        let line = format!(
            r#"{{"index":0,"start_us":{},"application":"shop","key":"k","status":{},"response_bytes":{n},"client_ip":"10.0.0.{}","request_session":"{:032x}","session":"{:032x}"}}"#,
            1000 - n,
            200 + 100 * (n % 4),
            n % 70,
            n % 3,
            n % 3
        );
        serde_json::from_str(Box::leak(line.into_boxed_str())).unwrap()
    }

    /// requests, 4xx, 5xx, bytes, first, last of each session after merging all parts.
    fn totals(numbers: &[u64], batch: usize) -> Vec<(SessionId, [u64; 4], i64, i64)> {
        let mut all: HashMap<SessionId, ([u64; 4], i64, i64)> = HashMap::new();
        for batch in numbers.chunks(batch) {
            let mut parts = Parts::default();
            for n in batch {
                let record = record(*n);
                let visit = VisitKey {
                    session: record.session,
                    start_us: 0,
                };
                parts.add(
                    visit,
                    &Exchange {
                        record: &record,
                        policy_version: "v1",
                        ordinal: *n,
                        arrived_us: 0,
                    },
                );
            }
            for (visit, part) in parts.sorted() {
                let (sums, first, last) = all.entry(visit.session).or_insert(([0; 4], i64::MAX, 0));
                let more = [
                    part.requests,
                    part.errors_4xx,
                    part.errors_5xx,
                    part.response_bytes,
                ];
                sums.iter_mut()
                    .zip(more)
                    .for_each(|(sum, more)| *sum += more);
                *first = part.first_us.min(*first);
                *last = part.last_us.max(*last);
            }
        }
        let mut all: Vec<_> = all
            .into_iter()
            .map(|(id, (s, f, l))| (id, s, f, l))
            .collect();
        all.sort_unstable();
        all
    }

    proptest! {
        #[test]
        fn batch_boundaries_do_not_matter(
            numbers in proptest::collection::vec(0_u64..1000, 1..80),
            batch in 1_usize..80,
        ) {
            prop_assert_eq!(totals(&numbers, batch), totals(&numbers, usize::MAX));
        }
    }

    #[test]
    fn lists_are_bounded_and_say_so() {
        let mut parts = Parts::default();
        let visit = VisitKey {
            session: Hex([0; 16]),
            start_us: 0,
        };
        for n in 0..70 {
            let record = record(n);
            parts.add(
                visit,
                &Exchange {
                    record: &record,
                    policy_version: "v1",
                    ordinal: n,
                    arrived_us: 0,
                },
            );
            let more = parts.sorted()[0].1.more;
            assert_eq!(more, n >= IPS_MAX as u64);
        }
        assert_eq!(parts.sorted()[0].1.ips.len(), IPS_MAX);
    }
}
