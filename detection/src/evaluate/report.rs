//! Samples → a table of figures.

use super::folds::{Groups, cross_validate, model_row};
use super::scores::{Interval, Scores, bootstrap, scores};
use super::traffic::{Moment, REQUESTS, Sample};
use crate::model::trees::{Options, Trees};

/// Resamplings per interval.
const ROUNDS: u64 = 300;

/// One line of the table.
#[derive(Debug, Clone)]
pub struct Row {
    /// What ranked: `rules`, `model, folds by address`, ….
    pub name: String,
    /// When: `end`, or after so many requests.
    pub moment: String,
    /// Sessions scored.
    pub sessions: usize,
    /// Figures.
    pub scores: Scores,
    /// Of AUC, F1, recall at 95 % precision and true positives at 1 % false positives.
    pub intervals: [Interval; 4],
}

/// All figures of one source of traffic.
#[derive(Debug, Clone)]
pub struct Report {
    /// Sessions, and bots among them.
    pub sessions: (usize, usize),
    /// The table.
    pub rows: Vec<Row>,
}

type Scorer<'a> = dyn Fn(usize, &Moment) -> f64 + 'a;

fn rows(name: &str, samples: &[Sample], scorer: &Scorer<'_>) -> Vec<Row> {
    let at = |moment: Option<usize>| -> Vec<(f64, bool, u64)> {
        let pairs = samples.iter().enumerate().filter_map(|(index, sample)| {
            let moment = match moment {
                Some(early) => sample.early.get(early)?.as_ref()?,
                None => &sample.last,
            };
            Some((scorer(index, moment), sample.bot, sample.address))
        });
        pairs.collect()
    };
    let moments = (0..REQUESTS.len()).map(Some).rev().chain([None]).rev();
    moments
        .map(|moment| {
            let ranked = at(moment);
            let plain: Vec<_> = ranked
                .iter()
                .map(|(score, bot, _)| (*score, *bot))
                .collect();
            let after = moment.and_then(|it| REQUESTS.get(it));
            Row {
                name: name.to_owned(),
                moment: after.map_or("end".to_owned(), |count| format!("{count} requests")),
                sessions: plain.len(),
                scores: scores(&plain),
                intervals: bootstrap(&ranked, ROUNDS),
            }
        })
        .collect()
}

/// Scores rules, verdicts and the model in folds; and, where given, a model learnt elsewhere.
#[must_use]
pub fn evaluate(samples: &[Sample], options: &Options, elsewhere: Option<&Trees>) -> Report {
    let mut table = rows("everything is a bot", samples, &|_, _| 1.0);
    table.truncate(1);
    table.extend(rows("rules", samples, &|_, moment| moment.rules));
    for (name, groups) in [
        ("model, folds by address", Groups::Address),
        ("model, folds by user agent", Groups::UserAgent),
    ] {
        let models = cross_validate(samples, groups, options);
        let score = |index: usize, moment: &Moment| {
            models
                .get(index)
                .map_or(0.0, |model| model.score(&model_row(moment)))
        };
        table.extend(rows(name, samples, &score));
    }
    if let Some(model) = elsewhere {
        let score = |_: usize, moment: &Moment| model.score(&model_row(moment));
        table.extend(rows("model learnt elsewhere", samples, &score));
    }
    let bots = samples.iter().filter(|sample| sample.bot).count();
    Report {
        sessions: (samples.len(), bots),
        rows: table,
    }
}

impl Report {
    /// The table as Markdown.
    #[must_use]
    pub fn markdown(&self) -> String {
        let (sessions, bots) = self.sessions;
        let mut text = format!("{sessions} sessions, {bots} of bots.\n\n");
        text.push_str("| ranked by | scored at | n | AUC | F1 | recall at 95 % precision | true positives at 1 % false |\n");
        text.push_str("|---|---|--:|---|---|---|---|\n");
        for row in &self.rows {
            let figures = [
                row.scores.auc,
                row.scores.f1,
                row.scores.recall_at_95,
                row.scores.tpr_at_1,
            ];
            text.push_str(&format!(
                "| {} | {} | {} |",
                row.name, row.moment, row.sessions
            ));
            for (figure, interval) in figures.iter().zip(row.intervals) {
                let Interval { low, high } = interval;
                text.push_str(&format!(" {figure:.3} ({low:.3}–{high:.3}) |"));
            }
            text.push('\n');
        }
        text
    }

    /// The figures of one line of the table.
    #[must_use]
    pub fn scores(&self, name: &str, moment: &str) -> Option<Scores> {
        let mut rows = self.rows.iter();
        rows.find(|row| row.name == name && row.moment == moment)
            .map(|row| row.scores)
    }
}
