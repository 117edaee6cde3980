//! Both ways of grouping against who really came.

use std::ops::Range;
use std::path::Path;

use super::ADDRESS;
use crate::truth::{Actors, Score, Truth};
use crate::{Bot, Stack, bots};

/// Who came under one way of grouping, and who of them was found by it.
#[derive(Debug, Default)]
pub struct Grouping {
    /// By class and actor, everywhere.
    pub actors: Actors,
    /// Everywhere.
    pub everywhere: Score,
    /// Behind the one address.
    pub here: Score,
}

/// Both ways of grouping.
#[derive(Debug, Default)]
pub struct Compared {
    /// Before the change.
    pub by_address: Grouping,
    /// After it.
    pub by_key: Grouping,
}

impl Compared {
    /// Holds what was found against the truth: what was found before the change against who came
    /// before it, and likewise after.
    pub(super) async fn read(
        stack: &Stack,
        found: &[Bot],
        truth: &Path,
        changed_us: u64,
        version: &str,
    ) -> anyhow::Result<Self> {
        let truth = Truth::read(truth)?;
        let (mut before, mut after) = (Vec::new(), Vec::new());
        for bot in found {
            for request in bots::requests(&stack.api, &bot.session).await? {
                let id = request["request_id"].as_str().map(str::to_owned);
                if request["policy_version"] == version {
                    after.extend(id);
                } else {
                    before.extend(id);
                }
            }
        }
        Ok(Self {
            by_address: Grouping::of(&truth, &(0..changed_us), &before),
            by_key: Grouping::of(&truth, &(changed_us..u64::MAX), &after),
        })
    }
}

impl Grouping {
    fn of(truth: &Truth, time_us: &Range<u64>, flagged: &[String]) -> Self {
        let actors = truth.held_against(time_us, None, flagged);
        Self {
            everywhere: Score::of(&actors),
            here: Score::of(&truth.held_against(time_us, Some(ADDRESS), flagged)),
            actors,
        }
    }
}
