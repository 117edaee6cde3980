//! Which values of context parameters the hot rows have already: a session says the same with each of its
//! requests, and is written down once.
//!
//! The memory is the storing thread's. Closing a segment takes rows out of `hot_param_values`, and must
//! leave those that the memory still relies on: [`Relied`] says from where on it does.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use throughline_session::wire::{Param, ParameterKind, SessionId};

/// Values that are remembered: some 20 MiB. With more, all are forgotten and written once again.
const SEEN_MAX: usize = 1 << 20;
/// Different values of one user or role parameter that a session lists per transaction.
const VALUES_MAX: usize = 64;

/// What the storing thread and whoever takes rows away tell each other.
#[derive(Debug)]
pub(super) struct Relied {
    /// Rows that stand behind this position must stay.
    since: AtomicU64,
    /// Rows were taken away.
    stale: AtomicBool,
}

impl Default for Relied {
    /// Nobody relies on anything.
    fn default() -> Self {
        Self {
            since: AtomicU64::new(u64::MAX),
            stale: AtomicBool::default(),
        }
    }
}

impl Relied {
    /// Rows up to this position may go.
    pub(super) fn since(&self) -> u64 {
        self.since.load(Ordering::Acquire)
    }

    /// Rows have gone: what is remembered is to be forgotten.
    pub(super) fn forget(&self) {
        self.stale.store(true, Ordering::Release);
    }
}

/// What was written down since some position.
#[derive(Debug)]
pub(super) struct Sightings {
    relied: Arc<Relied>,
    keys: RandomState,
    seen: HashSet<u64>,
    /// How many values of a user or role parameter a session has in this transaction.
    many: HashMap<(SessionId, u64), usize>,
}

impl Sightings {
    /// Remembers nothing before `position`.
    pub(super) fn since(position: u64, relied: Arc<Relied>) -> Self {
        relied.since.store(position, Ordering::Release);
        Self {
            relied,
            keys: RandomState::new(),
            seen: HashSet::new(),
            many: HashMap::new(),
        }
    }

    /// A transaction begins at `position`.
    pub(super) fn begin(&mut self, position: u64) {
        self.many.clear();
        let stale = self.relied.stale.swap(false, Ordering::AcqRel);
        if stale || self.seen.len() >= SEEN_MAX {
            self.seen.clear();
            self.relied.since.store(position, Ordering::Release);
        }
    }

    /// Whether this is to be written down.
    pub(super) fn is_new(&mut self, session: SessionId, param: &Param<'_>) -> bool {
        let told = (session, &param.name, &param.value, param.forgeable);
        let hash = self.keys.hash_one((told, param.kind as u8));
        if self.seen.contains(&hash) {
            return false;
        }
        if param.kind != ParameterKind::Plain {
            let name = self.keys.hash_one(&param.name);
            let many = self.many.entry((session, name)).or_default();
            if *many >= VALUES_MAX {
                return false;
            }
            *many += 1;
        }
        self.seen.insert(hash)
    }
}

#[cfg(test)]
mod tests {
    use throughline_session::hex::Hex;

    use super::*;

    fn param(kind: ParameterKind, value: &str) -> Param<'_> {
        Param {
            name: "p".into(),
            value: value.into(),
            kind,
            forgeable: false,
        }
    }

    #[test]
    fn each_value_is_new_once_until_rows_go() {
        let relied = Arc::new(Relied::default());
        assert_eq!(relied.since(), u64::MAX, "nobody relies on anything");
        let mut sightings = Sightings::since(10, Arc::clone(&relied));
        let (one, other) = (Hex([1; 16]), Hex([2; 16]));
        let plain = |value| param(ParameterKind::Plain, value);
        let mut new = |session, value| sightings.is_new(session, &plain(value));
        assert!(new(one, "gold") && new(one, "tin") && new(other, "gold"));
        assert!(!new(one, "gold") && !new(one, "tin"));
        sightings.begin(20);
        assert!(!sightings.is_new(one, &plain("gold")));
        assert_eq!(relied.since(), 10);
        relied.forget();
        assert!(
            !sightings.is_new(one, &plain("gold")),
            "until a transaction begins"
        );
        sightings.begin(30);
        assert_eq!(relied.since(), 30);
        assert!(sightings.is_new(one, &plain("gold")));
        let user = param(ParameterKind::User, "gold");
        assert!(sightings.is_new(one, &user), "another kind");
    }

    #[test]
    fn users_of_a_session_are_bounded_per_transaction() {
        let mut sightings = Sightings::since(0, Arc::default());
        let mut new = |from: usize| {
            let values = (from..from + 200).map(|n| n.to_string());
            let mut new =
                |value: String| sightings.is_new(Hex([1; 16]), &param(ParameterKind::User, &value));
            let count = values.filter(|value| new(value.clone())).count();
            sightings.begin(1);
            count
        };
        assert_eq!([new(0), new(0), new(1000)], [VALUES_MAX; 3]);
    }
}
