//! The demo's first minute: one address with many people and one who tries stolen passwords, first
//! as one session, then, after one key rule, as what they are.
//!
//! Every number comes out of the running system through its API, and the traffic holds its breath
//! while it is read, so that it is one that will not change. The truth is read at the end, for the
//! last table only.

mod compared;
mod crowd;
mod evidence;
mod stage;
mod words;

use std::time::SystemTime;

use anyhow::Context;

pub use self::compared::{Compared, Grouping};
pub use self::crowd::Crowd;
pub use self::evidence::{Evidence, Login};
use self::stage::Stage;
use crate::traffic::{Play, Traffic};
use crate::{Stack, bots};

/// Where the crowd sits.
pub const ADDRESS: &str = "203.0.113.7";
/// Who sits there, besides the usual cast at its own addresses. All keep the shop's cookie, except
/// most who try passwords.
const CROWD: &[(&str, u32)] = &[
    ("browser_shopper", 150),
    ("window_shopper", 40),
    ("forgetful_user", 23),
    ("credential_stuffer", 1),
];
/// As long as it takes to be told; a shorter one is the same story told faster.
pub const SECONDS: u64 = 60;
/// Below, a plain round of traffic shows more: nobody reads five scenes in half a minute.
pub const SECONDS_MIN: u64 = 40;
/// Story seconds per real second when told in [`SECONDS`].
const TIME_SCALE: f64 = 3.0;
/// The traffic ends a little earlier, so that the last table is there in time.
const TRAFFIC_SHARE: f64 = 0.95;
/// The policies of the two halves, and the candidate that makes the second known in the first.
const BY_ADDRESS: &str = include_str!("../../story/by_address.yaml");
const BY_COOKIE: &str = include_str!("../../story/by_cookie.yaml");
const CANDIDATE: &str = "by-cookie";

/// What to tell.
#[derive(Debug, Clone, Copy)]
pub struct Story {
    /// Makes every client's choices.
    pub seed: u64,
    /// Real seconds, [`SECONDS`] at best.
    pub seconds: u64,
}

/// What was told, for those who check it.
#[derive(Debug)]
pub struct Told {
    /// The crowd by address.
    pub before: Crowd,
    /// The crowd by the key.
    pub after: Crowd,
    /// What shows the one who tries passwords; none when nobody was held for a bot.
    pub evidence: Option<Evidence>,
    /// Both ways of grouping against the truth.
    pub compared: Compared,
}

/// Takes a line for the reader.
pub type Say<'a> = &'a (dyn Fn(&str) -> anyhow::Result<()> + Sync);

/// Tells the story.
///
/// # Errors
/// When a part of the stack does not do what it should.
pub async fn tell(stack: &Stack, story: Story, say: Say<'_>) -> anyhow::Result<Told> {
    stack
        .put_candidate(CANDIDATE, BY_COOKIE)
        .await
        .context("the candidate")?;
    let by_address = stack.put_policy(BY_ADDRESS, "By%20address").await?;
    stack.wake().await?;
    stack.runs(&by_address).await?;
    say(&words::opening(story.seed, crowd_size()))?;
    let traffic = Traffic::start(stack, &play(story))?;
    let mut stage = Stage::new(stack, traffic, story.seconds);

    let (at, status) = stage
        .scene(10.0, async || stage::books(stack).await)
        .await?;
    say(&words::books(at, stack.api.base(), &status))?;

    let (at, before) = stage
        .scene(20.0, async || Crowd::by_address(stack, CANDIDATE).await)
        .await?;
    say(&words::by_address(at, &before))?;

    let by_key = stack.put_policy(BY_COOKIE, "By%20the%20cookie").await?;
    stack.drop_candidate(CANDIDATE).await?;
    stack.runs(&by_key).await?;
    let changed_us = now_us();
    say(&words::change(stage.second()))?;

    stage.until_caught(&by_key).await;
    let (at, after) = stage
        .scene(35.0, async || Crowd::by_key(stack, &by_key).await)
        .await?;
    say(&words::side_by_side(at, &before, &after))?;

    let (at, evidence) = stage
        .scene(50.0, async || Evidence::of(stack, &by_key).await)
        .await?;
    say(&words::evidence(at, stack.api.base(), evidence.as_ref()))?;

    let (at, truth) = stage.finish().await?;
    let status = stage::books(stack).await?;
    let found = bots::found(&stack.api).await?;
    let compared = Compared::read(stack, &found, &truth, changed_us, &by_key).await?;
    say(&words::truth(at, &compared, &status))?;
    Ok(Told {
        before,
        after,
        evidence,
        compared,
    })
}

fn crowd_size() -> u32 {
    CROWD.iter().map(|(_, clients)| clients).sum()
}

fn play(story: Story) -> Play {
    let there = CROWD.iter();
    let crowd = there.map(|(actor, clients)| format!("{actor}={clients}@{ADDRESS}"));
    let cast: Vec<String> = ["everybody".to_owned()].into_iter().chain(crowd).collect();
    let seconds = u32::try_from(story.seconds).map_or(f64::MAX, f64::from);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of what came as a whole number"
    )]
    let traffic_seconds = (seconds * TRAFFIC_SHARE) as u64;
    let scale = TIME_SCALE * f64::from(u32::try_from(SECONDS).unwrap_or(1)) / seconds.max(1.0);
    Play {
        seed: story.seed,
        seconds: traffic_seconds,
        arguments: ["--early", "--time-scale", &scale.to_string(), "--cast"]
            .map(str::to_owned)
            .into_iter()
            .chain([cast.join(",")])
            .collect(),
    }
}

/// The truth has times of day.
#[expect(
    clippy::disallowed_methods,
    reason = "held against the times that the traffic wrote down"
)]
fn now_us() -> u64 {
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn told_faster_it_is_the_same_story() {
        let argument = |story, name: &str| {
            let play = play(story);
            let mut arguments = play.arguments.iter().skip_while(|it| *it != name);
            (play.seconds, arguments.nth(1).unwrap().clone())
        };
        let story = |seconds| Story { seed: 7, seconds };
        assert_eq!(argument(story(60), "--time-scale"), (57, "3".to_owned()));
        assert_eq!(argument(story(30), "--time-scale"), (28, "6".to_owned()));
        let (_, cast) = argument(story(60), "--cast");
        assert!(cast.starts_with("everybody,browser_shopper=150@203.0.113.7,"));
        assert_eq!(crowd_size(), 214);
    }
}
