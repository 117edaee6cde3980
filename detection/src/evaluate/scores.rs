//! Figures of a ranking against the truth, and how sure they are.

use serde::Serialize;

use crate::hash;
use crate::num::{self, share};

/// Figures of one ranking.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Scores {
    /// The chance that a bot ranks above a person.
    pub auc: f64,
    /// The best F1 of any threshold.
    pub f1: f64,
    /// The highest recall at which 95 % of those called bots are.
    pub recall_at_95: f64,
    /// The recall where 1 % of people are called bots.
    pub tpr_at_1: f64,
}

/// Where 95 % of resampled figures lie.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Interval {
    /// 2.5 % lie below.
    pub low: f64,
    /// 2.5 % lie above.
    pub high: f64,
}

/// A figure and how sure it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Figure {
    /// Of all that was scored.
    pub value: f64,
    /// Of resamplings.
    #[serde(flatten)]
    pub interval: Interval,
}

/// The figures of one ranking with their intervals.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Figures {
    /// [`Scores::auc`].
    pub auc: Figure,
    /// [`Scores::f1`].
    pub f1: Figure,
    /// [`Scores::recall_at_95`].
    pub recall_at_95_precision: Figure,
    /// [`Scores::tpr_at_1`].
    pub tpr_at_1_fpr: Figure,
}

impl Figures {
    /// Of (score, is a bot, client); `None` where there are not both bots and people.
    #[must_use]
    pub fn of(ranked: &[(f64, bool, u64)], rounds: u64) -> Option<Self> {
        let plain: Vec<_> = ranked
            .iter()
            .map(|(score, bot, _)| (*score, *bot))
            .collect();
        let values = scores(&plain)?;
        let [auc, f1, recall, tpr] = bootstrap(ranked, rounds);
        let figure = |value, interval| Figure { value, interval };
        Some(Self {
            auc: figure(values.auc, auc),
            f1: figure(values.f1, f1),
            recall_at_95_precision: figure(values.recall_at_95, recall),
            tpr_at_1_fpr: figure(values.tpr_at_1, tpr),
        })
    }

    /// In the order of the table.
    #[must_use]
    pub fn all(&self) -> [Figure; 4] {
        [
            self.auc,
            self.f1,
            self.recall_at_95_precision,
            self.tpr_at_1_fpr,
        ]
    }
}

/// Scores (score, is a bot) with equal scores never split; `None` where there are not both bots
/// and people.
#[must_use]
pub fn scores(ranked: &[(f64, bool)]) -> Option<Scores> {
    let mut sorted = ranked.to_vec();
    sorted.sort_by(|one, two| two.0.total_cmp(&one.0));
    let bots = sorted.iter().filter(|(_, bot)| *bot).count() as f64;
    let people = sorted.len() as f64 - bots;
    let mut result = Scores::default();
    if bots == 0.0 || people == 0.0 {
        return None;
    }
    let (mut caught, mut wrong) = (0.0, 0.0);
    for group in sorted.chunk_by(|one, two| one.0.total_cmp(&two.0).is_eq()) {
        let of_bots = group.iter().filter(|(_, bot)| *bot).count() as f64;
        let of_people = group.len() as f64 - of_bots;
        result.auc += of_people * (caught + of_bots / 2.0);
        caught += of_bots;
        wrong += of_people;
        let recall = caught / bots;
        let precision = share(caught, caught + wrong).unwrap_or(0.0);
        let f1 = share(2.0 * precision * recall, precision + recall).unwrap_or(0.0);
        result.f1 = result.f1.max(f1);
        if precision >= 0.95 {
            result.recall_at_95 = result.recall_at_95.max(recall);
        }
        if wrong / people <= 0.01 {
            result.tpr_at_1 = result.tpr_at_1.max(recall);
        }
    }
    result.auc /= bots * people;
    Some(result)
}

/// Intervals by drawing clients, not sessions: sessions of one client are alike. A draw without
/// bots or without people says nothing and is left out.
#[must_use]
pub fn bootstrap(ranked: &[(f64, bool, u64)], rounds: u64) -> [Interval; 4] {
    let mut clients: Vec<u64> = ranked.iter().map(|(_, _, client)| *client).collect();
    clients.sort_unstable();
    clients.dedup();
    let mut by_client: Vec<Vec<(f64, bool)>> = vec![Vec::new(); clients.len()];
    for (score, bot, client) in ranked {
        let at = clients.binary_search(client).ok();
        if let Some(own) = at.and_then(|at| by_client.get_mut(at)) {
            own.push((*score, *bot));
        }
    }
    let mut drawn: [Vec<f64>; 4] = Default::default();
    for round in 0..rounds {
        let mut sample = Vec::with_capacity(ranked.len());
        for draw in 0..by_client.len() {
            let at = num::slot(hash::mix(hash::pair(round, draw as u64)), by_client.len());
            sample.extend(by_client.get(at).into_iter().flatten().copied());
        }
        let Some(found) = scores(&sample) else {
            continue;
        };
        let figures = [found.auc, found.f1, found.recall_at_95, found.tpr_at_1];
        for (drawn, figure) in drawn.iter_mut().zip(figures) {
            drawn.push(figure);
        }
    }
    drawn.map(|mut figures| {
        figures.sort_by(f64::total_cmp);
        let at = |q: f64| {
            let last = figures.len().saturating_sub(1);
            figures
                .get(num::index(q * last as f64, last))
                .copied()
                .unwrap_or(0.0)
        };
        Interval {
            low: at(0.025),
            high: at(0.975),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_rankings() {
        let perfect = [(0.9, true), (0.8, true), (0.2, false), (0.1, false)];
        assert_eq!(
            scores(&perfect),
            Some(Scores {
                auc: 1.0,
                f1: 1.0,
                recall_at_95: 1.0,
                tpr_at_1: 1.0
            })
        );
        let blind = [(0.5, true), (0.5, false), (0.5, false), (0.5, true)];
        let blind = scores(&blind).unwrap();
        assert!((blind.auc - 0.5).abs() < 1e-9 && (blind.f1 - 2.0 / 3.0).abs() < 1e-9);
        assert!(blind.recall_at_95 == 0.0 && blind.tpr_at_1 == 0.0);
        assert_eq!(scores(&[(1.0, true)]), None);
    }

    #[test]
    fn intervals_hold_the_figure() {
        let ranked: Vec<_> = (0..400_u64)
            .map(|at| {
                let bot = at % 3 == 0;
                let noise = num::low32(hash::mix(at + 1)) % 100;
                (f64::from(noise) + if bot { 30.0 } else { 0.0 }, bot, at / 2)
            })
            .collect();
        let auc = Figures::of(&ranked, 200).unwrap().auc;
        let (auc, figure) = (auc.interval, auc.value);
        assert!(auc.low < figure && figure < auc.high && auc.high - auc.low < 0.2);
    }
}
