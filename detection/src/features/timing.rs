//! When: gaps between requests, their spread, the hours.

use serde::{Deserialize, Serialize};

use super::Direction::{Either, Machine, Person};
use super::{Feature, View, feature};
use crate::num::{self, log1p, share};
use crate::sketch::LogBins;
use crate::state::Step;

/// Gaps of a visit. Sums are whole numbers (thousandths), so that snapshots are exact.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Timing {
    /// Milliseconds, up to 18 hours.
    gaps: LogBins<52>,
    /// Of `ln(1 + ms)`.
    log_sum: i64,
    log_squares: i64,
    /// Of gaps over 200 ms: what is left when a page's parallel requests are taken out.
    pub(crate) pauses: u32,
    pause_log_sum: i64,
    pause_log_squares: i64,
    pub(crate) count: u32,
    bursts: u32,
    long: u32,
    /// Pauses within 5 % (or 0.5 s, when over 10 s) of the pause before.
    alike: u32,
    previous_ms: u32,
    night: u32,
    requests: u32,
}

fn spread(sum: i64, squares: i64, count: u32) -> Option<f64> {
    if count < 2 {
        return None;
    }
    let count = f64::from(count);
    let mean = sum as f64 / 1e3 / count;
    Some((squares as f64 / 1e3 / count - mean * mean).max(0.0).sqrt())
}

impl Timing {
    pub(crate) fn observe(&mut self, step: &Step<'_>) {
        self.requests = self.requests.saturating_add(1);
        let hour = step.event.at_us.div_euclid(3_600_000_000).rem_euclid(24);
        self.night += u32::from(hour < 6);
        let Some(gap_us) = step.gap_us else {
            return;
        };
        let ms = gap_us as f64 / 1e3;
        self.count = self.count.saturating_add(1);
        self.gaps.insert(ms);
        let log = log1p(ms);
        let (once, twice) = (milli(log), milli(log * log));
        self.log_sum = self.log_sum.saturating_add(once);
        self.log_squares = self.log_squares.saturating_add(twice);
        self.bursts += u32::from(ms < 1000.0);
        self.long += u32::from(ms > 60_000.0);
        if ms >= 200.0 {
            self.pauses = self.pauses.saturating_add(1);
            self.pause_log_sum = self.pause_log_sum.saturating_add(once);
            self.pause_log_squares = self.pause_log_squares.saturating_add(twice);
            let before = f64::from(self.previous_ms);
            let tolerance = (before * 0.05).max(if before > 10_000.0 { 500.0 } else { 0.0 });
            self.alike += u32::from(before > 0.0 && (ms - before).abs() <= tolerance);
            self.previous_ms = num::count(ms);
        }
    }

    /// Standard deviation of the logarithm of pauses: about the coefficient of variation where it
    /// is small, and not led astray by one long break.
    pub(crate) fn pause_spread(&self) -> Option<f64> {
        spread(self.pause_log_sum, self.pause_log_squares, self.pauses)
    }

    /// The share of pauses as long as the one before.
    pub(crate) fn alike_share(&self) -> Option<f64> {
        share(self.alike, self.pauses.saturating_sub(1))
    }
}

fn milli(value: f64) -> i64 {
    i64::from(num::count(value * 1e3))
}

fn quantile(view: &View<'_>, q: f64) -> Option<f64> {
    view.visit.timing.gaps.quantile(q).map(log1p)
}

pub(super) const FEATURES: &[Feature] = &[
    feature("gap_median", Either, "Median gap in milliseconds, logarithm.", |view| {
        quantile(view, 0.5)
    }),
    feature("gap_p10", Machine, "Gap that a tenth stay below, logarithm.", |view| {
        quantile(view, 0.1)
    }),
    feature("gap_p90", Either, "Gap that nine tenths stay below, logarithm.", |view| {
        quantile(view, 0.9)
    }),
    feature("gap_spread", Person, "Standard deviation of the gaps' logarithm.", |view| {
        let timing = &view.visit.timing;
        spread(timing.log_sum, timing.log_squares, timing.count)
    }),
    feature("pause_spread", Person, "The same for gaps over 200 ms.", |view| {
        view.visit.timing.pause_spread()
    }),
    feature("pauses_alike", Machine, "Share of pauses as long as the one before.", |view| {
        view.visit.timing.alike_share()
    }),
    feature("gap_mode", Machine, "Share of gaps within the commonest octave.", |view| {
        view.visit.timing.gaps.mode_share()
    }),
    feature("bursts", Person, "Share of gaps under a second.", |view| {
        share(view.visit.timing.bursts, view.visit.timing.count)
    }),
    feature("long_pauses", Machine, "Share of gaps over a minute.", |view| {
        share(view.visit.timing.long, view.visit.timing.count)
    }),
    feature("night", Either, "Share of requests from 0 to 6 h UTC.", |view| {
        share(view.visit.timing.night, view.visit.timing.requests)
    }),
];
