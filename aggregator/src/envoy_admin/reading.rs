//! The last reading of each Envoy, of those that are gone too.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use throughline_session::wire::BootId;

use super::stats::{Counters, ServerInfo};
use super::target::Target;

/// Readings of Envoys that are gone; the oldest is given up when there are more.
const FORMER_MAX: usize = 100;

/// What an Envoy said of itself, at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// Its admin address, with the `stat_prefix` that counts.
    pub admin: String,
    /// Its `node.id`.
    pub node: String,
    /// Its version.
    pub version: String,
    /// The runs of the filter in it.
    pub boots: Vec<BootId>,
    /// When it was read, microseconds since the Unix epoch.
    pub scraped_us: i64,
    /// Requests that its listeners took.
    pub handled: u64,
    /// Those that have not ended.
    pub active: u64,
    /// What its filter saw; `None` where it runs none.
    pub seen: Option<u64>,
    /// Records that its filter knows to be acknowledged.
    pub acknowledged: u64,
    /// Records that its filter gave up.
    pub dropped: u64,
}

impl Reading {
    /// Requests that ended and that no filter saw.
    #[must_use]
    pub fn bypassed(&self) -> u64 {
        let ended = self.handled.saturating_sub(self.active);
        ended.saturating_sub(self.seen.unwrap_or(0))
    }

    fn name(&self) -> String {
        let boots: Vec<String> = self.boots.iter().map(ToString::to_string).collect();
        format!("{} {}", self.admin, boots.join("+"))
    }

    /// Whether `next` comes from the same run of the same Envoy.
    fn continues(&self, next: &Self) -> bool {
        if self.boots.is_empty() {
            return next.handled >= self.handled;
        }
        self.boots.iter().any(|boot| next.boots.contains(boot))
    }
}

/// An Envoy, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Its last reading.
    pub reading: Reading,
    /// Whether it answered when last asked.
    pub reachable: bool,
    /// Whether it was asked since this process started.
    pub asked: bool,
    /// Another run has taken its place.
    pub replaced: bool,
    /// Why it did not answer.
    pub error: Option<String>,
}

#[derive(Debug, Default)]
struct Inner {
    /// One per target, in the order given.
    current: Vec<Known>,
    former: Vec<Known>,
    unsaved: BTreeSet<String>,
}

/// All Envoys whose admin address is given.
#[derive(Debug, Default)]
pub struct Envoys(Mutex<Inner>);

impl Envoys {
    /// Starts with the readings that were kept, for `targets` and others.
    #[must_use]
    pub fn new(targets: &[Target], kept: Vec<Reading>) -> Self {
        let unread = |target: &Target| Known {
            reading: Reading {
                admin: target.to_string(),
                ..Reading::default()
            },
            reachable: false,
            asked: false,
            replaced: false,
            error: Some("not asked yet".into()),
        };
        let mut inner = Inner {
            current: targets.iter().map(unread).collect(),
            ..Inner::default()
        };
        let mut kept = kept;
        kept.sort_by_key(|reading| reading.scraped_us);
        for reading in kept {
            let slot = inner
                .current
                .iter_mut()
                .find(|known| known.reading.admin == reading.admin);
            match slot {
                Some(known) => {
                    let before = std::mem::replace(&mut known.reading, reading);
                    inner.retire(before);
                }
                None => inner.retire(reading),
            }
        }
        inner.unsaved.clear();
        Self(Mutex::new(inner))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every Envoy: those of the targets first, then those that were replaced.
    #[must_use]
    pub fn all(&self) -> Vec<Known> {
        let inner = self.inner();
        inner.current.iter().chain(&inner.former).cloned().collect()
    }

    /// Takes a reading of `target`.
    pub(super) fn read(
        &self,
        target: &Target,
        counters: Counters,
        info: ServerInfo,
        scraped_us: i64,
    ) {
        let reading = Reading {
            admin: target.to_string(),
            node: info.node.id,
            version: info.version,
            boots: counters.boots,
            scraped_us,
            handled: counters.handled,
            active: counters.active,
            seen: counters.seen,
            acknowledged: counters.acknowledged,
            dropped: counters.dropped,
        };
        let mut inner = self.inner();
        let name = reading.name();
        let admin = reading.admin.clone();
        let slot = inner
            .current
            .iter_mut()
            .find(|known| known.reading.admin == admin);
        let Some(known) = slot else { return };
        (known.reachable, known.asked, known.error) = (true, true, None);
        let continues = known.reading.continues(&reading);
        let before = std::mem::replace(&mut known.reading, reading);
        if !continues {
            tracing::info!(admin = before.admin, "an Envoy was replaced by another run");
            inner.retire(before);
        }
        inner.unsaved.insert(name);
    }

    /// Notes that `target` did not answer.
    pub(super) fn miss(&self, target: &Target, error: String) {
        let admin = target.to_string();
        let mut inner = self.inner();
        if let Some(known) = inner
            .current
            .iter_mut()
            .find(|known| known.reading.admin == admin)
        {
            (known.reachable, known.asked, known.error) = (false, true, Some(error));
        }
    }

    /// What changed since the last call, to be kept: name and JSON.
    #[must_use]
    pub fn unsaved(&self) -> Vec<(String, String)> {
        let mut inner = self.inner();
        let names = std::mem::take(&mut inner.unsaved);
        let known = inner
            .current
            .iter()
            .chain(&inner.former)
            .map(|known| &known.reading);
        let changed = known.filter(|reading| names.contains(&reading.name()));
        let json = |reading: &Reading| Some((reading.name(), serde_json::to_string(reading).ok()?));
        changed.filter_map(json).collect()
    }
}

impl Inner {
    fn retire(&mut self, reading: Reading) {
        if reading.scraped_us == 0 || reading.boots.is_empty() {
            return;
        }
        self.unsaved.insert(reading.name());
        let (reachable, asked, replaced) = (false, false, true);
        self.former.push(Known {
            reading,
            reachable,
            asked,
            replaced,
            error: None,
        });
        if self.former.len() > FORMER_MAX {
            self.former.remove(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use throughline_session::hex::Hex;

    fn counters(boot: u8, handled: u64, seen: u64) -> Counters {
        let boots = vec![Hex([boot; 8])];
        Counters {
            handled,
            active: 1,
            seen: Some(seen),
            boots,
            ..Counters::default()
        }
    }

    #[test]
    fn a_new_run_takes_the_place_of_the_old_and_both_survive_a_restart() {
        let target: Target = "http://envoy:9901".parse().unwrap();
        let targets = std::slice::from_ref(&target);
        let envoys = Envoys::new(targets, Vec::new());
        envoys.read(&target, counters(1, 10, 7), ServerInfo::default(), 5);
        envoys.read(&target, counters(1, 12, 9), ServerInfo::default(), 6);
        let mut kept = envoys.unsaved();
        envoys.miss(&target, "refused".into());
        assert!(envoys.unsaved().is_empty());
        assert_eq!(envoys.all().len(), 1);
        assert!(!envoys.all()[0].reachable);
        envoys.read(&target, counters(2, 3, 2), ServerInfo::default(), 7);
        kept.extend(envoys.unsaved());
        let of = |envoys: &Envoys| -> Vec<_> {
            let all = envoys.all().into_iter();
            all.map(|it| (it.reading.handled, it.reading.bypassed(), it.replaced))
                .collect()
        };
        assert_eq!(of(&envoys), [(3, 0, false), (12, 2, true)]);
        let kept: std::collections::BTreeMap<_, _> = kept.into_iter().collect();
        let kept = kept
            .values()
            .map(|json| serde_json::from_str(json).unwrap())
            .collect();
        assert_eq!(of(&Envoys::new(targets, kept)), of(&envoys));
    }
}
