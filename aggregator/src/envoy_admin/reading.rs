//! The last reading of each Envoy, of those that are gone too.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use throughline_session::wire::BootId;

use super::stats::{Counters, ServerInfo};
use super::target::Target;

/// Readings of Envoys that are gone; the oldest is given up when there are more.
const FORMER_MAX: usize = 100;
/// Two readings of one run may find starts so far apart: uptimes come in whole seconds.
const START_TOLERANCE_US: i64 = 2_000_000;

/// What an Envoy said of itself, at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Reading {
    /// Its admin address, with the `stat_prefix` that counts.
    pub admin: String,
    /// Its `node.id`.
    pub node: String,
    /// Its version.
    pub version: String,
    /// The runs of the filter in it.
    pub boots: Vec<BootId>,
    /// Names the run: its start as first read, microseconds since the Unix epoch.
    pub run_us: i64,
    /// Its start as last read, from its uptime and our clock; `None` where it did not say.
    pub started_us: Option<i64>,
    /// When it was read, microseconds since the Unix epoch.
    pub scraped_us: i64,
    /// Requests that its listeners took.
    pub handled: u64,
    /// Those that have not ended.
    pub active: u64,
    /// What its filter saw; `None` where it runs none.
    pub seen: Option<u64>,
}

impl Reading {
    /// Requests that ended and that no filter saw.
    #[must_use]
    pub fn bypassed(&self) -> u64 {
        let ended = self.handled.saturating_sub(self.active);
        ended.saturating_sub(self.seen.unwrap_or(0))
    }

    fn name(&self) -> String {
        format!("{} {}", self.admin, self.run_us)
    }

    /// Whether `next` comes from the same run of the same Envoy; `at_once` says that nothing was
    /// missed between the two.
    fn continues(&self, next: &Self, at_once: bool) -> bool {
        if !self.boots.is_empty() && !next.boots.is_empty() {
            return self.boots.iter().any(|boot| next.boots.contains(boot));
        }
        let same_start = match (self.started_us, next.started_us) {
            (Some(before), Some(after)) => {
                let uptime_us = |it: &Self, start: i64| it.scraped_us.saturating_sub(start);
                // Our clock may have been set in between, which moves the start that we find.
                let goes_on = at_once && uptime_us(next, after) >= uptime_us(self, before);
                goes_on || before.abs_diff(after) <= START_TOLERANCE_US.unsigned_abs()
            }
            _ => true,
        };
        same_start && next.handled >= self.handled
    }
}

/// What is to be kept of the readings since it was last asked.
#[derive(Debug, Default)]
pub struct Changes {
    /// Name and JSON.
    pub kept: Vec<(String, String)>,
    /// Names of those given up.
    pub gone: Vec<String>,
}

impl Changes {
    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty() && self.gone.is_empty()
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
    /// Names that may be in the database and are given up.
    gone: Vec<String>,
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
        let started_us = info.uptime_us().map(|uptime| scraped_us - uptime);
        let mut reading = Reading {
            admin: target.to_string(),
            node: info.node.id,
            version: info.version,
            boots: counters.boots,
            run_us: started_us.unwrap_or(scraped_us),
            started_us,
            scraped_us,
            handled: counters.handled,
            active: counters.active,
            seen: counters.seen,
        };
        let mut inner = self.inner();
        let admin = reading.admin.clone();
        let slot = inner
            .current
            .iter_mut()
            .find(|known| known.reading.admin == admin);
        let Some(known) = slot else { return };
        let continues = known.reading.continues(&reading, known.reachable);
        (known.reachable, known.asked, known.error) = (true, true, None);
        if continues && known.reading.scraped_us > 0 {
            reading.run_us = known.reading.run_us;
            reading.started_us = reading.started_us.or(known.reading.started_us);
        }
        let name = reading.name();
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

    /// What changed since the last call, to be kept.
    #[must_use]
    pub fn unsaved(&self) -> Changes {
        let mut inner = self.inner();
        let names = std::mem::take(&mut inner.unsaved);
        let gone = std::mem::take(&mut inner.gone);
        let known = inner
            .current
            .iter()
            .chain(&inner.former)
            .map(|known| &known.reading);
        let changed = known.filter(|reading| names.contains(&reading.name()));
        let json = |reading: &Reading| Some((reading.name(), serde_json::to_string(reading).ok()?));
        let kept = changed.filter_map(json).collect();
        Changes { kept, gone }
    }
}

impl Inner {
    fn retire(&mut self, reading: Reading) {
        if reading.scraped_us == 0 {
            return;
        }
        // Nothing is known of it that would be missed.
        if reading.boots.is_empty() && reading.handled == 0 {
            self.gone.push(reading.name());
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
            let oldest = self.former.remove(0);
            self.gone.push(oldest.reading.name());
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
        }
    }

    #[test]
    fn a_new_run_takes_the_place_of_the_old_and_both_survive_a_restart() {
        let target: Target = "http://envoy:9901".parse().unwrap();
        let targets = std::slice::from_ref(&target);
        let envoys = Envoys::new(targets, Vec::new());
        envoys.read(&target, counters(1, 10, 7), ServerInfo::default(), 5);
        envoys.read(&target, counters(1, 12, 9), ServerInfo::default(), 6);
        let mut kept = envoys.unsaved().kept;
        envoys.miss(&target, "refused".into());
        assert!(envoys.unsaved().is_empty());
        assert_eq!(envoys.all().len(), 1);
        assert!(!envoys.all()[0].reachable);
        envoys.read(&target, counters(2, 3, 2), ServerInfo::default(), 7);
        kept.extend(envoys.unsaved().kept);
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

    const SECOND_US: i64 = 1_000_000;

    /// A filter that records nothing: Envoy refused its configuration.
    fn unseen(handled: u64) -> Counters {
        Counters {
            handled,
            ..Counters::default()
        }
    }

    fn bypassed(envoys: &Envoys) -> Vec<u64> {
        let all = envoys.all().into_iter();
        all.map(|known| known.reading.bypassed()).collect()
    }

    #[test]
    fn a_run_that_recorded_nothing_is_not_forgotten_when_it_ends() {
        let target: Target = "http://envoy:9901".parse().unwrap();
        let envoys = Envoys::new(std::slice::from_ref(&target), Vec::new());
        let read = |at_s: i64, uptime_s, counters| {
            let info = ServerInfo::running(uptime_s);
            envoys.read(&target, counters, info, at_s * SECOND_US);
        };
        read(100, 10, unseen(5));
        read(101, 12, unseen(7));
        assert_eq!(bypassed(&envoys), [7]);
        // The filter starts to run: still the same run, which has one row.
        read(102, 12, counters(1, 9, 2));
        assert_eq!(bypassed(&envoys), [6]);
        read(103, 13, unseen(9));
        assert_eq!(bypassed(&envoys), [9]);
        // Our clock is set, Envoy's uptime goes on.
        read(9000, 14, unseen(9));
        assert_eq!(bypassed(&envoys), [9]);
        assert_eq!(envoys.unsaved().kept.len(), 1);
        // Another run, although its counter is no lower.
        read(9010, 3, unseen(20));
        assert_eq!(bypassed(&envoys), [20, 9]);
        // Unreachable for a while, and older than the last one was: another run all the same.
        envoys.miss(&target, "away".into());
        read(9900, 300, unseen(30));
        assert_eq!(bypassed(&envoys), [30, 9, 20]);
    }

    #[test]
    fn what_is_given_up_is_deleted() {
        let target: Target = "http://envoy:9901".parse().unwrap();
        let envoys = Envoys::new(std::slice::from_ref(&target), Vec::new());
        let (mut rows, runs) = (BTreeSet::new(), 150);
        for run in 1..=runs {
            let at_us = run * 100 * SECOND_US;
            envoys.miss(&target, "starting".into());
            envoys.read(&target, unseen(1), ServerInfo::running(5), at_us);
            let changes = envoys.unsaved();
            rows.extend(changes.kept.into_iter().map(|(name, _)| name));
            for name in changes.gone {
                assert!(rows.remove(&name), "{name}");
            }
        }
        assert_eq!(rows.len(), FORMER_MAX + 1);
        assert_eq!(envoys.all().len(), FORMER_MAX + 1);
    }
}
