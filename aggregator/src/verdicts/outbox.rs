//! verdict → store: what was judged and is not stored yet, each verdict once and only once.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::Event;

/// Verdicts that may wait; beyond it detection waits for the store.
const EVENTS_MAX: usize = 20_000;
/// Verdicts that are stored at once.
const PACKAGE: usize = 5_000;

/// Verdicts on their way from detection to the store.
///
/// The store commits verdicts together with the log position up to which it has them all. What
/// detection says again after a restart, about records before that position, is dropped here.
#[derive(Debug, Default)]
pub struct Outbox {
    inner: Mutex<Inner>,
    moved: Condvar,
}

#[derive(Debug, Default)]
struct Inner {
    /// (position after the batch, its verdicts).
    waiting: std::collections::VecDeque<(u64, Vec<Event>)>,
    events: usize,
    /// Up to where verdicts are stored.
    stored: u64,
    /// Nothing more comes.
    closed: bool,
    /// The store takes nothing more.
    abandoned: bool,
}

/// What the store commits at once.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Package {
    /// Verdicts in log order.
    pub events: Vec<Event>,
    /// Position up to which these and those before are all.
    pub position: u64,
}

impl Outbox {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts where the store's verdicts end.
    pub fn begin(&self, stored: u64) {
        self.lock().stored = stored;
    }

    /// Takes the verdicts of a batch that ends at `end`; waits while too many wait.
    pub fn push(&self, end: u64, events: Vec<Event>) {
        let mut inner = self.lock();
        if events.is_empty() || end <= inner.stored {
            return;
        }
        while inner.events >= EVENTS_MAX && !inner.abandoned {
            inner = self
                .moved
                .wait(inner)
                .unwrap_or_else(PoisonError::into_inner);
        }
        inner.events += events.len();
        inner.waiting.push_back((end, events));
        self.moved.notify_all();
    }

    /// What to store next; `None` when nothing waits. Given again until [`Self::done`].
    #[must_use]
    pub fn peek(&self) -> Option<Package> {
        let inner = self.lock();
        let mut package = Package::default();
        for (end, events) in &inner.waiting {
            if package.events.len() >= PACKAGE {
                break;
            }
            package.events.extend_from_slice(events);
            package.position = *end;
        }
        (!package.events.is_empty()).then_some(package)
    }

    /// Says that everything up to `position` is stored.
    pub fn done(&self, position: u64) {
        let mut inner = self.lock();
        inner.stored = inner.stored.max(position);
        while inner
            .waiting
            .front()
            .is_some_and(|(end, _)| *end <= position)
        {
            let gone = inner.waiting.pop_front();
            inner.events -= gone.map_or(0, |(_, events)| events.len());
        }
        self.moved.notify_all();
    }

    /// Whether all verdicts up to `position` are stored; waits for it at most `patience`.
    #[must_use]
    pub fn stored_to(&self, position: u64, patience: Duration) -> bool {
        let until = Instant::now() + patience;
        let mut inner = self.lock();
        loop {
            if inner.waiting.front().is_none_or(|(end, _)| *end > position) {
                return true;
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || inner.abandoned {
                return false;
            }
            inner = self
                .moved
                .wait_timeout(inner, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// How many verdicts wait, and up to where they are stored.
    #[must_use]
    pub fn standing(&self) -> (usize, u64) {
        let inner = self.lock();
        (inner.events, inner.stored)
    }

    /// Says that nothing more comes.
    pub fn close(&self) {
        self.lock().closed = true;
        self.moved.notify_all();
    }

    /// Says that nothing more is taken: nobody waits for room any more.
    pub fn abandon(&self) {
        self.lock().abandoned = true;
        self.moved.notify_all();
    }

    /// Waits until something is there to store, or nothing more comes; `true` when closed.
    #[must_use]
    pub fn wait(&self, patience: Duration) -> bool {
        let until = Instant::now() + patience;
        let mut inner = self.lock();
        while inner.waiting.is_empty() && !inner.closed {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            inner = self
                .moved
                .wait_timeout(inner, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        inner.closed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_nothing_twice() {
        let outbox = Outbox::default();
        outbox.begin(10);
        let event = Event::default;
        outbox.push(10, vec![event()]);
        assert_eq!(outbox.peek(), None);
        outbox.push(11, vec![event(), event()]);
        outbox.push(12, Vec::new());
        outbox.push(13, vec![event()]);
        let package = outbox.peek().unwrap();
        assert_eq!((package.events.len(), package.position), (3, 13));
        assert_eq!(outbox.peek(), Some(package));
        outbox.done(11);
        assert_eq!(outbox.standing(), (1, 11));
        outbox.done(13);
        assert_eq!((outbox.peek(), outbox.standing()), (None, (0, 13)));
    }
}
