//! Shares of what was counted, and how sure they are.

use serde::Serialize;

use super::scores::{Figure, Interval};

/// So many of so many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Rate {
    /// Hits.
    pub hits: usize,
    /// Of so many.
    pub all: usize,
}

/// The normal deviate of 95 %, both sides.
const DEVIATE: f64 = 1.959_964;
/// What lies above an upper bound.
const ABOVE: f64 = 0.05;

impl Rate {
    /// One more, a hit or not.
    pub fn add(&mut self, hit: bool) {
        self.hits += usize::from(hit);
        self.all += 1;
    }

    /// The share; 0 of nothing.
    #[must_use]
    pub fn share(self) -> f64 {
        self.hits as f64 / self.all.max(1) as f64
    }

    /// The share with its 95 % interval by Wilson, who does not fail at 0 and 1.
    #[must_use]
    pub fn figure(self) -> Figure {
        let (value, all) = (self.share(), self.all as f64);
        if self.all == 0 {
            return Figure {
                value,
                interval: Interval {
                    low: 0.0,
                    high: 1.0,
                },
            };
        }
        let square = DEVIATE * DEVIATE;
        let centre = value + square / (2.0 * all);
        let reach = DEVIATE * (value * (1.0 - value) / all + square / (4.0 * all * all)).sqrt();
        let scale = 1.0 + square / all;
        Figure {
            value,
            interval: Interval {
                low: ((centre - reach) / scale).max(0.0),
                high: ((centre + reach) / scale).min(1.0),
            },
        }
    }

    /// The share that the true one is below with 95 %: the exact one-sided bound of Clopper and
    /// Pearson. With no hit among 3,000 it is 0.1 %. 1 for nothing.
    #[must_use]
    pub fn upper_bound(self) -> f64 {
        let (mut low, mut high) = (self.share(), 1.0);
        if self.hits >= self.all {
            return 1.0;
        }
        for _ in 0..60 {
            let middle = f64::midpoint(low, high);
            if at_most(self, middle) > ABOVE {
                low = middle;
            } else {
                high = middle;
            }
        }
        high
    }
}

/// The chance of so many hits or fewer, where each has chance `p`.
fn at_most(rate: Rate, p: f64) -> f64 {
    let all = rate.all as f64;
    let mut term = all * (1.0 - p).ln();
    let mut sum = term.exp();
    for hits in 1..=rate.hits {
        let hits = hits as f64;
        term += ((all - hits + 1.0) / hits).ln() + (p / (1.0 - p)).ln();
        sum += term.exp();
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_bounds() {
        // Exact bounds as in printed tables.
        for (hits, all, expected) in [
            (0, 3000, 0.000_998),
            (0, 10, 0.2589),
            (1, 10, 0.3942),
            (5, 5000, 0.002_102),
            (10, 10, 1.0),
            (0, 0, 1.0),
        ] {
            let bound = Rate { hits, all }.upper_bound();
            assert!((bound - expected).abs() < 1e-4, "{hits} of {all}: {bound}");
        }
    }

    #[test]
    fn known_intervals() {
        for (hits, all, low, high) in [
            (0, 10, 0.0, 0.2775),
            (5, 10, 0.2366, 0.7634),
            (100, 100, 0.9630, 1.0),
            (0, 0, 0.0, 1.0),
        ] {
            let Interval { low: l, high: h } = Rate { hits, all }.figure().interval;
            let fits = (l - low).abs() < 1e-3 && (h - high).abs() < 1e-3;
            assert!(fits, "{hits} of {all}: {l} {h}");
        }
    }
}
