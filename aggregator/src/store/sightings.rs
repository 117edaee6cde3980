//! Which values of context parameters the hot rows have already: a session says the same with each of its
//! requests, and is written down once.
//!
//! The memory is the storing thread's. Closing a segment takes rows out of `hot_param_values`, and must
//! leave those that records which stay rely on: [`Relied`] says which these are.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use throughline_session::wire::{Param, ParameterKind, SessionId};

/// Values that are remembered: some 20 MiB. With more, all are forgotten and written once again.
const SEEN_MAX: usize = 1 << 20;
/// Different values of one user or role parameter that a session lists per transaction.
const VALUES_MAX: usize = 64;

/// What the storing thread and whoever takes rows away tell each other.
#[derive(Debug, Default)]
pub(super) struct Relied {
    /// Where the memory began anew, in order: what is stored from there on, until it begins anew again,
    /// relies on rows that stand behind it.
    begun: Mutex<Vec<u64>>,
    /// Rows were taken away.
    stale: AtomicBool,
}

impl Relied {
    fn begun(&self) -> MutexGuard<'_, Vec<u64>> {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Rows up to this position may go, where all that stays is stored behind `end`, the end of a transaction.
    pub(super) fn needless(&self, end: u64) -> u64 {
        let mut begun = self.begun();
        if begun.is_empty() {
            return end;
        }
        let before = begun.iter().rev().find(|since| **since <= end).copied();
        let needless = before.unwrap_or(0);
        begun.retain(|since| *since >= needless);
        needless
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
        relied.begun().push(position);
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
            self.relied.begun().push(position);
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
        assert_eq!(relied.needless(7), 7, "nobody relies on anything");
        let mut sightings = Sightings::since(10, Arc::clone(&relied));
        let (one, other) = (Hex([1; 16]), Hex([2; 16]));
        let plain = |value| param(ParameterKind::Plain, value);
        let mut new = |session, value| sightings.is_new(session, &plain(value));
        assert!(new(one, "gold") && new(one, "tin") && new(other, "gold"));
        assert!(!new(one, "gold") && !new(one, "tin"));
        sightings.begin(20);
        assert!(!sightings.is_new(one, &plain("gold")));
        assert_eq!(relied.needless(20), 10);
        assert_eq!(relied.needless(5), 0, "stored before this process began");
        relied.forget();
        assert!(
            !sightings.is_new(one, &plain("gold")),
            "until a transaction begins"
        );
        sightings.begin(30);
        // What was stored between 20 and 30 relies on what stands behind 10.
        assert_eq!([29, 30, 40].map(|end| relied.needless(end)), [10, 30, 30]);
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
