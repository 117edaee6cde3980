//! How long an answer takes and when it fails: drawn from the request id, so that the same
//! request meets the same luck in every run, whatever else is going on.

use std::time::Duration;

use crate::mix::{log_normal, mix};

/// How much work an endpoint pretends to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weight {
    /// A file or a constant; never fails.
    Static,
    /// One look-up.
    Light,
    /// A list, or a query with several look-ups.
    Medium,
    /// A full-text search.
    Search,
    /// A password hash.
    Login,
    /// A payment.
    Checkout,
}

impl Weight {
    /// Median in milliseconds and sigma of a log-normal distribution.
    fn shape(self) -> (f64, f64) {
        match self {
            Self::Static => (0.5, 0.3),
            Self::Light => (2.5, 0.4),
            Self::Medium => (6.0, 0.45),
            Self::Search => (16.0, 0.6),
            Self::Login => (30.0, 0.25),
            Self::Checkout => (55.0, 0.5),
        }
    }
}

const LATENCY_MS_MAX: f64 = 2_000.0;

/// The delay of an answer.
pub(crate) fn delay(weight: Weight, luck: u64, scale: f64) -> Duration {
    let (median, sigma) = weight.shape();
    let ms = log_normal(luck, median, sigma) * scale.max(0.0);
    Duration::from_secs_f64(ms.min(LATENCY_MS_MAX) / 1_000.0)
}

/// The status of a hiccup, where this request meets one; one in `every` does, none when 0.
pub(crate) fn fault(weight: Weight, luck: u64, every: u64) -> Option<u16> {
    let draw = mix(luck ^ 0xfa17);
    let hit = weight != Weight::Static && every > 0 && draw.is_multiple_of(every);
    hit.then_some(if draw & (1 << 40) == 0 { 503 } else { 500 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn about_one_answer_in_five_hundred_fails() {
        let faults = (0..100_000)
            .filter(|n| fault(Weight::Light, mix(*n), 500).is_some())
            .count();
        assert!((120..290).contains(&faults), "{faults}");
        assert!((0..100_000).all(|n| fault(Weight::Static, mix(n), 500).is_none()));
    }

    #[test]
    fn checkout_is_slower_than_a_file_and_all_of_it_scales() {
        let total = |weight, scale| {
            (0..500)
                .map(|n| delay(weight, mix(n), scale))
                .sum::<Duration>()
        };
        assert!(total(Weight::Checkout, 1.0) > 20 * total(Weight::Static, 1.0));
        assert_eq!(total(Weight::Checkout, 0.0), Duration::ZERO);
    }
}
