//! Samples → a table of figures.

use serde::Serialize;

use super::folds::{Groups, cross_validate, model_row};
use super::samples::{Counts, Sample, Samples};
use super::scores::{Figure, Figures, Interval};
use super::watch::{Moment, REQUESTS};
use crate::model::trees::Options;
use crate::model::{Explanation, Model};

/// Resamplings per interval.
pub const ROUNDS: u64 = 300;
/// Sessions that are explained, and features named for each.
const EXPLAINED: usize = 5;
const REASONS: usize = 4;

/// What puts sessions in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ranking {
    /// Nothing does: what any other figure has to be held against.
    EverythingIsABot,
    /// The detectors, without labels.
    Rules,
    /// Models, each of which knows nothing of the addresses it scores.
    FoldsIp,
    /// Models, each of which knows nothing of the user agents it scores.
    FoldsUserAgent,
    /// A model learnt from other traffic.
    TrainedElsewhere,
}

impl Ranking {
    /// For people.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::EverythingIsABot => "everything is a bot",
            Self::Rules => "rules",
            Self::FoldsIp => "model, folds by address",
            Self::FoldsUserAgent => "model, folds by user agent",
            Self::TrainedElsewhere => "model learnt elsewhere",
        }
    }
}

/// One line of the table.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// What ranked.
    pub ranked_by: Ranking,
    /// When: after so many requests; `None` at the end.
    pub after_requests: Option<u32>,
    /// Sessions scored.
    pub sessions: usize,
    /// Bots among them.
    pub bots: usize,
    /// `None` where there are not both bots and people.
    pub figures: Option<Figures>,
}

/// All figures of one source of traffic.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// What was scored and what was not.
    pub sessions: Counts,
    /// The table.
    pub rows: Vec<Row>,
    /// The sessions that the plan's model ranks first, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Reason>,
}

/// Why a model ranks a session where it does.
#[derive(Debug, Clone, Serialize)]
pub struct Reason {
    /// Which.
    pub session: String,
    /// Its requests.
    pub requests: u32,
    /// Whether it is labelled as a bot's.
    pub bot: bool,
    /// What the model says, and what each feature adds.
    #[serde(flatten)]
    pub explanation: Explanation,
}

/// What to rank by, besides the rules.
#[derive(Debug, Clone, Default)]
pub struct Plan<'a> {
    /// How models learn.
    pub options: Options,
    /// Cuts for models that learn from the scored traffic itself.
    pub folds: &'a [Groups],
    /// A model learnt from other traffic.
    pub elsewhere: Option<&'a Model>,
}

type Scorer<'a> = dyn Fn(usize, &Moment) -> f64 + 'a;

fn rows(ranked_by: Ranking, samples: &[Sample], scorer: &Scorer<'_>) -> Vec<Row> {
    let at = |early: Option<usize>| {
        let pairs = samples.iter().enumerate().filter_map(|(index, sample)| {
            let moment = match early {
                Some(early) => sample.early.get(early)?.as_ref()?,
                None => &sample.last,
            };
            Some((scorer(index, moment), sample.bot, sample.address))
        });
        let ranked: Vec<_> = pairs.collect();
        Row {
            ranked_by,
            after_requests: early.and_then(|at| REQUESTS.get(at)).copied(),
            sessions: ranked.len(),
            bots: ranked.iter().filter(|(_, bot, _)| *bot).count(),
            figures: Figures::of(&ranked, ROUNDS),
        }
    };
    let moments = (0..REQUESTS.len()).map(Some);
    [None].into_iter().chain(moments).map(at).collect()
}

/// Scores 'call everything a bot', the rules, and the models of the plan.
#[must_use]
pub fn evaluate(samples: &Samples, plan: &Plan<'_>) -> Report {
    let Samples { samples, counts } = samples;
    let mut table = rows(Ranking::EverythingIsABot, samples, &|_, _| 1.0);
    table.extend(rows(Ranking::Rules, samples, &|_, moment| moment.rules));
    for groups in plan.folds {
        let models = cross_validate(samples, *groups, &plan.options);
        let score = |index: usize, moment: &Moment| {
            let model = models.get(index);
            model.map_or(0.0, |model| model.score(&model_row(moment)))
        };
        let ranking = match groups {
            Groups::Address => Ranking::FoldsIp,
            Groups::UserAgent => Ranking::FoldsUserAgent,
        };
        table.extend(rows(ranking, samples, &score));
    }
    if let Some(model) = plan.elsewhere {
        let score = |_: usize, moment: &Moment| model.trees().score(&model_row(moment));
        table.extend(rows(Ranking::TrainedElsewhere, samples, &score));
    }
    Report {
        sessions: *counts,
        rows: table,
        reasons: plan.elsewhere.map_or(Vec::new(), |it| reasons(it, samples)),
    }
}

/// What the model says of the sessions that it ranks first.
fn reasons(model: &Model, samples: &[Sample]) -> Vec<Reason> {
    let explain = |sample: &Sample| {
        let Moment { values, ranks, .. } = &sample.last;
        Some(Reason {
            session: sample.session.to_string(),
            requests: sample.requests,
            bot: sample.bot,
            explanation: model.explain(values, ranks, REASONS)?,
        })
    };
    let mut all: Vec<_> = samples.iter().filter_map(explain).collect();
    all.sort_by(|one, two| two.explanation.machine.total_cmp(&one.explanation.machine));
    all.truncate(EXPLAINED);
    all
}

impl Report {
    /// The table as Markdown.
    #[must_use]
    pub fn markdown(&self) -> String {
        let Counts { bots, people, .. } = self.sessions;
        let Counts {
            short,
            unknown,
            mixed,
            ..
        } = self.sessions;
        let mut text = format!(
            "{} sessions scored, {bots} of bots; not scored: {short} too short, {unknown} not \
             labelled throughout. {mixed} have labels of both kinds.\n\n",
            bots + people
        );
        text.push_str("| ranked by | scored at | n (bots) | AUC | F1 | recall at 95 % precision | true positives at 1 % false |\n");
        text.push_str("|---|---|--:|---|---|---|---|\n");
        for row in &self.rows {
            let after = row.after_requests;
            let moment = after.map_or("end".to_owned(), |count| format!("{count} requests"));
            let (title, sessions, bots) = (row.ranked_by.title(), row.sessions, row.bots);
            text.push_str(&format!("| {title} | {moment} | {sessions} ({bots}) |"));
            match &row.figures {
                Some(figures) => figures.all().iter().for_each(|it| text.push_str(&cell(it))),
                None => text.push_str(" – | – | – | – |"),
            }
            text.push('\n');
        }
        if !self.reasons.is_empty() {
            text.push_str("\nRanked first by the model learnt elsewhere, with what its features add to the log-odds:\n");
        }
        for reason in &self.reasons {
            let why = reason.explanation.contributions.iter();
            let why: Vec<_> = why
                .map(|(name, added)| format!("{name} {added:+.2}"))
                .collect();
            let label = if reason.bot { "bot" } else { "human" };
            text.push_str(&format!(
                "- {} ({} requests, labelled {label}): {:.3}; {}\n",
                reason.session,
                reason.requests,
                reason.explanation.machine,
                why.join(", ")
            ));
        }
        text
    }

    /// The figures of one line of the table.
    #[must_use]
    pub fn figures(&self, ranked_by: Ranking, after_requests: Option<u32>) -> Option<Figures> {
        let mut rows = self.rows.iter();
        rows.find(|row| row.ranked_by == ranked_by && row.after_requests == after_requests)
            .and_then(|row| row.figures)
    }
}

fn cell(figure: &Figure) -> String {
    let Figure { value, interval } = figure;
    let Interval { low, high } = interval;
    format!(" {value:.3} ({low:.3}–{high:.3}) |")
}
