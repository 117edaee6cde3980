//! How many different values? Linear counting on a small bitmap.

use serde::{Deserialize, Serialize};

use super::array;
use crate::num;

/// A bitmap of `64 * N` bits; exact enough (a few percent) up to about `100 * N` distinct values,
/// and says 'at least so many' from `64 * N * ln(64 * N)` on.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Bits<const N: usize>(#[serde(with = "array")] [u64; N]);

impl<const N: usize> Default for Bits<N> {
    fn default() -> Self {
        Self([0; N])
    }
}

impl<const N: usize> Bits<N> {
    /// Nothing added.
    pub(crate) const EMPTY: Self = Self([0; N]);

    /// Adds a value by its hash; whether its bit was not set yet.
    pub(crate) fn insert(&mut self, hash: u64) -> bool {
        let bit = num::slot(hash, N * 64);
        let Some(word) = self.0.get_mut(bit / 64) else {
            return false;
        };
        let mask = 1 << (bit % 64);
        let new = *word & mask == 0;
        *word |= mask;
        new
    }

    /// Whether the value was probably added before.
    pub(crate) fn contains(&self, hash: u64) -> bool {
        let bit = num::slot(hash, N * 64);
        self.0
            .get(bit / 64)
            .is_some_and(|word| word >> (bit % 64) & 1 == 1)
    }

    /// Estimated number of distinct values.
    pub(crate) fn count(&self) -> f64 {
        let size = (N * 64) as f64;
        let set: u32 = self.0.iter().map(|word| word.count_ones()).sum();
        let empty = (size - f64::from(set)).max(0.5);
        size * (size / empty).ln()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::mix;

    #[test]
    fn counts_within_a_few_percent() {
        for (values, tolerance) in [(1_u32, 0.1), (10, 0.6), (100, 6.0), (800, 60.0)] {
            let mut bits = Bits::<8>::default();
            for value in 0..values {
                bits.insert(mix(u64::from(value) + 1));
                bits.insert(mix(u64::from(value) + 1));
            }
            let off = (bits.count() - f64::from(values)).abs();
            assert!(off <= tolerance, "{values}: {}", bits.count());
        }
    }

    #[test]
    fn a_full_bitmap_still_answers() {
        let mut bits = Bits::<1>::default();
        for value in 0..100_000_u64 {
            bits.insert(mix(value));
        }
        assert!(bits.count() > 300.0 && bits.count().is_finite());
    }
}
