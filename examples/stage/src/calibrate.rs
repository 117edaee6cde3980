//! outcomes → the table of `detection/src/verdicts/calibration.rs`, fitted anew.

use throughline_detection::verdicts;

use crate::score::Outcome;

/// Where sensitivities begin: a score and the confidence in it lie between the same two.
const EDGES: [f64; 5] = [0.0, 0.5, 0.8, 0.95, 1.0];
/// Points in each band at most.
const POINTS_MAX: usize = 6;

/// Clients with about the same score.
#[derive(Clone, Copy, Debug)]
struct Pool {
    score: f64,
    weight: f64,
    bots: f64,
}

impl Pool {
    fn share(&self) -> f64 {
        self.bots / self.weight
    }
}

/// The table, as Rust writes it: isotonic regression of truth on score, bots weighing one half,
/// people and machines a quarter each.
#[must_use]
pub fn table(outcomes: &[Outcome]) -> String {
    let pools = isotonic(pools(outcomes));
    let mut points = vec![(0.0, 0.0)];
    for band in EDGES.windows(2) {
        let (Some(low), Some(high)) = (band.first(), band.last()) else {
            continue;
        };
        let inside = |it: &&Pool| it.score > *low && it.score < *high;
        let inside: Vec<_> = pools.iter().filter(inside).collect();
        for pool in inside.iter().step_by(inside.len() / POINTS_MAX + 1) {
            // Strictly rising, and never quite at the edges.
            let least = points.last().map_or(0.0, |(_, before)| before + 1e-3);
            let confidence = pool.share().min(high - 1e-3).max(least);
            if confidence >= *high {
                break;
            }
            points.push((pool.score, confidence));
        }
        points.push((*high, *high));
    }
    let lines = points
        .iter()
        .map(|(score, confidence)| format!("    ({score:.4}, {confidence:.4}),\n"));
    format!(
        "const TABLE: &[(f64, f64)] = &[\n{}];\n",
        lines.collect::<String>()
    )
}

fn pools(outcomes: &[Outcome]) -> Vec<Pool> {
    let count = |class: &str| {
        let of = outcomes.iter().filter(|it| it.client.class == class);
        of.count().max(1) as f64
    };
    let (bots, people, machines) = (count("bot"), count("person"), count("machine"));
    let mut pools: Vec<_> = outcomes
        .iter()
        .map(|it| {
            let (weight, bot) = match it.client.class.as_str() {
                "bot" => (0.5 / bots, true),
                "person" => (0.25 / people, false),
                _ => (0.25 / machines, false),
            };
            Pool {
                score: verdicts::score(it.confidence),
                weight,
                bots: if bot { weight } else { 0.0 },
            }
        })
        .collect();
    pools.sort_by(|one, two| one.score.total_cmp(&two.score));
    pools
}

/// Pools neighbours until shares rise with scores.
fn isotonic(pools: Vec<Pool>) -> Vec<Pool> {
    let mut risen: Vec<Pool> = Vec::new();
    for mut pool in pools {
        while let Some(before) = risen.pop_if(|it| it.share() >= pool.share()) {
            let weight = before.weight + pool.weight;
            pool = Pool {
                score: (before.score * before.weight + pool.score * pool.weight) / weight,
                weight,
                bots: before.bots + pool.bots,
            };
        }
        risen.push(pool);
    }
    risen
}
