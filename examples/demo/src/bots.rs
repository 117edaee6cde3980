//! Which bots the aggregator found, and what the truth says about it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use demo::{Http, eventually};
use serde::Deserialize;
use serde_json::Value;

use crate::show::{cut, line};

const PAGE_ROWS: usize = 500;
/// Detection follows the log at once; the rest is for a machine that is busy.
const JUDGED_TIME_MAX: Duration = Duration::from_secs(20);
/// Sentences shown per kind of bot.
const REASONS: usize = 2;

/// A flagged session.
pub(crate) struct Bot {
    session: String,
    bot_type: String,
    confidence: f64,
    reason: String,
}

/// All items of a list, page by page.
async fn every(api: &Http, path: &str) -> anyhow::Result<Vec<Value>> {
    let mut items = Vec::new();
    let mut next = path.to_owned();
    loop {
        let page: Value = api.json(&next).await?;
        items.extend(page["items"].as_array().into_iter().flatten().cloned());
        let sign = if path.contains('?') { '&' } else { '?' };
        match page["next"].as_str() {
            Some(cursor) => next = format!("{path}{sign}cursor={cursor}"),
            None => return Ok(items),
        }
    }
}

/// The sessions that are flagged, once everything in the log was judged.
pub(crate) async fn found(api: &Http) -> anyhow::Result<Vec<Bot>> {
    eventually("everything is judged", JUDGED_TIME_MAX, async || {
        let status: Value = api.json("/v1/status").await.ok()?;
        let detection = &status["detection"];
        let judged = detection["lag_bytes"] == 0 && detection["verdicts_waiting"] == 0;
        judged.then_some(())
    })
    .await?;
    let path =
        format!("/v1/verdicts?subject_kind=session&flagged=true&state=active&limit={PAGE_ROWS}");
    let text = |verdict: &Value, name: &str| verdict[name].as_str().unwrap_or("?").to_owned();
    let bot = |verdict: &Value| Bot {
        session: text(verdict, "session"),
        bot_type: text(verdict, "bot_type"),
        confidence: verdict["confidence"].as_f64().unwrap_or(0.0),
        reason: verdict["reasons"][0].as_str().unwrap_or("?").to_owned(),
    };
    Ok(every(api, &path).await?.iter().map(bot).collect())
}

/// What kinds of bots were found, how many, and why.
pub(crate) fn kinds(bots: &[Bot]) -> anyhow::Result<()> {
    let mut kinds = BTreeMap::<&str, Vec<&Bot>>::new();
    for bot in bots {
        kinds.entry(&bot.bot_type).or_default().push(bot);
    }
    line(&format!("\nbots found: {} sessions", bots.len()))?;
    for (kind, mut bots) in kinds {
        bots.sort_by(|one, two| two.confidence.total_cmp(&one.confidence));
        line(&format!(
            "  {:<22} {:>4}",
            kind.replace('_', " "),
            bots.len()
        ))?;
        let mut shown = HashSet::new();
        for bot in bots {
            let detector = bot.reason.split(':').next().unwrap_or_default();
            if shown.len() < REASONS && shown.insert(detector) {
                line(&format!(
                    "      {:.2}  {}  {}",
                    bot.confidence,
                    cut(&bot.session, 12),
                    bot.reason
                ))?;
            }
        }
    }
    Ok(())
}

/// A line of the truth: a request, or a client.
#[derive(Deserialize)]
struct TruthLine {
    r#type: String,
    client: String,
    class: String,
    actor: String,
    #[serde(default)]
    request_id: String,
}

/// The clients of one actor.
#[derive(Default)]
struct Clients {
    all: HashSet<String>,
    flagged: HashSet<String>,
}

/// The clients of every class and actor, with those that have a flagged session.
async fn compare(
    api: &Http,
    bots: &[Bot],
    truth: &Path,
) -> anyhow::Result<BTreeMap<(String, String), Clients>> {
    let text = std::fs::read_to_string(truth).with_context(|| truth.display().to_string())?;
    let mut actors = BTreeMap::<(String, String), Clients>::new();
    let mut owners = HashMap::new();
    for line in text.lines() {
        let line: TruthLine = serde_json::from_str(line)?;
        let actor = (line.class, line.actor);
        let clients = actors.entry(actor.clone()).or_default();
        clients.all.insert(line.client.clone());
        if line.r#type == "request" {
            owners.insert(line.request_id, (actor, line.client));
        }
    }
    for bot in bots {
        let path = format!("/v1/sessions/{}/requests?limit={PAGE_ROWS}", bot.session);
        for request in every(api, &path).await? {
            let id = request["request_id"].as_str().unwrap_or_default();
            if let Some((actor, client)) = owners.get(id)
                && let Some(clients) = actors.get_mut(actor)
            {
                clients.flagged.insert(client.clone());
            }
        }
    }
    Ok(actors)
}

/// The table that holds what was found against who really came. A client counts once, over all
/// its sessions.
pub(crate) async fn truth(api: &Http, bots: &[Bot], truth: &Path) -> anyhow::Result<()> {
    let actors = compare(api, bots, truth).await?;
    line("\nagainst the truth, by client   clients  flagged")?;
    let (mut caught, mut missed, mut falsely) = (0, 0, 0);
    for ((class, actor), clients) in &actors {
        let (all, flagged) = (clients.all.len(), clients.flagged.len());
        let word = match class.as_str() {
            "bot" => {
                (caught, missed) = (caught + flagged, missed + all - flagged);
                if flagged == all {
                    "caught"
                } else {
                    "missed some"
                }
            }
            _ => {
                falsely += flagged;
                if flagged == 0 { "" } else { "FALSE" }
            }
        };
        let row = format!("  {class:<8} {actor:<20} {all:>7} {flagged:>8}  {word}");
        line(row.trim_end())?;
    }
    line(&format!(
        "bots: {caught} caught, {missed} missed; people and honest machines: {falsely} flagged by mistake"
    ))
}
