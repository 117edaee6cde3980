//! What a round of traffic shows: the sessions, the bots, and what the truth says about them.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use demo::{Bot, Http, Score, Truth, outcome, requests};

use crate::show::{cut, line};

/// Sentences shown per kind of bot.
const REASONS: usize = 2;

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

/// The table that holds what was found against who really came. A client counts once, over all
/// its sessions.
pub(crate) async fn truth(api: &Http, bots: &[Bot], truth: &Path) -> anyhow::Result<()> {
    let mut flagged = Vec::new();
    for bot in bots {
        for request in requests(api, &bot.session).await? {
            flagged.extend(request["request_id"].as_str().map(str::to_owned));
        }
    }
    let actors = Truth::read(truth)?.held_against(&(0..u64::MAX), None, &flagged);
    line("\nagainst the truth, by client   clients  flagged")?;
    for ((class, actor), clients) in &actors {
        let row = format!(
            "  {class:<8} {actor:<20} {:>7} {:>8}  {}",
            clients.came.len(),
            clients.flagged.len(),
            outcome(class, clients)
        );
        line(row.trim_end())?;
    }
    let score = Score::of(&actors);
    line(&format!(
        "bots: {} caught, {} missed; people and honest machines: {} flagged by mistake",
        score.caught, score.missed, score.falsely
    ))
}
