//! scene → recording: its exchanges, once for all arms, and the truth about them.

use std::sync::mpsc;

use anyhow::Context as _;
use shop::mix::text;
use stage::play::{self, Passing};
use stage::truth::Truth;
use throughline_session::headers::HeaderBlock;

use crate::scenes::Scene;

/// Exchanges that may wait to be written down.
const WAITING_MAX: usize = 4_096;
/// Tenants of the shop: what the over-merging control groups by.
const TENANTS: u64 = 8;

/// A scene that was played.
#[derive(Debug)]
pub struct Recording {
    /// Of the scene's dice.
    pub seed: u64,
    /// Requests and responses as Envoy would show them, in the order of time.
    pub passing: Vec<Passing>,
    /// Who was who.
    pub truth: Truth,
}

/// Plays a scene of a seed and writes everything down.
///
/// # Errors
/// When the truth is not complete.
pub fn record(scene: &Scene, seed: u64, scale: f64) -> anyhow::Result<Recording> {
    let stage = scene.stage(seed, scale);
    let (sender, receiver) = mpsc::sync_channel(WAITING_MAX);
    let writer = std::thread::spawn(move || receiver.into_iter().collect::<Vec<_>>());
    let truth = play::play(&stage, sender)?;
    let mut passing = writer
        .join()
        .map_err(|_| anyhow::anyhow!("the writing thread has panicked"))?;
    for passing in &mut passing {
        if let Passing::Request(asked) = passing {
            asked.headers = with_tenant(&asked.headers, &truth, stage.seed)?;
        }
    }
    Ok(Recording {
        seed: stage.seed,
        passing,
        truth,
    })
}

/// The gateway in front of this shop says whose customer a client is: always the same of eight.
fn with_tenant(headers: &HeaderBlock, truth: &Truth, seed: u64) -> anyhow::Result<HeaderBlock> {
    let id = headers
        .get(b"x-request-id")
        .context("a request without id")?;
    let id = std::str::from_utf8(id)?;
    let client = truth.client_of(id).and_then(|it| truth.clients.get(it));
    let client = client.with_context(|| format!("nobody sent {id}"))?;
    let tenant = format!("tenant-{}", text(seed, &client.client) % TENANTS);
    let mut pairs: Vec<(&[u8], &[u8])> = headers.iter().collect();
    pairs.push((b"x-tenant", tenant.as_bytes()));
    Ok(HeaderBlock::from_pairs(&pairs))
}
