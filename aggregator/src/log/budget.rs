//! How much memory may batches take between the socket and the disk?

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A number of bytes that everything in flight shares.
#[derive(Debug, Clone)]
pub struct Budget {
    used: Arc<AtomicU64>,
    bytes_max: u64,
}

/// A part of a [`Budget`], given back when dropped.
#[derive(Debug)]
pub struct Room {
    budget: Budget,
    bytes: u64,
}

impl Budget {
    /// A budget of `bytes_max`.
    #[must_use]
    pub fn new(bytes_max: u64) -> Self {
        Self {
            used: Arc::default(),
            bytes_max,
        }
    }

    /// Room for nothing yet.
    #[must_use]
    pub fn room(&self) -> Room {
        Room {
            budget: self.clone(),
            bytes: 0,
        }
    }

    /// Bytes in use.
    #[must_use]
    pub fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }
}

impl Room {
    /// Takes `bytes` more; `false` when the budget has not that many left.
    #[must_use]
    pub fn grow(&mut self, bytes: u64) -> bool {
        let most = self.budget.bytes_max;
        let more = |used: u64| used.checked_add(bytes).filter(|after| *after <= most);
        let grown = self
            .budget
            .used
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more)
            .is_ok();
        if grown {
            self.bytes += bytes;
        }
        grown
    }

    /// Gives back what is beyond `bytes`.
    pub fn shrink_to(&mut self, bytes: u64) {
        let less = self.bytes.saturating_sub(bytes);
        self.budget.used.fetch_sub(less, Ordering::Relaxed);
        self.bytes -= less;
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_gives_more_than_it_has_and_takes_it_back() {
        let budget = Budget::new(10);
        let (mut one, mut other) = (budget.room(), budget.room());
        assert!(one.grow(6));
        assert!(!other.grow(5));
        assert!(other.grow(4));
        assert!(!one.grow(u64::MAX));
        assert_eq!(budget.used(), 10);
        other.shrink_to(9);
        assert_eq!(budget.used(), 10, "it had less");
        other.shrink_to(1);
        assert_eq!(budget.used(), 7);
        assert!(other.grow(3));
        drop(one);
        assert_eq!(budget.used(), 4);
        assert!(other.grow(6));
    }
}
