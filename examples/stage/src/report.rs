//! outcomes → tables for people, figures for machines.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;
use throughline_detection::evaluate::Rate;

use crate::score::{Hit, Outcome};

/// Shares of bots among clients for which precision is computed.
const PREVALENCES: [f64; 2] = [0.01, 0.001];

/// Bot actors that no single session shows.
const ACROSS: [&str; 3] = ["patient_stuffer", "relogin_scraper", "rotating_enumerator"];

/// One bot actor.
#[derive(Debug, Clone, Default, Serialize)]
pub struct BotRow {
    /// Which.
    pub actor: String,
    /// Caught at sensitivity medium.
    pub medium: Rate,
    /// Caught at sensitivity low.
    pub low: Rate,
    /// Caught at medium without related sessions.
    pub medium_alone: Rate,
    /// Median of requests until the verdict over all clients, caught or not; `None` where fewer
    /// than half were caught.
    pub requests_median: Option<usize>,
    /// Median share of requests that blocking at medium would have stopped.
    pub stopped_median: f64,
    /// Strongest detector of the first verdict, and how often.
    pub caught_by: Vec<(String, usize)>,
}

/// One honest actor, or all of a class.
#[derive(Debug, Clone, Default, Serialize)]
pub struct HonestRow {
    /// Which.
    pub actor: String,
    /// Wrongly flagged at sensitivity medium.
    pub medium: Rate,
    /// Wrongly flagged at sensitivity low.
    pub low: Rate,
    /// Wrongly flagged at medium without related sessions.
    pub medium_alone: Rate,
    /// What the first verdict names and who voted, and how often.
    pub wronged_by: Vec<(String, usize)>,
}

/// How surely a verdict is right, at one share of bots.
#[derive(Debug, Clone, Serialize)]
pub struct Precision {
    /// Share of bots among clients.
    pub prevalence: f64,
    /// With the false positives that were seen.
    pub seen: f64,
    /// With as many as the upper bound allows.
    pub at_least: f64,
}

/// All figures.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Runs.
    pub seeds: Vec<u64>,
    /// True clients.
    pub clients: usize,
    /// Exchanges.
    pub requests: usize,
    /// By actor.
    pub bots: Vec<BotRow>,
    /// By actor.
    pub honest: Vec<HonestRow>,
    /// All people.
    pub people: HonestRow,
    /// All honest machines.
    pub machines: HonestRow,
    /// Of verdicts at medium.
    pub precision: Vec<Precision>,
    /// Mean square of confidence against truth, classes weighted equally: bots half, people and
    /// machines a quarter each. Always saying .5 gives .25.
    pub brier: f64,
}

impl Report {
    /// Adds up.
    #[must_use]
    pub fn of(outcomes: &[Outcome]) -> Self {
        let mut seeds: Vec<_> = outcomes.iter().map(|it| it.seed).collect();
        seeds.dedup();
        let by_actor = |class: &str| {
            let mut actors = BTreeMap::<&str, Vec<&Outcome>>::new();
            for outcome in outcomes.iter().filter(|it| it.client.class == class) {
                actors
                    .entry(&outcome.client.actor)
                    .or_default()
                    .push(outcome);
            }
            actors
        };
        let all = |class: &str| -> Vec<&Outcome> {
            let of_class = outcomes.iter().filter(|it| it.client.class == class);
            of_class.collect()
        };
        let bots: Vec<_> = by_actor("bot")
            .iter()
            .map(|(actor, of)| BotRow::of(actor, of))
            .collect();
        let honest = by_actor("person").into_iter().chain(by_actor("machine"));
        let people = HonestRow::of("people", &all("person"));
        let machines = HonestRow::of("machines", &all("machine"));
        Self {
            precision: precisions(&bots, &people, &machines),
            honest: honest
                .map(|(actor, of)| HonestRow::of(actor, &of))
                .collect(),
            brier: brier(&all("bot"), 1.0) / 2.0
                + brier(&all("person"), 0.0) / 4.0
                + brier(&all("machine"), 0.0) / 4.0,
            requests: outcomes.iter().map(|it| it.requests).sum(),
            clients: outcomes.len(),
            seeds,
            bots,
            people,
            machines,
        }
    }

    /// The worst bot actor's recall at medium.
    #[must_use]
    pub fn recall_min(&self) -> f64 {
        let recalls = self.bots.iter().map(|row| row.medium.share());
        recalls.fold(1.0, f64::min)
    }

    /// Tables in Markdown.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut text = format!(
            "{} runs, {} requests of {} clients: {} people, {} machines, {} bots.\n\n",
            self.seeds.len(),
            self.requests,
            self.clients,
            self.people.medium.all,
            self.machines.medium.all,
            self.bots.iter().map(|row| row.medium.all).sum::<usize>(),
        );
        text += "| bot | clients | recall at medium | at low | alone | requests | stopped | first caught by |\n";
        text += "|---|--:|---|--:|--:|--:|--:|---|\n";
        for row in &self.bots {
            text += &row.line();
        }
        text += "\n| honest | clients | flagged at medium | at most | at low | at most | alone | by |\n";
        text += "|---|--:|--:|--:|--:|--:|--:|---|\n";
        for row in self.honest.iter().chain([&self.people, &self.machines]) {
            text += &row.line();
        }
        text.push('\n');
        text += &self.across();
        for it in &self.precision {
            let share = it.prevalence * 100.0;
            // Writing to a String does not fail.
            let _ok = writeln!(
                text,
                "Of clients flagged at medium, {:.1} % are bots where {share} % of clients are; at \
                 least {:.1} %.",
                it.seen * 100.0,
                it.at_least * 100.0
            );
        }
        let _ok = writeln!(
            text,
            "Brier score of the confidence: {:.4}, where 'always one half' has .25.",
            self.brier
        );
        text
    }

    /// What related sessions are good for.
    fn across(&self) -> String {
        let rows = self.bots.iter().filter(|row| ACROSS.contains(&&*row.actor));
        let sum = |pick: fn(&BotRow) -> Rate| {
            rows.clone()
                .map(pick)
                .fold(Rate::default(), |sum, rate| Rate {
                    hits: sum.hits + rate.hits,
                    all: sum.all + rate.all,
                })
        };
        let (with, without) = (sum(|row| row.medium), sum(|row| row.medium_alone));
        let wrong = self.people.medium.hits + self.machines.medium.hits;
        let wrong_alone = self.people.medium_alone.hits + self.machines.medium_alone.hits;
        format!(
            "Of {} bots that no single session shows, {:.3} are caught with related sessions and \
             {:.3} without; honest clients flagged: {wrong} with, {wrong_alone} without.\n",
            with.all,
            with.share(),
            without.share(),
        )
    }

    /// The part of the last line that is about this.
    #[must_use]
    pub fn keys(&self) -> String {
        format!(
            "recall_min={:.3} fpr_people_ub={:.5} fpr_machines_ub={:.5} clients={}",
            self.recall_min(),
            self.people.medium.upper_bound(),
            self.machines.medium.upper_bound(),
            self.clients
        )
    }
}

impl BotRow {
    fn of(actor: &str, outcomes: &[&Outcome]) -> Self {
        let hit = |pick: fn(&Outcome) -> bool| rate(outcomes, pick);
        let mut until: Vec<_> = outcomes
            .iter()
            .map(|it| {
                it.medium
                    .as_ref()
                    .map_or(usize::MAX, |hit| hit.after_requests)
            })
            .collect();
        until.sort_unstable();
        let mut stopped: Vec<_> = outcomes.iter().map(|it| it.stopped).collect();
        stopped.sort_by(f64::total_cmp);
        let middle = outcomes.len() / 2;
        Self {
            actor: actor.to_owned(),
            medium: hit(|it| it.medium.is_some()),
            low: hit(|it| it.low.is_some()),
            medium_alone: hit(|it| it.medium_alone.is_some()),
            requests_median: until.get(middle).copied().filter(|it| *it != usize::MAX),
            stopped_median: stopped.get(middle).copied().unwrap_or(0.0),
            caught_by: often(outcomes, |hit| {
                (*hit.detectors.first().unwrap_or(&"?")).to_owned()
            }),
        }
    }

    fn line(&self) -> String {
        let recall = self.medium.figure();
        let mut by: Vec<_> = self
            .caught_by
            .iter()
            .map(|(name, count)| format!("{name} {count}"))
            .collect();
        by.truncate(4);
        format!(
            "| {} | {} | {:.3} ({:.3}–{:.3}) | {:.3} | {:.3} | {} | {:.0} % | {} |\n",
            self.actor,
            self.medium.all,
            recall.value,
            recall.interval.low,
            recall.interval.high,
            self.low.share(),
            self.medium_alone.share(),
            self.requests_median
                .map_or("–".to_owned(), |it| it.to_string()),
            self.stopped_median * 100.0,
            by.join(", ")
        )
    }
}

impl HonestRow {
    fn of(actor: &str, outcomes: &[&Outcome]) -> Self {
        Self {
            actor: actor.to_owned(),
            medium: rate(outcomes, |it| it.medium.is_some()),
            low: rate(outcomes, |it| it.low.is_some()),
            medium_alone: rate(outcomes, |it| it.medium_alone.is_some()),
            wronged_by: often(outcomes, |hit| {
                format!("{}: {}", hit.names, hit.detectors.join("+"))
            }),
        }
    }

    fn line(&self) -> String {
        let percent = |share: f64| format!("{:.2} %", share * 100.0);
        let mut by: Vec<_> = self
            .wronged_by
            .iter()
            .map(|(name, count)| format!("{name} ({count})"))
            .collect();
        by.truncate(5);
        format!(
            "| {} | {} | {} | {} | {} | {} | {} | {} |\n",
            self.actor,
            self.medium.all,
            self.medium.hits,
            percent(self.medium.upper_bound()),
            self.low.hits,
            percent(self.low.upper_bound()),
            self.medium_alone.hits,
            by.join(", ")
        )
    }
}

fn rate(outcomes: &[&Outcome], hit: impl Fn(&Outcome) -> bool) -> Rate {
    let mut rate = Rate::default();
    outcomes.iter().for_each(|it| rate.add(hit(it)));
    rate
}

/// What the first hits at medium have in common, most frequent first.
fn often(outcomes: &[&Outcome], name: impl Fn(&Hit) -> String) -> Vec<(String, usize)> {
    let mut counts = BTreeMap::<String, usize>::new();
    for hit in outcomes.iter().filter_map(|it| it.medium.as_ref()) {
        *counts.entry(name(hit)).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts
}

fn precisions(bots: &[BotRow], people: &HonestRow, machines: &HonestRow) -> Vec<Precision> {
    let recalls = bots.iter().map(|row| row.medium.share());
    let recall = recalls.sum::<f64>() / bots.len().max(1) as f64;
    let honest = Rate {
        hits: people.medium.hits + machines.medium.hits,
        all: people.medium.all + machines.medium.all,
    };
    let at = |prevalence: f64, wrong: f64| {
        let right = recall * prevalence;
        right / (right + wrong * (1.0 - prevalence)).max(f64::MIN_POSITIVE)
    };
    let precision = |prevalence| Precision {
        prevalence,
        seen: at(prevalence, honest.share()),
        at_least: at(prevalence, honest.upper_bound()),
    };
    PREVALENCES.map(precision).to_vec()
}

fn brier(outcomes: &[&Outcome], truth: f64) -> f64 {
    let squares = outcomes.iter().map(|it| (it.confidence - truth).powi(2));
    squares.sum::<f64>() / outcomes.len().max(1) as f64
}
