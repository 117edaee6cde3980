//! One scene of one seed under every arm; and all of them, side by side.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use throughline_detection::FINGERPRINT;
use throughline_session::wire::SessionId;

use crate::arms::{self, Arm};
use crate::cubed::{self, Cubed};
use crate::listen::{Heard, listen};
use crate::record::{Recording, record};
use crate::regroup::{self, Regroup};
use crate::replay::replay;
use crate::scenes::{self, Scene};
use crate::score::{self, Steps};

/// What an arm made of one true client.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Client {
    /// Its name, e.g. `office_user-17`.
    pub name: String,
    /// Whether it is a bot.
    pub bot: bool,
    /// By arm, in the order of [`arms::ALL`].
    pub steps: Vec<Steps>,
}

/// One scene of one seed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Played {
    /// Of the run.
    pub seed: u64,
    /// Place in [`scenes::ALL`].
    pub scene: usize,
    /// Requests that were recorded.
    pub requests: usize,
    /// All clients that sent something.
    pub clients: Vec<Client>,
    /// How true the sessions are, by arm.
    pub cubed: Vec<Cubed>,
    /// Sessions, by arm.
    pub sessions: Vec<usize>,
}

/// What one arm hears of a recording, whose batches under the arm's policy these are.
///
/// # Errors
/// When records are missing.
pub fn hear(recording: &Recording, batches: &[Vec<u8>], arm: &Arm) -> anyhow::Result<Heard> {
    let mut records = regroup::read(batches)?;
    let known = |records: &[Vec<_>]| -> Vec<SessionId> { beginnings(records) };
    let enforced = known(&records);
    arm.regroup.apply(&mut records, recording.seed);
    let enforced = match arm.regroup {
        // The placebo's sessions are forced upon records: nothing else was known at the beginning.
        Regroup::Shuffled => known(&records),
        Regroup::Related | Regroup::Alone => enforced,
    };
    listen(&records, &enforced)
}

fn beginnings(batches: &[Vec<throughline_session::wire::Record<'_>>]) -> Vec<SessionId> {
    let records = batches.iter().flatten();
    records.map(|record| record.request_session).collect()
}

/// Records a scene once and replays it under every arm.
///
/// # Errors
/// See [`hear`].
pub fn play(scene: usize, seed: u64, scale: f64) -> anyhow::Result<Played> {
    let of: &Scene = scenes::ALL.get(scene).context("no such scene")?;
    let recording = record(of, seed, scale)?;
    let truth = &recording.truth;
    let clients = truth.clients.iter().map(|client| Client {
        name: client.client.clone(),
        bot: client.class == "bot",
        steps: Vec::new(),
    });
    let mut played = Played {
        seed,
        scene,
        requests: truth.requests(),
        clients: clients.collect(),
        cubed: Vec::new(),
        sessions: Vec::new(),
    };
    // Arms that differ only in what detection may know have the same batches.
    let mut by_policy = HashMap::new();
    for arm in arms::ALL {
        let batches = match by_policy.entry(arm.policy) {
            Entry::Occupied(before) => before.into_mut(),
            Entry::Vacant(new) => new.insert(replay(&recording, arm.policy)?),
        };
        let heard = hear(&recording, batches, arm).with_context(|| format!("arm {}", arm.name))?;
        let steps = score::score(&heard, truth)?;
        for (client, steps) in played.clients.iter_mut().zip(steps) {
            client.steps.push(steps);
        }
        let groups = cubed::groups(&heard, arm.regroup == Regroup::Related);
        let clients = score::clients(&heard, truth)?;
        played.cubed.push(Cubed::of(&groups, &clients));
        played.sessions.push(heard.sessions());
    }
    Ok(played)
}

/// How much is played, and how.
#[derive(Debug, Clone, Copy)]
pub struct Plan<'a> {
    /// Factor on the number of honest clients.
    pub scale: f64,
    /// Scenes at the same time.
    pub jobs: usize,
    /// Where finished scenes are kept, and taken from when a run begins again.
    pub folder: Option<&'a Path>,
}

impl Plan<'_> {
    /// A scene that was kept, or else one that is played and kept. The name says with which
    /// detection; who changes scenes or arms starts with an empty folder.
    fn played(&self, scene: usize, seed: u64) -> anyhow::Result<Played> {
        let name = scenes::ALL.get(scene).map_or("", |scene| scene.name);
        let file = format!("{FINGERPRINT}-{}-{seed}-{name}.json", self.scale);
        let file = self.folder.map(|folder| folder.join(file));
        if let Some(text) = file.as_ref().and_then(|it| std::fs::read(it).ok())
            && let Ok(played) = serde_json::from_slice(&text)
        {
            return Ok(played);
        }
        let played =
            play(scene, seed, self.scale).with_context(|| format!("seed {seed}, scene {name}"))?;
        if let Some(file) = file {
            std::fs::write(&file, serde_json::to_vec(&played)?)
                .with_context(|| format!("cannot write {}", file.display()))?;
        }
        Ok(played)
    }
}

/// Every scene of every seed, in that order.
///
/// # Errors
/// The first that fails.
pub fn play_all(seeds: &[u64], plan: &Plan<'_>) -> anyhow::Result<Vec<Played>> {
    let scenes = scenes::ALL.len();
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..plan.jobs.clamp(1, 64) {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(seed) = seeds.get(number / scenes) else {
                        return;
                    };
                    let played = plan.played(number % scenes, *seed);
                    if let Ok(mut done) = done.lock() {
                        done.push((number, played));
                    }
                }
            });
        }
    });
    let done = done.into_inner();
    let mut done = done.map_err(|_| anyhow::anyhow!("a run has panicked"))?;
    done.sort_by_key(|(number, _)| *number);
    anyhow::ensure!(done.len() == seeds.len() * scenes, "a run has panicked");
    done.into_iter().map(|(_, played)| played).collect()
}
