//! What time is it? The only place that asks, so that tests need no sleep.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::UNIX_EPOCH;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Microseconds since the Unix epoch, UTC.
    fn now_us(&self) -> i64;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct System;

impl Clock for System {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock that everyone else takes"
    )]
    fn now_us(&self) -> i64 {
        let since = std::time::SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
    }
}

/// A clock that stands still until it is told to move: for tests.
#[derive(Debug, Default)]
pub struct Fixed(AtomicI64);

impl Fixed {
    /// A clock that shows `now_us`, microseconds since the Unix epoch.
    #[must_use]
    pub fn at(now_us: i64) -> Self {
        Self(AtomicI64::new(now_us))
    }

    /// Moves the clock forward by `microseconds`.
    pub fn advance(&self, microseconds: i64) {
        self.0.fetch_add(microseconds, Ordering::Relaxed);
    }
}

impl Clock for Fixed {
    fn now_us(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}
