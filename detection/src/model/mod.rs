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

/// Why a model cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// It was learnt by a version with other features.
    #[error(
        "it reads {missing}, which this version does not have in its place: learn it anew with \
         `throughline train`"
    )]
    OtherFeatures {
        /// The first that differs.
        missing: String,
    },
    /// It is no model that was ever learnt.
    #[error("its trees are damaged: learn it anew with `throughline train`")]
    Damaged,
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

    /// Whether it can be used: a file may hold anything.
    ///
    /// # Errors
    /// When it reads other features than this version's, or its trees lead nowhere.
    pub fn check(&self) -> Result<(), ModelError> {
        let own = names();
        let differs = |(at, name): &(usize, &String)| own.get(*at) != Some(*name);
        if let Some((_, missing)) = self.features.iter().enumerate().find(differs) {
            let missing = missing.chars().take(80).collect();
            return Err(ModelError::OtherFeatures { missing });
        }
        if let Some(missing) = own.get(self.features.len()) {
            let missing = format!("no {missing}");
            return Err(ModelError::OtherFeatures { missing });
        }
        self.trees.sound().then_some(()).ok_or(ModelError::Damaged)
    }

    /// What it consists of.
    #[must_use]
    pub fn trees(&self) -> &Trees {
        &self.trees
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
        assert!(matches!(
            other.check(),
            Err(ModelError::OtherFeatures { .. })
        ));
    }

    #[test]
    fn a_damaged_file_is_refused() {
        let node = |left: u32| {
            format!(
                r#"{{"column":0,"split":0.5,"missing_left":true,"left":{left},"right":2,"value":0.1}}"#
            )
        };
        let leaf =
            r#"{"column":4294967295,"split":0,"missing_left":true,"left":0,"right":0,"value":0.1}"#;
        for (left, expected) in [
            (1, Ok(())),
            (0, Err(ModelError::Damaged)),
            (9, Err(ModelError::Damaged)),
        ] {
            let trees = format!(r#"{{"base":0,"trees":[[{},{leaf},{leaf}]]}}"#, node(left));
            let model = Model::new(serde_json::from_str(&trees).unwrap());
            assert_eq!(model.check(), expected, "{left}");
        }
    }
}
