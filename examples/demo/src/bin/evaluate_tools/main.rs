//! `make evaluate-tools`: real tools as bots, gently, against the demo API behind the real Envoy.
//!
//! Honest traffic is played beside them. Each tool has an address of its own; afterwards the
//! aggregator's API is asked which of the sessions from there were flagged, and by what.

mod list;

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context;
use demo::{Stack, binary, eventually};
use list::{Installed, Tool};
use serde_json::Value;
use tokio::process::Command;
use tokio::time::timeout;

/// A tool is stopped after this, whatever it is at.
const TOOL_TIME_MAX: Duration = Duration::from_secs(60);
const JUDGED_TIME_MAX: Duration = Duration::from_secs(60);
/// People and honest machines beside the tools.
const HONEST: &str = "browser_shopper=8,window_shopper=8,mobile_app_user=4,app_polling=3,sdk_sync=1,health_checker=1";
const HONEST_SECONDS: &str = "60";

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let folder = demo::repository().join("target/tools");
    if folder.exists() {
        std::fs::remove_dir_all(&folder).with_context(|| folder.display().to_string())?;
    }
    let stack = Stack::builder().folder(&folder).workers(2).start().await?;
    let target = format!("http://{}", stack.ingress);
    list::files(&target, &folder)?;
    let tools = list::tools(&target);
    line("real tools as bots, with 25 honest clients beside them; a minute")?;
    let honest = tokio::spawn(honest(target, folder.join("truth.ndjson")));
    let runs = tools.iter().map(|tool| run(tool, &folder));
    let mut done = tokio::task::JoinSet::new();
    for (at, run) in runs.enumerate() {
        done.spawn(async move { (at, run.await) });
    }
    let mut ran = done.join_all().await;
    ran.sort_by_key(|(at, _)| *at);
    honest.await??;
    stack.settled(Duration::from_secs(30)).await?;
    judged(&stack).await?;
    report(&stack, &tools, &ran).await?;
    stack.stop().await
}

fn line(text: &str) -> anyhow::Result<()> {
    Ok(writeln!(std::io::stdout(), "{text}")?)
}

/// How a tool's run ended, for the table; its output is in the folder.
fn run(tool: &Tool, folder: &Path) -> impl Future<Output = String> + Send + 'static {
    let command = match &tool.installed {
        Installed::At(program) => {
            let mut command = Command::new(program);
            command
                .args(&tool.arguments)
                .envs(tool.environment.clone())
                .current_dir(folder)
                .stdin(Stdio::null())
                .kill_on_drop(true);
            Some(command)
        }
        Installed::Nowhere => None,
    };
    let log = std::fs::File::create(folder.join(format!("{}.log", tool.name)));
    async move {
        let Some(mut command) = command else {
            return "skipped: not installed (scripts/setup-tools)".to_owned();
        };
        if let Ok((out, err)) = log.and_then(|log| Ok((log.try_clone()?, log))) {
            command.stdout(out).stderr(err);
        }
        match timeout(TOOL_TIME_MAX, command.status()).await {
            Ok(Ok(status)) if status.success() => "ran".to_owned(),
            Ok(Ok(status)) => format!("ran ({status})"),
            Ok(Err(error)) => format!("skipped: {error}"),
            Err(_) => "stopped after a minute".to_owned(),
        }
    }
}

async fn honest(target: String, truth: std::path::PathBuf) -> anyhow::Result<()> {
    let status = Command::new(binary("traffic")?)
        .args(["--target", &target, "--cast", HONEST])
        .args(["--seconds", HONEST_SECONDS])
        .arg("--truth")
        .arg(truth)
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .status()
        .await?;
    anyhow::ensure!(status.success(), "traffic ended with {status}");
    Ok(())
}

async fn judged(stack: &Stack) -> anyhow::Result<()> {
    eventually("everything is judged", JUDGED_TIME_MAX, async || {
        let status: Value = stack.api.json("/v1/status").await.ok()?;
        let detection = &status["detection"];
        let judged = detection["lag_bytes"] == 0 && detection["verdicts_waiting"] == 0;
        judged.then_some(())
    })
    .await
}

/// All items of a list, page by page.
async fn every(stack: &Stack, path: &str) -> anyhow::Result<Vec<Value>> {
    let mut items = Vec::new();
    let mut next = path.to_owned();
    loop {
        let page: Value = stack.api.json(&next).await?;
        items.extend(page["items"].as_array().into_iter().flatten().cloned());
        match page["next"].as_str() {
            Some(cursor) => next = format!("{path}&cursor={cursor}"),
            None => return Ok(items),
        }
    }
}

/// The table: each tool with what caught it.
async fn report(stack: &Stack, tools: &[Tool], ran: &[(usize, String)]) -> anyhow::Result<()> {
    let verdicts = every(stack, "/v1/verdicts?flagged=true&state=active&limit=500").await?;
    line(&format!(
        "\n{:<10} {:<8} {:>8} {:>8}  {:<22} {:<10} by",
        "tool", "caught", "requests", "sessions", "as", "run"
    ))?;
    let (mut caught, mut missed, mut skipped) = (0, 0, 0);
    let mut of_tools = BTreeSet::new();
    for (tool, (_, run)) in tools.iter().zip(ran) {
        let path = format!("/v1/sessions?q={}&limit=500", tool.filter);
        let own = every(stack, &path).await?;
        let ids: BTreeSet<_> = own.iter().filter_map(|it| it["session"].as_str()).collect();
        let requests: u64 = own.iter().filter_map(|it| it["requests"].as_u64()).sum();
        let held: Vec<_> = verdicts
            .iter()
            .filter(|it| it["session"].as_str().is_some_and(|id| ids.contains(id)))
            .collect();
        let as_what = held.first().map_or("–", |it| text(it, "bot_type"));
        let by: BTreeSet<_> = held.iter().flat_map(|it| detectors(it)).collect();
        let word = match (requests, held.is_empty()) {
            (0, _) => "–",
            (_, true) => "MISSED",
            (_, false) => "caught",
        };
        match word {
            "caught" => caught += 1,
            "MISSED" => missed += 1,
            _ => skipped += 1,
        }
        let by: Vec<_> = by.into_iter().collect();
        line(&format!(
            "{:<10} {word:<8} {requests:>8} {:>8}  {as_what:<22} {run:<10} {}",
            tool.name,
            ids.len(),
            if requests == 0 {
                tool.note.to_owned()
            } else {
                by.join(", ")
            }
        ))?;
        of_tools.extend(ids.iter().map(|id| (*id).to_owned()));
    }
    let wrong = verdicts
        .iter()
        .filter(|it| !of_tools.contains(text(it, "session")));
    let wrong: BTreeSet<_> = wrong.map(|it| text(it, "session")).collect();
    line(&format!(
        "evaluate-tools: caught={caught} missed={missed} skipped={skipped} honest_sessions_flagged={}",
        wrong.len()
    ))
}

fn text<'a>(item: &'a Value, name: &str) -> &'a str {
    item[name].as_str().unwrap_or("?")
}

/// Reasons begin with the detector's name.
fn detectors(verdict: &Value) -> impl Iterator<Item = &str> {
    let reasons = verdict["reasons"].as_array().into_iter().flatten();
    reasons.filter_map(|it| it.as_str()?.split(':').next())
}
