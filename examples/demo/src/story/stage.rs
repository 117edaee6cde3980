//! When each scene is played: never before its time, and never with numbers that still move.

use std::path::PathBuf;
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};

use super::SECONDS;
use super::crowd::Crowd;
use crate::traffic::Traffic;
use crate::{Stack, Status, bots, eventually};

/// Batches leave the filter within 100 ms; the rest is for a machine that is busy.
const SETTLE_TIME_MAX: Duration = Duration::from_secs(20);
/// How long a breath is held at first, and how often at the most, each time for twice as long.
const HOLD_TIME: Duration = Duration::from_secs(2);
const HOLDS_MAX: u32 = 3;
/// Enough to send the rest of a request.
const BREATH: Duration = Duration::from_millis(50);
/// A machine that is so busy that nobody is caught by then tells what there is.
const CAUGHT_TIME_MAX: Duration = Duration::from_secs(20);

pub(super) struct Stage<'a> {
    stack: &'a Stack,
    traffic: Traffic,
    start: Instant,
    /// Real seconds per second of the story.
    pace: f64,
}

impl<'a> Stage<'a> {
    pub(super) fn new(stack: &'a Stack, traffic: Traffic, seconds: u64) -> Self {
        let float = |seconds: u64| u32::try_from(seconds).map_or(f64::MAX, f64::from);
        Self {
            stack,
            traffic,
            start: Instant::now(),
            pace: float(seconds) / float(SECONDS),
        }
    }

    /// Real seconds since the traffic began.
    pub(super) fn second(&self) -> u64 {
        self.start.elapsed().as_secs()
    }

    /// Reads something at `second` of the story, or later on a slow machine, while the traffic
    /// holds still and everything it sent is stored and judged.
    pub(super) async fn scene<T>(
        &mut self,
        second: f64,
        read: impl AsyncFnOnce() -> anyhow::Result<T>,
    ) -> anyhow::Result<(u64, T)> {
        sleep_until(self.start + Duration::from_secs_f64(second * self.pace)).await;
        self.hold().await?;
        let found = async {
            bots::judged(&self.stack.api).await?;
            read().await
        };
        let found = found.await;
        self.traffic.go_on()?;
        Ok((self.second(), found?))
    }

    /// Whoever is held in the middle of a request keeps Envoy waiting for the rest of it: they go on
    /// for a moment and are held anew.
    async fn hold(&mut self) -> anyhow::Result<()> {
        for held in 0..HOLDS_MAX {
            if held > 0 {
                self.traffic.go_on()?;
                sleep(BREATH).await;
            }
            self.traffic.hold()?;
            if self
                .stack
                .settled(HOLD_TIME * 2_u32.pow(held))
                .await
                .is_ok()
            {
                break;
            }
        }
        // If not: what is read says where the rest is.
        Ok(())
    }

    /// Waits until somebody in the crowd is held for a bot under the policy, or for so long that
    /// the story has to go on.
    pub(super) async fn until_caught(&self, version: &str) {
        let caught = eventually("somebody is held for a bot", CAUGHT_TIME_MAX, async || {
            let crowd = Crowd::by_key(self.stack, version).await.ok()?;
            (crowd.held > 0).then_some(())
        });
        // Not in time: the next scene says that nobody was.
        drop(caught.await);
    }

    /// Waits for the end of the traffic, and until what it sent is stored; when that was, and where
    /// the truth is.
    pub(super) async fn finish(self) -> anyhow::Result<(u64, PathBuf)> {
        let (_, truth) = self.traffic.finish().await?;
        books(self.stack).await?;
        Ok((self.start.elapsed().as_secs(), truth))
    }
}

/// Waits until every exchange that Envoy counted is in the store; where that does not happen in
/// time, the books say where the rest is.
pub(super) async fn books(stack: &Stack) -> anyhow::Result<Status> {
    match stack.settled(SETTLE_TIME_MAX).await {
        Ok(status) => Ok(status),
        Err(_) => stack.status().await,
    }
}
