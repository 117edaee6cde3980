//! A histogram over half octaves: percentiles of gaps, bytes and times.

use serde::{Deserialize, Serialize};

use super::array;
use crate::num;

/// `N` bins, each √2 times as wide as the one before; bin 0 holds everything below 1.
///
/// When a bin is full, all are halved: old values fade instead of stopping the count.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct LogBins<const N: usize> {
    #[serde(with = "array")]
    bins: [u16; N],
    total: u32,
}

impl<const N: usize> Default for LogBins<N> {
    fn default() -> Self {
        Self {
            bins: [0; N],
            total: 0,
        }
    }
}

impl<const N: usize> LogBins<N> {
    fn bin(value: f64) -> usize {
        if value < 1.0 {
            return 0;
        }
        num::index(value.log2() * 2.0 + 1.0, N.saturating_sub(1))
    }

    /// The value in the middle of a bin.
    fn middle(bin: usize) -> f64 {
        if bin == 0 {
            return 0.5;
        }
        ((bin as f64 - 0.5) / 2.0).exp2()
    }

    /// Adds a value.
    pub(crate) fn insert(&mut self, value: f64) {
        let Some(bin) = self.bins.get_mut(Self::bin(value)) else {
            return;
        };
        *bin += 1;
        self.total += 1;
        if *bin == u16::MAX {
            for bin in &mut self.bins {
                *bin /= 2;
            }
            self.total = self.bins.iter().map(|bin| u32::from(*bin)).sum();
        }
    }

    /// The value that a share `q` of all values does not exceed; `None` when empty.
    pub(crate) fn quantile(&self, q: f64) -> Option<f64> {
        if self.total == 0 {
            return None;
        }
        let wanted = q * f64::from(self.total);
        let mut below = 0.0;
        for (index, bin) in self.bins.iter().enumerate() {
            below += f64::from(*bin);
            if below >= wanted && *bin > 0 {
                return Some(Self::middle(index));
            }
        }
        None
    }

    /// The share of values in the fullest bin and its right neighbour.
    pub(crate) fn mode_share(&self) -> Option<f64> {
        let pairs = self.bins.iter().zip(self.bins.iter().skip(1));
        let mode = pairs
            .map(|(one, next)| u32::from(*one) + u32::from(*next))
            .max()?;
        num::share(mode, self.total)
    }

    /// Where a value stands among all: 0 below them, 1 above them, `None` when there are few.
    pub(crate) fn rank(&self, value: f64) -> Option<f64> {
        const ENOUGH: u32 = 20;
        if self.total < ENOUGH {
            return None;
        }
        let own = Self::bin(value);
        let below: u32 = self.bins.iter().take(own).map(|bin| u32::from(*bin)).sum();
        let same = self.bins.get(own).map_or(0, |bin| u32::from(*bin));
        num::share(f64::from(below) + f64::from(same) / 2.0, self.total)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_within_half_an_octave() {
        let mut bins = LogBins::<40>::default();
        assert_eq!(bins.quantile(0.5), None);
        for value in 1..=1000 {
            bins.insert(f64::from(value));
        }
        for (q, expected) in [(0.1, 100.0), (0.5, 500.0), (0.9, 900.0)] {
            let found = bins.quantile(q).unwrap();
            assert!(
                found / expected < 1.5 && expected / found < 1.5,
                "{q}: {found}"
            );
        }
        assert!(bins.rank(0.1).unwrap() < 0.01);
        assert!(bins.rank(1e9).unwrap() > 0.99);
    }

    #[test]
    fn a_full_bin_fades() {
        let mut bins = LogBins::<4>::default();
        for _ in 0..200_000 {
            bins.insert(1.0);
        }
        assert!(bins.total < 70_000);
        assert!((bins.mode_share().unwrap() - 1.0).abs() < 1e-9);
    }
}
