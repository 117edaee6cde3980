//! Learning on some clients, scoring others.

use super::samples::Sample;
use super::watch::Moment;
use crate::features::{self, Direction};
use crate::hash;
use crate::model::trees::{Options, Trees};

/// How many parts the samples are cut into; each is scored by a model of the others.
pub const FOLDS: u64 = 10;

/// What must not be on both sides of a cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Groups {
    /// All sessions of an address are in one fold.
    Address,
    /// All sessions of a user agent are in one fold: harder, because a kind of bot that was
    /// learnt never turns up in the scoring.
    UserAgent,
}

impl Groups {
    fn of(self, sample: &Sample) -> u64 {
        match self {
            Self::Address => sample.address,
            Self::UserAgent => sample.user_agent,
        }
    }
}

/// The row a model sees of a moment: features, then their ranks.
#[must_use]
pub fn model_row(moment: &Moment) -> Vec<f32> {
    moment.values.iter().chain(&moment.ranks).copied().collect()
}

fn directions() -> Vec<i8> {
    let signs = || {
        features::all().map(|(_, feature)| match feature.direction {
            Direction::Machine => 1,
            Direction::Person => -1,
            Direction::Either => 0,
        })
    };
    signs().chain(signs()).collect()
}

/// The rows to learn from: each session after 3 and 10 requests and at its end, so that a model
/// knows short sessions too; together they weigh as much as one row.
#[must_use]
pub fn rows_of(samples: &[&Sample]) -> (Vec<Vec<f32>>, Vec<bool>, Vec<f64>) {
    let (mut rows, mut labels, mut weights) = (Vec::new(), Vec::new(), Vec::new());
    for sample in samples {
        let [three, _, ten] = &sample.early;
        let moments = [three.as_ref(), ten.as_ref(), Some(&sample.last)];
        let moments: Vec<_> = moments.into_iter().flatten().collect();
        for moment in &moments {
            rows.push(model_row(moment));
            labels.push(sample.bot);
            weights.push(1.0 / moments.len() as f64);
        }
    }
    (rows, labels, weights)
}

/// Learns from all samples.
#[must_use]
pub fn train(samples: &[&Sample], options: &Options) -> Trees {
    let (rows, labels, weights) = rows_of(samples);
    train_rows(&rows, &labels, &weights, options)
}

/// Learns from rows of features and their ranks, whether each is a bot's, and how much it counts.
#[must_use]
pub fn train_rows(rows: &[Vec<f32>], labels: &[bool], weights: &[f64], options: &Options) -> Trees {
    Trees::train(rows, labels, weights, &directions(), options)
}

/// For each sample the model that did not learn from its group.
#[must_use]
pub fn cross_validate(samples: &[Sample], groups: Groups, options: &Options) -> Vec<Trees> {
    let fold = |sample: &Sample| hash::mix(hash::pair(11, groups.of(sample))) % FOLDS;
    let models: Vec<_> = (0..FOLDS)
        .map(|left_out| {
            let others: Vec<_> = samples.iter().filter(|it| fold(it) != left_out).collect();
            train(&others, options)
        })
        .collect();
    samples
        .iter()
        .filter_map(|sample| models.get(usize::try_from(fold(sample)).ok()?).cloned())
        .collect()
}
