//! score → confidence: what votes add up to, made to mean what it says.
//!
//! The score is arithmetic; how often it is right is measured. The table is an isotonic fit of
//! truth on score over the demo's tuning seeds (`cargo run -p stage -- --seeds 1-20 --calibrate`
//! prints it anew; this one is of 24 November 2026), bots weighing one half, kept within the bands that the sensitivities publish:
//! .5, .8 and .95 stay where they are, so no flag depends on it.

/// Scores and the confidence in them, both rising, between which lines are drawn.
const TABLE: &[(f64, f64)] = &[
    (0.0000, 0.0000),
    (0.0081, 0.0015),
    (0.5000, 0.5000),
    (0.8000, 0.8000),
    (0.8222, 0.9490),
    (0.9500, 0.9500),
    (0.9733, 0.9990),
    (1.0000, 1.0000),
];

/// The confidence in a score.
#[must_use]
pub(crate) fn confidence(score: f64) -> f64 {
    between(score, |(score, confidence)| (score, confidence))
}

/// The score behind a confidence: for fitting anew.
#[must_use]
pub fn score(confidence: f64) -> f64 {
    between(confidence, |(score, confidence)| (confidence, score))
}

fn between(value: f64, turned: fn((f64, f64)) -> (f64, f64)) -> f64 {
    let mut before = (0.0, 0.0);
    for point in TABLE {
        let (to, image) = turned(*point);
        if value <= to {
            let (from, start) = before;
            let width = to - from;
            let part = if width > 0.0 {
                (value - from) / width
            } else {
                1.0
            };
            return start + part * (image - start);
        }
        before = (to, image);
    }
    1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rises_keeps_the_bands_and_can_be_undone() {
        for pair in TABLE.windows(2) {
            assert!(pair[0].0 < pair[1].0 && pair[0].1 < pair[1].1, "{pair:?}");
        }
        for edge in [0.0, 0.5, 0.8, 0.95, 1.0] {
            assert!((confidence(edge) - edge).abs() < 1e-9, "{edge}");
        }
        for step in 0..=100 {
            let value = f64::from(step) / 100.0;
            assert!((score(confidence(value)) - value).abs() < 1e-6, "{value}");
        }
    }
}
