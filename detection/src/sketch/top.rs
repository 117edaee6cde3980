//! Which values most often? Space-saving counts in a few slots.

use serde::{Deserialize, Serialize};

use super::array;
use crate::num;

/// `N` counters by 32-bit key; a new key takes the place (and the count) of the rarest.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Top<const N: usize> {
    #[serde(with = "array")]
    slots: [(u32, u32); N],
    total: u32,
}

impl<const N: usize> Default for Top<N> {
    fn default() -> Self {
        Self {
            slots: [(0, 0); N],
            total: 0,
        }
    }
}

impl<const N: usize> Top<N> {
    /// Counts a key.
    pub(crate) fn add(&mut self, key: u32) {
        self.total = self.total.saturating_add(1);
        let mut rarest: Option<&mut (u32, u32)> = None;
        for slot in &mut self.slots {
            if slot.0 == key && slot.1 > 0 {
                slot.1 = slot.1.saturating_add(1);
                return;
            }
            if rarest.as_ref().is_none_or(|rarest| slot.1 < rarest.1) {
                rarest = Some(slot);
            }
        }
        if let Some(slot) = rarest {
            *slot = (key, slot.1.saturating_add(1));
        }
    }

    /// How often anything was counted.
    pub(crate) fn total(&self) -> u32 {
        self.total
    }

    /// All keys and their counts.
    pub(crate) fn slots(&self) -> impl Iterator<Item = (u32, u32)> {
        self.slots.iter().copied().filter(|slot| slot.1 > 0)
    }

    /// The commonest key and its count.
    pub(crate) fn first(&self) -> Option<(u32, u32)> {
        self.slots
            .iter()
            .copied()
            .filter(|slot| slot.1 > 0)
            .max_by_key(|slot| slot.1)
    }

    /// The key's count, 0 when it is not among the commonest.
    pub(crate) fn count(&self, key: u32) -> u32 {
        self.slots
            .iter()
            .find(|slot| slot.0 == key)
            .map_or(0, |slot| slot.1)
    }

    /// Entropy over its largest possible value: 0 one key only, 1 all alike.
    pub(crate) fn evenness(&self) -> Option<f64> {
        let most = (self.total as usize).min(N);
        if most < 2 {
            return None;
        }
        let sum: f64 = self.slots.iter().map(|slot| f64::from(slot.1)).sum();
        let entropy: f64 = self
            .slots
            .iter()
            .filter_map(|slot| num::share(slot.1, sum).filter(|share| *share > 0.0))
            .map(|share| -share * share.ln())
            .sum();
        Some(entropy / (most as f64).ln())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_commonest() {
        let mut top = Top::<4>::default();
        for key in 0..100_u32 {
            top.add(key);
            top.add(7);
        }
        assert_eq!(top.first().unwrap().0, 7);
        assert_eq!(top.total(), 200);
        assert!(top.evenness().unwrap() < 1.0);
    }
}
