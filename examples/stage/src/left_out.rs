//! outcomes → what a learnt model makes of a class of bots that it never saw.
//!
//! The first half of the seeds is learnt from, the second half scored. A client is as suspicious as
//! the most suspicious of its sessions.

use std::collections::BTreeSet;

use throughline_detection::evaluate;
use throughline_detection::model::trees::{Options, Trees};

use crate::score::Outcome;

/// Share of honest clients that may be named.
const NAMED: f64 = 0.01;

/// For each bot actor the share that a model names while it names one honest client in a hundred:
/// learnt with the actor among its examples, and without. Empty where there is one seed only.
#[must_use]
pub fn table(outcomes: &[Outcome]) -> String {
    let seeds: BTreeSet<u64> = outcomes.iter().map(|it| it.seed).collect();
    let Some(middle) = seeds
        .iter()
        .nth(seeds.len() / 2)
        .filter(|_| seeds.len() > 1)
    else {
        return String::new();
    };
    let (learnt, scored): (Vec<_>, Vec<_>) = outcomes.iter().partition(|it| it.seed < *middle);
    let actors: BTreeSet<&str> = scored
        .iter()
        .filter(|it| is_bot(it))
        .map(|it| it.client.actor.as_str())
        .collect();
    let all = learn(learnt.iter().copied());
    let mut text =
        "| bot | clients | learnt with it | learnt without it |\n|---|--:|--:|--:|\n".to_owned();
    for actor in actors {
        let others = learnt.iter().filter(|it| it.client.actor != actor);
        let without = learn(others.copied());
        let own: Vec<_> = scored
            .iter()
            .filter(|it| it.client.actor == actor)
            .collect();
        let recall = |model: &Trees| {
            let limit = limit(model, &scored);
            let named = own.iter().filter(|it| suspicion(model, it) > limit).count();
            named as f64 / own.len().max(1) as f64
        };
        let (with, left_out) = (recall(&all), recall(&without));
        let clients = own.len();
        text.push_str(&format!(
            "| {actor} | {clients} | {with:.3} | {left_out:.3} |\n"
        ));
    }
    text
}

fn is_bot(outcome: &Outcome) -> bool {
    outcome.client.class == "bot"
}

fn learn<'a>(outcomes: impl Iterator<Item = &'a Outcome>) -> Trees {
    let (mut rows, mut labels, mut weights) = (Vec::new(), Vec::new(), Vec::new());
    for outcome in outcomes {
        for row in &outcome.rows {
            rows.push(row.clone());
            labels.push(is_bot(outcome));
            // Every client counts once, however many sessions it has.
            weights.push(1.0 / outcome.rows.len() as f64);
        }
    }
    evaluate::train_rows(&rows, &labels, &weights, &Options::default())
}

fn suspicion(model: &Trees, outcome: &Outcome) -> f64 {
    let scores = outcome.rows.iter().map(|row| model.score(row));
    scores.fold(f64::NEG_INFINITY, f64::max)
}

/// What one honest client in a hundred exceeds.
fn limit(model: &Trees, outcomes: &[&Outcome]) -> f64 {
    let honest = outcomes.iter().filter(|it| !is_bot(it));
    let mut scores: Vec<_> = honest.map(|it| suspicion(model, it)).collect();
    scores.sort_by(|one, two| two.total_cmp(one));
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a count"
    )]
    let at = (NAMED * scores.len() as f64) as usize;
    scores.get(at).copied().unwrap_or(f64::INFINITY)
}
