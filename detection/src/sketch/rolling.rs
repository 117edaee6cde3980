//! How many lately? Counts over a sliding window, from two fixed ones.

use serde::{Deserialize, Serialize};

use crate::num;

/// Counts in the current and the previous window of `SECONDS`.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Rolling<const SECONDS: i64> {
    window: i64,
    current: u32,
    previous: u32,
}

impl<const SECONDS: i64> Rolling<SECONDS> {
    const WIDTH_US: i64 = SECONDS * 1_000_000;

    /// Moves on to the window of `at_us`. Late records count in the current window; a clock that
    /// jumped back further than two windows starts over.
    fn turn(&mut self, at_us: i64) {
        let window = at_us.div_euclid(Self::WIDTH_US);
        match window.saturating_sub(self.window) {
            0 | -1 => {}
            1 => {
                self.previous = self.current;
                self.current = 0;
                self.window = window;
            }
            _ => {
                *self = Self {
                    window,
                    current: 0,
                    previous: 0,
                }
            }
        }
    }

    /// Counts one more.
    pub(crate) fn add(&mut self, at_us: i64) {
        self.turn(at_us);
        self.current = self.current.saturating_add(1);
    }

    /// Estimated count over the last `SECONDS` before `at_us`.
    pub(crate) fn count(&self, at_us: i64) -> f64 {
        let mut now = *self;
        now.turn(at_us);
        let inside = at_us.saturating_sub(now.window.saturating_mul(Self::WIDTH_US));
        let left = 1.0 - (inside as f64 / Self::WIDTH_US as f64).clamp(0.0, 1.0);
        f64::from(now.current) + f64::from(now.previous) * left
    }

    /// The same as a whole number.
    pub(crate) fn whole(&self, at_us: i64) -> u32 {
        num::count(self.count(at_us).round())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slides_and_survives_jumps() {
        let mut rolling = Rolling::<10>::default();
        for second in 0..10 {
            rolling.add(second * 1_000_000);
        }
        assert_eq!(rolling.whole(9_000_000), 10);
        assert_eq!(rolling.whole(15_000_000), 5);
        assert_eq!(rolling.whole(60_000_000), 0);
        rolling.add(1_000_000_000_000);
        assert_eq!(rolling.whole(1_000_000_000_000), 1);
        rolling.add(5_000_000);
        assert_eq!(rolling.whole(5_000_000), 1);
        rolling.add(i64::MIN);
        rolling.add(i64::MAX);
    }
}
