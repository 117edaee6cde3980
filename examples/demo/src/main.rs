//! `make demo`: starts the stack, sends the traffic, shows the sessions and the bots it finds.

mod bots;
mod show;
mod traffic;

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use demo::{Stack, Status};
use tokio::signal::unix::{SignalKind, signal};

/// First round, seconds: long enough for sessions to look like something.
const FIRST_ROUND_SECONDS: u64 = 12;
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
    stack.fit_policy().await?;
    show::line("demo: policy          examples/demo/policy.yaml, put in place while Envoy runs")?;
    tokio::select! {
        outcome = rounds(&stack, seed, limit) => outcome?,
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

/// Traffic and a table, again and again, or once when the time is limited.
async fn rounds(stack: &Stack, seed: u64, limit: Option<u64>) -> anyhow::Result<()> {
    for round in 0.. {
        let seconds = match (limit, round) {
            (Some(limit), _) => limit,
            (None, 0) => FIRST_ROUND_SECONDS,
            (None, _) => ROUND_SECONDS,
        };
        show::line(&format!(
            "\ndemo: {seconds} s of traffic, seed {}",
            seed + round
        ))?;
        let truth = traffic::play(stack, seed + round, seconds).await?;
        let status = settle(stack).await?;
        show::sessions(&stack.api).await?;
        let found = bots::found(&stack.api).await?;
        bots::kinds(&found)?;
        bots::truth(&stack.api, &found, &truth).await?;
        if limit.is_some() {
            // The books follow with the last line.
            break;
        }
        show::ledger(&status)?;
        if round == 0 {
            show::where_next(stack).await?;
        }
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
    let sessions = show::every_session(&stack.api).await?;
    let bots = bots::found(&stack.api).await?.len();
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
