//! Stable hashing, so that everything the shop invents (accounts, prices, latencies, faults)
//! is a function of a number and comes out the same in every run.

/// Spreads the bits of `value` (the finaliser of the `SplitMix64` generator).
#[must_use]
pub fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A number for `text` under `seed`; not for secrets.
#[must_use]
pub fn text(seed: u64, text: &str) -> u64 {
    text.bytes().fold(mix(seed), |sum, byte| {
        mix(sum ^ u64::from(byte)).rotate_left(5)
    })
}

/// A number in `0..count`; 0 when `count` is 0.
#[must_use]
pub fn below(hash: u64, count: usize) -> usize {
    let count = u64::try_from(count).unwrap_or(u64::MAX).max(1);
    usize::try_from(hash % count).unwrap_or(0)
}

/// One entry of a list that is not empty.
#[must_use]
pub fn pick<T: Copy>(hash: u64, list: &[T]) -> T {
    list[below(hash, list.len())]
}

/// A number in `[0, 1)`.
#[must_use]
pub fn unit(hash: u64) -> f64 {
    let high = u32::try_from(hash >> 32).unwrap_or(0);
    f64::from(high) / (f64::from(u32::MAX) + 1.0)
}

/// A draw from a log-normal distribution, in the unit of `median`.
#[must_use]
pub fn log_normal(hash: u64, median: f64, sigma: f64) -> f64 {
    let radius = (-2.0 * (1.0 - unit(hash)).ln()).sqrt();
    let normal = radius * (std::f64::consts::TAU * unit(mix(hash))).cos();
    median * (sigma * normal).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_stay_in_range_and_are_centred() {
        let draws: Vec<f64> = (0..2_000).map(|n| log_normal(mix(n), 10.0, 0.5)).collect();
        let below_median = draws.iter().filter(|draw| **draw < 10.0).count();
        assert!(draws.iter().all(|draw| *draw > 0.0));
        assert!((900..1_100).contains(&below_median), "{below_median}");
        assert!((0..1_000).all(|n| (0.0..1.0).contains(&unit(mix(n)))));
        assert_eq!(below(7, 0), 0);
        assert_ne!(text(1, "ab"), text(1, "ba"));
    }
}
