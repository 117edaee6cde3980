//! How true sessions are to clients: B-cubed precision and recall (Bagga and Baldwin, 1998).
//!
//! For each request: of its session's requests, the share that its client made; and of its client's
//! requests, the share that is in its session. Averaged over a client's requests, then over clients,
//! so that a busy program counts no more than a person.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use throughline_session::wire::SessionId;

use crate::listen::Heard;

/// Sums over clients; add them up, then ask for the means.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Cubed {
    precision: f64,
    recall: f64,
    clients: usize,
}

impl Cubed {
    /// Of groups and clients of requests, in the same order.
    #[must_use]
    pub fn of(groups: &[usize], clients: &[usize]) -> Self {
        let (mut of_group, mut of_client, mut of_both) =
            (HashMap::new(), HashMap::new(), HashMap::new());
        for (group, client) in groups.iter().zip(clients) {
            *of_group.entry(*group).or_insert(0.0_f64) += 1.0;
            *of_client.entry(*client).or_insert(0.0_f64) += 1.0;
            *of_both.entry((*group, *client)).or_insert(0.0_f64) += 1.0;
        }
        let mut sums = Self {
            clients: of_client.len(),
            ..Self::default()
        };
        // In one order, so that the sums are the same in every run.
        let mut parts: Vec<_> = of_both.into_iter().collect();
        parts.sort_by_key(|((group, client), _)| (*client, *group));
        for ((group, client), both) in parts {
            let whole = of_client.get(&client).copied().unwrap_or(1.0);
            let group = of_group.get(&group).copied().unwrap_or(1.0);
            sums.precision += both / whole * (both / group);
            sums.recall += both / whole * (both / whole);
        }
        sums
    }

    /// With another's.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            precision: self.precision + other.precision,
            recall: self.recall + other.recall,
            clients: self.clients + other.clients,
        }
    }

    /// Mean over clients.
    #[must_use]
    pub fn precision(self) -> f64 {
        self.precision / self.clients.max(1) as f64
    }

    /// Mean over clients.
    #[must_use]
    pub fn recall(self) -> f64 {
        self.recall / self.clients.max(1) as f64
    }
}

/// Group of each record: its session, or, where links count, all sessions that links and users join.
#[must_use]
pub fn groups(heard: &Heard, related: bool) -> Vec<usize> {
    let mut joined = Joined::default();
    let mut users = HashMap::new();
    for record in &heard.records {
        let session = joined.number(record.session);
        if !related {
            continue;
        }
        for link in &record.links {
            let other = joined.number(*link);
            joined.join(session, other);
        }
        if let Some(user) = record.user.as_deref() {
            let first = *users.entry(user).or_insert(session);
            joined.join(session, first);
        }
    }
    let records = heard.records.iter();
    records
        .map(|record| {
            let number = joined.number(record.session);
            joined.root(number)
        })
        .collect()
}

/// Sets that grow together.
#[derive(Default)]
struct Joined {
    numbers: HashMap<SessionId, usize>,
    above: Vec<usize>,
}

impl Joined {
    fn number(&mut self, session: SessionId) -> usize {
        let next = self.above.len();
        let number = *self.numbers.entry(session).or_insert(next);
        if number == next {
            self.above.push(next);
        }
        number
    }

    fn root(&self, mut number: usize) -> usize {
        while let Some(above) = self.above.get(number).filter(|above| **above != number) {
            number = *above;
        }
        number
    }

    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.root(one), self.root(other));
        // The smaller number stays on top, so that groups do not depend on the order of joining.
        if let Some(above) = self.above.get_mut(one.max(other)) {
            *above = one.min(other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(groups: &[usize], clients: &[usize], precision: f64, recall: f64) {
        let cubed = Cubed::of(groups, clients);
        let near = |one: f64, other: f64| (one - other).abs() < 1e-9;
        assert!(
            near(cubed.precision(), precision) && near(cubed.recall(), recall),
            "{groups:?} {clients:?}: {cubed:?}"
        );
    }

    #[test]
    fn known_groupings() {
        check(&[1, 1, 2], &[7, 7, 8], 1.0, 1.0);
        // All in one: a client of two and one of one in a session of three.
        check(&[1, 1, 1], &[7, 7, 8], 0.5, 1.0);
        // Each by itself.
        check(&[1, 2, 3], &[7, 7, 8], 1.0, 0.75);
        check(&[], &[], 0.0, 0.0);
    }

    #[test]
    fn sets_grow_together() {
        let mut joined = Joined::default();
        let id = |byte| throughline_session::hex::Hex([byte; 16]);
        let numbers: Vec<_> = (0..5).map(|byte| joined.number(id(byte))).collect();
        joined.join(numbers[3], numbers[4]);
        joined.join(numbers[0], numbers[4]);
        let roots: Vec<_> = numbers.iter().map(|number| joined.root(*number)).collect();
        assert_eq!(roots, [0, 1, 2, 0, 0]);
    }
}
