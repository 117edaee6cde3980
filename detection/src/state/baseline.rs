//! What is usual here? The features of an application's own recent sessions, without labels.
//!
//! A session adds its features when it reaches 3, 10 and 40 requests; a session is ranked among
//! those of its own length. What one network may add is limited, so that a bot cannot make
//! itself the norm by coming often (see `docs/EVALUATION.md`).

use serde::{Deserialize, Serialize};

use crate::hash;
use crate::num;

/// Lengths at which sessions are compared.
pub(crate) const STAGES: [u32; 3] = [3, 10, 40];
/// Sessions remembered per stage.
const ROWS: usize = 320;
/// Sessions of one network among them.
const PER_SUBNET: usize = 8;
/// Below so many there are no ranks.
const ENOUGH: usize = 30;
/// Sorted anew after so many additions.
const EVERY: u32 = 32;
/// Once full, one session in so many replaces another: the norm moves slowly, at little cost.
const ONE_IN: u64 = 8;

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Row {
    subnet: u64,
    /// `None` for a feature without a value: not every format can write NaN.
    values: Vec<Option<f32>>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Stage {
    rows: Vec<Row>,
    /// Sessions that wanted to be remembered.
    seen: u64,
    /// Of these, turned away because their network had its share.
    refused: u64,
    stale: u32,
    /// Per feature, sorted.
    sorted: Vec<Vec<f32>>,
}

/// The baseline of one application.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Baseline {
    stages: [Stage; 3],
}

/// Which stage a session of so many requests is compared in.
fn stage(requests: u32) -> Option<usize> {
    STAGES.iter().rposition(|stage| requests >= *stage)
}

impl Stage {
    fn wants(&mut self, subnet: u64) -> bool {
        self.seen += 1;
        if self.rows.len() >= ROWS && !self.seen.is_multiple_of(ONE_IN) {
            return false;
        }
        let of_subnet = self.rows.iter().filter(|row| row.subnet == subnet).count();
        if of_subnet >= PER_SUBNET {
            self.refused += 1;
            return false;
        }
        true
    }

    fn add(&mut self, subnet: u64, values: &[f32]) {
        let values = values
            .iter()
            .map(|value| (!value.is_nan()).then_some(*value))
            .collect();
        let row = Row { subnet, values };
        if self.rows.len() < ROWS {
            self.rows.push(row);
        } else {
            // Any row may go: older ones fade away without a cliff.
            let slot = num::slot(hash::mix(self.seen.wrapping_mul(0x9e37_79b9)), ROWS);
            if let Some(old) = self.rows.get_mut(slot) {
                *old = row;
            }
        }
        self.stale += 1;
        if self.stale >= EVERY || self.rows.len() == ENOUGH {
            self.sort();
        }
    }

    fn sort(&mut self) {
        self.stale = 0;
        let width = self.rows.first().map_or(0, |row| row.values.len());
        self.sorted = (0..width)
            .map(|column| {
                let values = self.rows.iter().filter_map(|row| *row.values.get(column)?);
                let mut values: Vec<_> = values.collect();
                values.sort_by(f32::total_cmp);
                values
            })
            .collect();
    }

    fn rank(&self, column: usize, value: f32) -> Option<f32> {
        let values = self.sorted.get(column)?;
        if values.len() < ENOUGH || value.is_nan() {
            return None;
        }
        let below = values.partition_point(|other| *other < value);
        let through = values.partition_point(|other| *other <= value);
        num::share((below + through) as f64 / 2.0, values.len() as f64).map(num::single)
    }
}

impl Baseline {
    /// Whether a session of exactly so many requests should be added now.
    pub(crate) fn wants(&mut self, requests: u32, subnet: u64) -> bool {
        STAGES.contains(&requests)
            && stage(requests)
                .and_then(|stage| self.stages.get_mut(stage))
                .is_some_and(|stage| stage.wants(subnet))
    }

    /// Adds a session's features.
    pub(crate) fn add(&mut self, requests: u32, subnet: u64, values: &[f32]) {
        if let Some(stage) = stage(requests).and_then(|stage| self.stages.get_mut(stage)) {
            stage.add(subnet, values);
        }
    }

    /// Where each feature stands among the application's sessions, NaN where nobody knows.
    pub(crate) fn ranks(&self, requests: u32, values: &[f32]) -> Vec<f32> {
        // A stage with few sessions yet: the one before is better than nothing.
        let stage = (0..=stage(requests).unwrap_or(0))
            .rev()
            .filter_map(|stage| self.stages.get(stage))
            .find(|stage| stage.rows.len() >= ENOUGH);
        values
            .iter()
            .enumerate()
            .map(|(column, value)| {
                stage
                    .and_then(|stage| stage.rank(column, *value))
                    .unwrap_or(f32::NAN)
            })
            .collect()
    }

    /// The value that a share `q` of sessions does not exceed at the first stage or a later one.
    pub(crate) fn quantile(&self, requests: u32, column: usize, q: f64) -> Option<f64> {
        let stage = self.stages.get(stage(requests)?)?;
        let values = stage.sorted.get(column)?;
        if values.len() < ENOUGH {
            return None;
        }
        let at = num::index(q * (values.len() - 1) as f64, values.len() - 1);
        values.get(at).map(|value| f64::from(*value))
    }

    /// Sessions remembered at the first stage, and how many wanted to be.
    pub(crate) fn sessions(&self) -> (usize, u64) {
        let [first, ..] = &self.stages;
        (first.rows.len(), first.seen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_and_quantiles() {
        let mut baseline = Baseline::default();
        for session in 0_u16..200 {
            assert!(baseline.wants(3, u64::from(session)));
            baseline.add(3, u64::from(session), &[f32::from(session), f32::NAN]);
        }
        let ranks = baseline.ranks(5, &[100.0, 1.0]);
        assert!((ranks[0] - 0.5).abs() < 0.1 && ranks[1].is_nan());
        assert!((baseline.quantile(3, 0, 0.9).unwrap() - 180.0).abs() < 20.0);
        assert!(baseline.quantile(3, 1, 0.9).is_none());
    }

    #[test]
    fn one_network_cannot_become_the_norm() {
        let mut baseline = Baseline::default();
        for session in 0_u16..200 {
            if baseline.wants(3, u64::from(session)) {
                baseline.add(3, u64::from(session), &[1.0]);
            }
            for _ in 0..20 {
                if baseline.wants(3, 9999) {
                    baseline.add(3, 9999, &[50.0]);
                }
            }
        }
        assert!(baseline.ranks(3, &[50.0])[0] > 0.9);
    }
}
