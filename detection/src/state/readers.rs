//! How many items do people here read in one visit? What one network in ten reaches is usual.
//!
//! A network counts once when a browser from it comes to 3 items at one endpoint within a visit, and
//! once for each of the numbers below, as long as nothing is held against the session: scrapers raise
//! the limit no further than to where they were recognised, and only where they are one in ten.

use serde::{Deserialize, Serialize};

use crate::hash;
use crate::sketch::Bits;

/// Items that are counted; the first makes a reader.
const REACHED: [u32; 6] = [3, 20, 30, 45, 70, 105];
/// How far beyond what is usual the limit lies: who reads most is no bot yet.
const BEYOND: f64 = 1.5;
/// Fewer readers teach nothing.
const READERS_MIN: u32 = 100;
/// So many different networks and numbers are told apart before counting begins anew.
const KNOWN_MAX: f64 = 4_000.0;

/// Networks by how far their visits read.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Readers {
    known: Bits<32>,
    reached: [u32; REACHED.len()],
}

impl Readers {
    /// Counts a visit from a network that came from so many different items to so many.
    pub(crate) fn count(&mut self, network: u64, before: u32, now: u32) {
        for (items, reached) in REACHED.iter().zip(&mut self.reached) {
            let came = before < *items && now >= *items;
            if came && self.known.insert(hash::pair(network, u64::from(*items))) {
                *reached = reached.saturating_add(1);
            }
        }
        if self.known.count() > KNOWN_MAX {
            self.known = Bits::default();
            self.reached = self.reached.map(|it| it / 2);
        }
    }

    /// Half as much again as the least of the numbers that fewer than one network in ten
    /// reaches; `None` while too few are known.
    pub(crate) fn limit(&self) -> Option<f64> {
        let (readers, further) = self.reached.split_first()?;
        let rare = |reached: &u32| reached.saturating_mul(10) < *readers;
        let at = further
            .iter()
            .position(rare)
            .map_or(REACHED.len() - 1, |at| at + 1);
        let items = REACHED.get(at).filter(|_| *readers >= READERS_MIN);
        items.map(|items| BEYOND * f64::from(*items))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 200 networks, some of which read 33 items in each of so many visits.
    fn check(keen: u64, visits: u32, expected: f64) {
        let mut readers = Readers::default();
        for network in 0..200 {
            let items = if network < keen { 33 } else { 8 };
            for _ in 0..visits {
                for item in 0..items {
                    readers.count(hash::mix(network), item, item + 1);
                }
            }
        }
        assert_eq!(readers.limit(), Some(expected), "{keen}");
    }

    #[test]
    fn what_one_network_in_ten_reaches_is_usual() {
        check(0, 1, 30.0);
        check(40, 1, 67.5);
        check(200, 1, 67.5);
        assert_eq!(Readers::default().limit(), None);
    }

    #[test]
    fn one_network_teaches_once() {
        check(2, 100, 30.0);
    }
}
