//! Which values of context parameters the hot rows have already: a session says the same with each of its
//! requests, and is written down once.
//!
//! The memory is the storing thread's. Closing a segment takes rows out of `hot_param_values`, and must
//! leave those that records which stay rely on: [`Relied`] says which these are.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher as _, BuildHasherDefault, Hash as _, Hasher, RandomState};
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

    /// What is stored from `position` on relies on no row before it.
    pub(super) fn begin(&self, position: u64) {
        self.begun().push(position);
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

/// A hash is its own hash.
#[derive(Debug, Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn write(&mut self, _: &[u8]) {
        debug_assert!(false, "only hashes are hashed");
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// What was written down since some position.
#[derive(Debug)]
pub(super) struct Sightings {
    relied: Arc<Relied>,
    keys: RandomState,
    seen: HashSet<u64, BuildHasherDefault<Hashed>>,
    /// How many values of a user or role parameter a session has in this transaction.
    many: HashMap<(SessionId, u64), usize>,
}

impl Sightings {
    /// Remembers nothing, from where `relied` has begun.
    pub(super) fn new(relied: Arc<Relied>) -> Self {
        Self {
            relied,
            keys: RandomState::new(),
            seen: HashSet::default(),
            many: HashMap::new(),
        }
    }

    /// A transaction begins at `position`.
    pub(super) fn begin(&mut self, position: u64) {
        self.many.clear();
        let stale = self.relied.stale.swap(false, Ordering::AcqRel);
        if stale || self.seen.len() >= SEEN_MAX {
            self.seen.clear();
            self.relied.begin(position);
        }
    }

    /// Those of `params` that are to be written down.
    pub(super) fn news<'p, 'r>(
        &mut self,
        session: SessionId,
        params: &'p [Param<'r>],
    ) -> Vec<&'p Param<'r>> {
        // Most requests only say again what the session said before.
        let all = self.hash(session, params);
        if params.is_empty() || self.seen.contains(&all) {
            return Vec::new();
        }
        let mut news = Vec::new();
        let mut kept = true;
        for param in params {
            let hash = self.hash(session, std::slice::from_ref(param));
            if self.seen.contains(&hash) {
                continue;
            }
            if self.has_room(session, param) {
                self.seen.insert(hash);
                news.push(param);
            } else {
                kept = false;
            }
        }
        if kept {
            self.seen.insert(all);
        }
        news
    }

    fn hash(&self, session: SessionId, params: &[Param<'_>]) -> u64 {
        let mut hasher = self.keys.build_hasher();
        session.0.hash(&mut hasher);
        for param in params {
            (&param.name, &param.value, param.kind, param.forgeable).hash(&mut hasher);
        }
        hasher.finish()
    }

    /// Whether the session may have another value of the parameter in this transaction.
    fn has_room(&mut self, session: SessionId, param: &Param<'_>) -> bool {
        if param.kind == ParameterKind::Plain {
            return true;
        }
        let name = self.keys.hash_one(&param.name);
        let many = self.many.entry((session, name)).or_default();
        *many += 1;
        *many <= VALUES_MAX
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
        relied.begin(10);
        let mut sightings = Sightings::new(Arc::clone(&relied));
        let (one, other) = (Hex([1; 16]), Hex([2; 16]));
        let plain = |value| param(ParameterKind::Plain, value);
        let mut new = |session, value| !sightings.news(session, &[plain(value)]).is_empty();
        assert!(new(one, "gold") && new(one, "tin") && new(other, "gold"));
        assert!(!new(one, "gold") && !new(one, "tin"));
        sightings.begin(20);
        assert!(sightings.news(one, &[plain("gold")]).is_empty());
        assert_eq!(relied.needless(20), 10);
        assert_eq!(relied.needless(5), 0, "stored before this process began");
        relied.forget();
        let known = [plain("gold"), plain("tin")];
        assert!(
            sightings.news(one, &known).is_empty(),
            "until a transaction begins"
        );
        sightings.begin(30);
        // What was stored between 20 and 30 relies on what stands behind 10.
        assert_eq!([29, 30, 40].map(|end| relied.needless(end)), [10, 30, 30]);
        assert_eq!(sightings.news(one, &[plain("gold")]).len(), 1);
        let both = [plain("gold"), param(ParameterKind::User, "gold")];
        assert_eq!(sightings.news(one, &both), [&both[1]], "another kind");
        assert!(sightings.news(one, &both).is_empty());
    }

    #[test]
    fn users_of_a_session_are_bounded_per_transaction() {
        let mut sightings = Sightings::new(Arc::default());
        let mut new = |from: usize| {
            let values = (from..from + 200).map(|n| n.to_string());
            let mut new = |value: &String| {
                let user = [param(ParameterKind::User, value)];
                !sightings.news(Hex([1; 16]), &user).is_empty()
            };
            let count = values.filter(|value| new(value)).count();
            sightings.begin(1);
            count
        };
        assert_eq!([new(0), new(0), new(1000)], [VALUES_MAX; 3]);
    }
}
