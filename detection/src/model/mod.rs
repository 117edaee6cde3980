//! Learnt from labels: boosted trees over features and their ranks. Optional: without a model
//! nothing else changes.

mod grow;
pub mod trees;

use serde::{Deserialize, Serialize};

use crate::features;
use crate::num::sigmoid;
use trees::Trees;

/// Trees with the names of what they read: a model of other features is refused, not misread.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Model {
    features: Vec<String>,
    trees: Trees,
}

/// What a model says of a session, and why.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// That it is a machine, 0 to 1.
    pub machine: f64,
    /// Features with what each adds to the log-odds, strongest first.
    pub contributions: Vec<(String, f64)>,
}

/// Columns of a model: every feature, then every feature's rank.
fn names() -> Vec<String> {
    let of = |suffix: &'static str| {
        features::all()
            .map(move |(group, feature)| format!("{}.{}{suffix}", group.name, feature.name))
    };
    of("").chain(of("#rank")).collect()
}

impl Model {
    /// Trees that were learnt on this version's features.
    #[must_use]
    pub fn new(trees: Trees) -> Self {
        Self {
            features: names(),
            trees,
        }
    }

    /// Whether it reads the features of this version.
    #[must_use]
    pub fn fits(&self) -> bool {
        self.features == names()
    }

    /// Judges features and ranks as [`crate::Detection::features`] gives them; `None` when the
    /// model is of another version. At most `reasons` contributions are named.
    #[must_use]
    pub fn explain(&self, values: &[f32], ranks: &[f32], reasons: usize) -> Option<Explanation> {
        if !self.fits() {
            return None;
        }
        let row: Vec<f32> = values.iter().chain(ranks).copied().collect();
        let added = self.trees.contributions(&row);
        let mut contributions: Vec<_> = self.features.iter().cloned().zip(added).collect();
        contributions.sort_by(|one, two| two.1.abs().total_cmp(&one.1.abs()));
        contributions.truncate(reasons);
        Some(Explanation {
            machine: sigmoid(self.trees.score(&row)),
            contributions,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn explains_and_refuses_what_does_not_fit() {
        let width = names().len();
        let rows: Vec<Vec<f32>> = (0..200_u8)
            .map(|row| {
                (0..width)
                    .map(|at| if at == 3 { f32::from(row) } else { 0.0 })
                    .collect()
            })
            .collect();
        let labels: Vec<_> = (0..200).map(|row| row > 100).collect();
        let options = trees::Options {
            columns: 1.0,
            ..trees::Options::default()
        };
        let trees = Trees::train(&rows, &labels, &[], &[], &options);
        let model = Model::new(trees);
        let (values, ranks) = rows[180].split_at(width / 2);
        let explanation = model.explain(values, ranks, 2).unwrap();
        assert!(explanation.machine > 0.9);
        assert_eq!(explanation.contributions[0].0, names()[3]);
        let other = Model {
            features: vec!["volume.requests".into()],
            ..model
        };
        assert_eq!(other.explain(values, ranks, 2), None);
    }
}
