//! All workers' pages: what they say as of their last batch, what we have as of the store's last
//! transaction. Beyond [`WORKERS_MAX`] workers the one silent for longest is added to
//! [`Forgotten`].

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use throughline_session::wire::BatchHeader;

use super::WorkerBook;
use crate::log::{WORKERS_MAX, WorkerKey};

/// What remains of workers that are no longer kept one by one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// How many.
    pub workers: u64,
    /// Exchanges they had seen.
    pub seen: u64,
    /// Their records in the store.
    pub stored: u64,
    /// Their record lines in quarantine.
    pub quarantined: u64,
    /// Records they had given up. The rest counts as lost.
    pub dropped: u64,
}

impl Forgotten {
    /// Adds a worker's page.
    pub fn add(&mut self, book: &WorkerBook) {
        let balance = book.balance(true);
        self.workers += 1;
        self.seen = self.seen.saturating_add(balance.seen);
        self.stored = self.stored.saturating_add(balance.stored);
        self.quarantined = self.quarantined.saturating_add(balance.quarantined);
        self.dropped = self.dropped.saturating_add(balance.dropped.total());
    }

    /// What they had seen and nobody has.
    #[must_use]
    pub fn lost(&self) -> u64 {
        let here = self
            .stored
            .saturating_add(self.quarantined)
            .saturating_add(self.dropped);
        self.seen.saturating_sub(here)
    }
}

#[derive(Debug, Default)]
struct Pages {
    workers: BTreeMap<WorkerKey, WorkerBook>,
    forgotten: Forgotten,
}

/// The ledger that the store writes and everyone reads.
#[derive(Debug, Default)]
pub struct Books(Mutex<Pages>);

impl Books {
    /// The ledger as it was read from the store.
    #[must_use]
    pub fn new(workers: BTreeMap<WorkerKey, WorkerBook>, forgotten: Forgotten) -> Self {
        Self(Mutex::new(Pages { workers, forgotten }))
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A copy of a worker's page; an empty one for a new worker.
    #[must_use]
    pub fn page(&self, worker: WorkerKey) -> Option<WorkerBook> {
        self.pages().workers.get(&worker).cloned()
    }

    /// All pages.
    #[must_use]
    pub fn all(&self) -> (BTreeMap<WorkerKey, WorkerBook>, Forgotten) {
        let pages = self.pages();
        (pages.workers.clone(), pages.forgotten)
    }

    /// Takes down what a worker says before its batch is stored: what it has seen and we do not
    /// have yet is pending from now on.
    pub fn hear(&self, worker: WorkerKey, header: &BatchHeader<'_>, arrived_us: i64) {
        let mut pages = self.pages();
        // New workers beyond the limit wait for the store, which forgets others for them.
        if pages.workers.len() < WORKERS_MAX || pages.workers.contains_key(&worker) {
            pages
                .workers
                .entry(worker)
                .or_default()
                .hear(header, arrived_us);
        }
    }

    /// The workers to be forgotten when `touched` are written, and the sum with them in it.
    #[must_use]
    pub fn overflow(
        &self,
        touched: &BTreeMap<WorkerKey, WorkerBook>,
    ) -> (Vec<WorkerKey>, Forgotten) {
        let pages = self.pages();
        let mut forgotten = pages.forgotten;
        let new = touched
            .keys()
            .filter(|key| !pages.workers.contains_key(key))
            .count();
        let excess = (pages.workers.len() + new).saturating_sub(WORKERS_MAX);
        if excess == 0 {
            return (Vec::new(), forgotten);
        }
        let others = pages
            .workers
            .iter()
            .filter(|(key, _)| !touched.contains_key(key));
        let mut silent: Vec<_> = others
            .map(|(key, book)| (book.last_contact_us, *key, book))
            .collect();
        silent.sort_unstable_by_key(|(last_us, key, _)| (*last_us, *key));
        silent.truncate(excess);
        silent.iter().for_each(|(_, _, book)| forgotten.add(book));
        (
            silent.into_iter().map(|(_, key, _)| key).collect(),
            forgotten,
        )
    }

    /// Takes over what the store has committed.
    pub fn publish(
        &self,
        touched: &BTreeMap<WorkerKey, WorkerBook>,
        gone: &[WorkerKey],
        forgotten: Forgotten,
    ) {
        let mut pages = self.pages();
        for (key, book) in touched {
            let mut book = book.clone();
            if let Some(known) = pages.workers.get(key) {
                book.catch_up(known);
            }
            pages.workers.insert(*key, book);
        }
        for key in gone {
            pages.workers.remove(key);
        }
        pages.forgotten = forgotten;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use throughline_session::hex::Hex;

    #[test]
    fn the_forgotten_keep_the_totals_right() {
        let books = Books::default();
        let mut seen = 0;
        for worker in 0..u32::try_from(WORKERS_MAX).unwrap() + 3 {
            let key = WorkerKey {
                boot: Hex([1; 8]),
                worker,
            };
            let mut book = WorkerBook {
                last_contact_us: i64::from(worker),
                ..Default::default()
            };
            book.reported.seen = u64::from(worker) + 10;
            book.stored = 7;
            seen += book.reported.seen;
            let touched = BTreeMap::from([(key, book)]);
            let (gone, forgotten) = books.overflow(&touched);
            books.publish(&touched, &gone, forgotten);
        }
        let (workers, forgotten) = books.all();
        assert_eq!(workers.len(), WORKERS_MAX);
        assert_eq!(
            forgotten,
            Forgotten {
                workers: 3,
                seen: 33,
                stored: 21,
                quarantined: 0,
                dropped: 0
            }
        );
        assert_eq!(forgotten.lost(), 12);
        let kept: u64 = workers.values().map(|book| book.reported.seen).sum();
        assert_eq!(kept + forgotten.seen, seen);
    }
}
