//! How good are the verdicts on clients that are known? The demo's traffic, played in memory on a
//! paused clock, taken through the filter and detection, and scored by the true client.
//!
//! [`play`]: actors → shop, each exchange as Envoy would show it → [`filter`]: batches, as they
//! would be sent → [`watch`]: what detection says of them → [`score`]: the same beside the truth →
//! [`report`].
//!
//! Architecture invariant: the truth goes from `play` to `score` and nowhere else. `filter` and
//! `watch` do not know the type.

pub mod calibrate;
pub mod filter;
mod host;
pub mod left_out;
pub mod play;
pub mod report;
pub mod scene;
pub mod score;
pub mod truth;
pub mod watch;

use std::sync::mpsc;

use crate::filter::Policy;
use crate::scene::Scene;
use crate::score::Outcome;
use crate::watch::Watched;

/// Exchanges that may wait for the filter; the actors wait when there are more.
const WAITING_MAX: usize = 4096;

/// What an operator has set up.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// What the filter works by.
    pub policy: Policy,
    /// Limits in the profile, by detector.
    pub limits: Vec<(String, f64)>,
    /// Whether features are kept for a model to learn from.
    pub features: bool,
}

/// Plays a scene through filter and detection, then scores it.
///
/// # Errors
/// When the demo's policy cannot be used, or the truth is not complete.
pub fn perform(scene: &Scene, setup: &Setup) -> anyhow::Result<Vec<Outcome>> {
    let (watched, truth) = watched(scene, setup)?;
    score::score(scene.seed, &watched, &truth)
}

/// What detection said of a scene, and, apart from it, the truth.
///
/// # Errors
/// See [`perform`].
pub fn watched(scene: &Scene, setup: &Setup) -> anyhow::Result<(Watched, truth::Truth)> {
    let (sender, receiver) = mpsc::sync_channel(WAITING_MAX);
    let (seed, setup) = (scene.seed, setup.clone());
    let watcher = std::thread::spawn(move || watch::watch(seed, &setup, receiver));
    let truth = play::play(scene, sender)?;
    let watched = watcher
        .join()
        .map_err(|_| anyhow::anyhow!("the watching thread has panicked"))??;
    Ok((watched, truth))
}
