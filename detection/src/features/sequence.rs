//! In what order: how usual is each next step for this application?

use serde::{Deserialize, Serialize};

use super::Direction::Either;
use super::{Feature, feature};
use crate::num::share;
use crate::state::Step;

/// Steps of a visit.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Sequence {
    pub(crate) steps: u32,
    surprise_sum: u64,
    surprise_most: u32,
    /// Steps that fewer than one in a hundred take.
    pub(crate) unusual: u32,
    same: u32,
    previous: u32,
}

impl Sequence {
    pub(crate) fn observe(&mut self, step: &Step<'_>) {
        const UNUSUAL: u32 = 4600;
        let endpoint = step.event.endpoint + 1;
        if self.previous == endpoint {
            self.same = self.same.saturating_add(1);
        }
        self.previous = endpoint;
        let Some(surprise) = step.surprise else {
            return;
        };
        self.steps = self.steps.saturating_add(1);
        self.surprise_sum = self.surprise_sum.saturating_add(u64::from(surprise));
        self.surprise_most = self.surprise_most.max(surprise);
        self.unusual += u32::from(surprise > UNUSUAL);
    }
}

impl Sequence {
    /// Mean surprise of a step, nats.
    pub(crate) fn mean_surprise(&self) -> Option<f64> {
        share(self.surprise_sum as f64 / 1e3, self.steps)
    }
}

pub(super) const FEATURES: &[Feature] = &[
    feature("surprise", Either, "Mean surprise of its steps, nats.", |view| {
        view.visit.sequence.mean_surprise()
    }),
    feature("surprise_most", Either, "Its most surprising step, nats.", |view| {
        let sequence = &view.visit.sequence;
        (sequence.steps > 0).then(|| f64::from(sequence.surprise_most) / 1e3)
    }),
    feature("unusual_steps", Either, "Share of steps that one in a hundred takes.", |view| {
        share(view.visit.sequence.unusual, view.visit.sequence.steps)
    }),
    feature("same_again", Either, "Share of steps to the very same endpoint.", |view| {
        share(view.visit.sequence.same, view.visit.volume.requests.saturating_sub(1))
    }),
];
