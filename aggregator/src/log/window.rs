//! Which batches of a worker are in the log? Recognises a batch that is sent again.

use std::collections::{BTreeMap, HashMap};

use super::WorkerKey;

/// Gaps in a worker's sequence that are remembered. A gap is a batch that was refused for good;
/// with more of them the oldest is given up, and a batch that falls in it is refused as stale.
const RANGES_MAX: usize = 4096;
/// Workers that are remembered, here and in the ledger; beyond it the one silent for longest is
/// forgotten.
pub const WORKERS_MAX: usize = 10_000;

/// What a window says about a sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Not in the log.
    New,
    /// In the log.
    Duplicate,
    /// Too far back to tell.
    Stale,
}

/// The sequences of one worker that are in the log, as ranges: mostly one, `0..n`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Window {
    /// Nothing is known about sequences below this.
    floor: u64,
    /// Start → last, both included; disjoint, not touching.
    ranges: BTreeMap<u64, u64>,
}

impl Window {
    /// What is known about `sequence`.
    #[must_use]
    pub fn check(&self, sequence: u64) -> Verdict {
        match self.ranges.range(..=sequence).next_back() {
            Some((_, last)) if sequence <= *last => Verdict::Duplicate,
            _ if sequence < self.floor => Verdict::Stale,
            _ => Verdict::New,
        }
    }

    /// Notes that `sequence` is in the log.
    pub fn insert(&mut self, sequence: u64) {
        if self.check(sequence) != Verdict::New {
            return;
        }
        let mut start = sequence;
        let mut last = sequence;
        if let Some((before, end)) = self.ranges.range(..sequence).next_back()
            && end.checked_add(1) == Some(sequence)
        {
            start = *before;
        }
        if let Some(after) = sequence.checked_add(1)
            && let Some(end) = self.ranges.remove(&after)
        {
            last = end;
        }
        self.ranges.insert(start, last);
        while self.ranges.len() > RANGES_MAX {
            self.ranges.pop_first();
            self.floor = self
                .ranges
                .first_key_value()
                .map_or(self.floor, |(start, _)| *start);
        }
    }

    /// As text, for the store: `floor;start-last,start-last`.
    #[must_use]
    pub fn to_text(&self) -> String {
        let ranges = self
            .ranges
            .iter()
            .map(|(start, last)| format!("{start}-{last}"));
        format!("{};{}", self.floor, ranges.collect::<Vec<_>>().join(","))
    }

    /// Reads what [`Window::to_text`] wrote.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        let (floor, ranges) = text.split_once(';')?;
        let pair = |range: &str| {
            let (start, last) = range.split_once('-')?;
            Some((start.parse().ok()?, last.parse().ok()?))
        };
        let ranges = ranges
            .split(',')
            .filter(|range| !range.is_empty())
            .map(pair);
        Some(Self {
            floor: floor.parse().ok()?,
            ranges: ranges.collect::<Option<_>>()?,
        })
    }
}

/// A worker's window, and when it was last heard of, microseconds since the Unix epoch.
pub type Remembered = (Window, i64);

/// The windows of all workers.
#[derive(Debug, Clone, Default)]
pub struct Windows {
    workers: HashMap<WorkerKey, Remembered>,
}

impl Windows {
    /// What is known about `sequence` of `worker`.
    #[must_use]
    pub fn check(&self, worker: WorkerKey, sequence: u64) -> Verdict {
        self.workers
            .get(&worker)
            .map_or(Verdict::New, |(window, _)| window.check(sequence))
    }

    /// Notes that `sequence` of `worker` is in the log since `arrived_us`; returns the worker that
    /// is forgotten for it.
    pub fn insert(
        &mut self,
        worker: WorkerKey,
        sequence: u64,
        arrived_us: i64,
    ) -> Option<(WorkerKey, Remembered)> {
        let mut forgotten = None;
        if !self.workers.contains_key(&worker) && self.workers.len() >= WORKERS_MAX {
            let silent = self
                .workers
                .iter()
                .min_by_key(|(key, (_, last))| (*last, **key));
            let silent = silent.map(|(key, _)| *key);
            forgotten = silent.and_then(|key| self.workers.remove_entry(&key));
        }
        let (window, last) = self.workers.entry(worker).or_default();
        window.insert(sequence);
        *last = arrived_us.max(*last);
        forgotten
    }

    /// Notes that `worker` is alive: a heartbeat came.
    pub fn touch(&mut self, worker: WorkerKey, arrived_us: i64) {
        if let Some((_, last)) = self.workers.get_mut(&worker) {
            *last = arrived_us.max(*last);
        }
    }

    /// Puts back a window that was read from the store.
    pub fn restore(&mut self, worker: WorkerKey, window: Window, last_us: i64) {
        self.workers.insert(worker, (window, last_us));
    }

    /// The window of `worker`.
    #[must_use]
    pub fn get(&self, worker: WorkerKey) -> Option<&Window> {
        self.workers.get(&worker).map(|(window, _)| window)
    }

    /// What is remembered of `worker` now, to be put back if a write fails.
    #[must_use]
    pub fn remembered(&self, worker: WorkerKey) -> Option<Remembered> {
        self.workers.get(&worker).cloned()
    }

    /// Undoes what happened to `worker` since `before` was taken.
    pub fn put_back(&mut self, worker: WorkerKey, before: Option<Remembered>) {
        match before {
            Some(before) => self.workers.insert(worker, before),
            None => self.workers.remove(&worker),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;
    use throughline_session::hex::Hex;

    proptest! {
        #[test]
        fn agrees_with_a_plain_set(sequences in proptest::collection::vec(0_u64..200, 0..400)) {
            let mut window = Window::default();
            let mut plain = BTreeSet::new();
            for sequence in sequences {
                let expected =
                    if plain.insert(sequence) { Verdict::New } else { Verdict::Duplicate };
                prop_assert_eq!(window.check(sequence), expected);
                window.insert(sequence);
                prop_assert_eq!(window.check(sequence), Verdict::Duplicate);
            }
            prop_assert_eq!(Window::from_text(&window.to_text()), Some(window));
        }
    }

    #[test]
    fn sequences_without_gaps_take_one_range() {
        let mut window = Window::default();
        for sequence in [3, 1, 0, 2, 4, u64::MAX] {
            window.insert(sequence);
        }
        assert_eq!(window.to_text(), format!("0;0-4,{0}-{0}", u64::MAX));
    }

    #[test]
    fn the_oldest_gap_is_given_up_and_then_refused_not_guessed() {
        let mut window = Window::default();
        for sequence in 0..=RANGES_MAX as u64 {
            window.insert(sequence * 2);
        }
        assert_eq!(window.check(0), Verdict::Stale);
        assert_eq!(window.check(1), Verdict::Stale);
        assert_eq!(window.check(2), Verdict::Duplicate);
        assert_eq!(window.check(3), Verdict::New);
    }

    #[test]
    fn only_so_many_workers_are_remembered() {
        let mut windows = Windows::default();
        let key = |worker| WorkerKey {
            boot: Hex([1; 8]),
            worker,
        };
        let most = u32::try_from(WORKERS_MAX).unwrap();
        for worker in 0..most {
            assert_eq!(windows.insert(key(worker), 0, i64::from(worker)), None);
        }
        // The first is heard of again, so that the second is silent for longest.
        windows.touch(key(0), i64::from(most));
        let (gone, before) = windows.insert(key(most), 0, i64::from(most)).unwrap();
        assert_eq!((gone, before.1), (key(1), 1));
        assert_eq!(windows.check(key(0), 0), Verdict::Duplicate);
        assert_eq!(windows.check(key(1), 0), Verdict::New);
        windows.put_back(key(most), None);
        windows.put_back(gone, Some(before));
        assert_eq!(windows.check(key(1), 0), Verdict::Duplicate);
        assert_eq!(windows.check(key(most), 0), Verdict::New);
    }

    #[test]
    fn odd_text_is_no_window() {
        for odd in ["", "0", "x;", "0;1", "0;1-x", "0;-"] {
            assert_eq!(Window::from_text(odd), None, "{odd}");
        }
    }
}
