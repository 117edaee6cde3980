//! `make demo`: starts the stack and tells a story in its first minute; then sends traffic, round
//! after round, and shows the sessions and the bots it finds.

mod rounds;
mod show;

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use demo::story::{self, Story};
use demo::{Play, Stack, Status, Traffic, found};
use tokio::signal::unix::{SignalKind, signal};

const ROUND_SECONDS: u64 = 60;
/// Batches leave the filter within 100 ms; the rest is for a machine that is busy.
const SETTLE_TIME_MAX: Duration = Duration::from_secs(20);

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let limit = number("DEMO_SECONDS")?;
    let seed = number("DEMO_SEED")?.unwrap_or(7);
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;

    let folder = demo::repository().join("target/demo");
    if folder.exists() {
        std::fs::remove_dir_all(&folder).with_context(|| folder.display().to_string())?;
    }
    let stack = tokio::select! {
        stack = Stack::builder().folder(&folder).workers(2).start() => stack?,
        _ = interrupt.recv() => return Ok(ExitCode::FAILURE),
        _ = terminate.recv() => return Ok(ExitCode::FAILURE),
    };
    show::places(&stack)?;
    tokio::select! {
        outcome = play(&stack, seed, limit) => outcome?,
        _ = interrupt.recv() => show::line("")?,
        _ = terminate.recv() => {}
    }
    let balanced = finish(&stack).await?;
    stack.stop().await?;
    Ok(if balanced {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The story, where there is time for it, then rounds: until the time is over, or for good.
async fn play(stack: &Stack, seed: u64, limit: Option<u64>) -> anyhow::Result<()> {
    let story = Story {
        seed,
        seconds: limit.map_or(story::SECONDS, |limit| limit.min(story::SECONDS)),
    };
    let is_told = story.seconds >= story::SECONDS_MIN;
    if is_told {
        story::tell(stack, story, &show::line).await?;
    }
    let left = limit.map(|limit| limit - if is_told { story.seconds } else { 0 });
    if left == Some(0) {
        return Ok(());
    }
    stack.fit_policy().await?;
    show::line("\ndemo: policy          examples/demo/policy.yaml, put in place while Envoy runs")?;
    rounds(stack, seed + u64::from(is_told), left).await
}

/// Traffic and a table, again and again, or once when the time is limited.
async fn rounds(stack: &Stack, seed: u64, limit: Option<u64>) -> anyhow::Result<()> {
    for round in 0.. {
        let play = Play {
            seed: seed + round,
            seconds: limit.unwrap_or(ROUND_SECONDS),
            arguments: Vec::new(),
        };
        if round == 0 && limit.is_none() {
            show::where_next(stack).await?;
        }
        show::line(&format!(
            "\ndemo: {} s of traffic, seed {}",
            play.seconds, play.seed
        ))?;
        let (last, truth) = Traffic::start(stack, &play)?.finish().await?;
        show::line(&last)?;
        let status = settle(stack).await?;
        show::sessions(&stack.api).await?;
        let found = found(&stack.api).await?;
        rounds::kinds(&found)?;
        rounds::truth(&stack.api, &found, &truth).await?;
        if limit.is_some() {
            // The books follow with the last line.
            break;
        }
        show::ledger(&status)?;
    }
    Ok(())
}

/// Waits until every exchange that Envoy counted is in the store.
///
/// When that does not happen in time, the books say where the rest is.
async fn settle(stack: &Stack) -> anyhow::Result<Status> {
    match stack.settled(SETTLE_TIME_MAX).await {
        Ok(status) => Ok(status),
        Err(_) => stack.status().await,
    }
}

/// The last line; says whether the books balance with nothing lost.
async fn finish(stack: &Stack) -> anyhow::Result<bool> {
    let status = settle(stack).await?;
    let sessions = stack.api.every("/v1/sessions?limit=500").await?;
    let bots = found(&stack.api).await?.len();
    let lost = status
        .missing()
        .context("Envoy's own request counter could not be read")?;
    show::ledger(&status)?;
    let records = status.totals.stored;
    show::line(&format!(
        "demo: records={records} sessions={} bots={bots} lost={lost}",
        sessions.len()
    ))?;
    std::io::stdout().flush()?;
    Ok(lost == 0 && status.totals.balanced)
}

fn number(variable: &str) -> anyhow::Result<Option<u64>> {
    match std::env::var(variable) {
        Ok(text) => Ok(Some(
            text.parse()
                .with_context(|| format!("${variable}={text}"))?,
        )),
        Err(_) => Ok(None),
    }
}
