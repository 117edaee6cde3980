//! How sure a figure is: seeds drawn anew, and within each the clients of each scene, the same draw
//! for all arms, so that differences between them are paired.

use shop::mix::mix;
use throughline_detection::evaluate::Interval;

/// Resamplings.
const ROUNDS: usize = 2_000;

/// One bit per arm.
pub type Mask = u16;

/// By seed, by scene: for each bot the arms that caught it.
pub type Caught = Vec<Vec<Vec<Mask>>>;

/// Macro recall of each arm in each resampling.
#[must_use]
pub fn macro_recalls(caught: &Caught, arms: usize) -> Vec<Vec<f64>> {
    let mut dice = 0x9e37_79b9_7f4a_7c15;
    let mut rounds = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        rounds.push(resample(caught, arms, &mut dice));
    }
    rounds
}

/// The macro recall of each arm as it was seen.
#[must_use]
pub fn macro_recall(caught: &Caught, arms: usize) -> Vec<f64> {
    let mut sums = Sums::new(caught, arms);
    for seed in caught {
        for (scene, bots) in seed.iter().enumerate() {
            for bot in bots {
                sums.add(scene, *bot);
            }
        }
    }
    sums.means()
}

fn resample(caught: &Caught, arms: usize, dice: &mut u64) -> Vec<f64> {
    let mut sums = Sums::new(caught, arms);
    for _ in caught {
        let Some(seed) = pick(caught, dice) else {
            continue;
        };
        for (scene, bots) in seed.iter().enumerate() {
            for _ in bots {
                if let Some(bot) = pick(bots, dice) {
                    sums.add(scene, *bot);
                }
            }
        }
    }
    sums.means()
}

fn pick<'a, T>(list: &'a [T], dice: &mut u64) -> Option<&'a T> {
    *dice = mix(*dice);
    let count = u64::try_from(list.len()).ok()?;
    list.get(usize::try_from(dice.checked_rem(count)?).ok()?)
}

/// Caught and all, by scene and arm.
struct Sums {
    all: Vec<f64>,
    caught: Vec<Vec<f64>>,
}

impl Sums {
    fn new(caught: &Caught, arms: usize) -> Self {
        let scenes = caught.first().map_or(0, Vec::len);
        Self {
            all: vec![0.0; scenes],
            caught: vec![vec![0.0; arms]; scenes],
        }
    }

    fn add(&mut self, scene: usize, bot: Mask) {
        if let (Some(all), Some(caught)) = (self.all.get_mut(scene), self.caught.get_mut(scene)) {
            *all += 1.0;
            for (arm, count) in caught.iter_mut().enumerate() {
                *count += f64::from(bot >> arm & 1);
            }
        }
    }

    /// Mean over scenes that have bots.
    fn means(&self) -> Vec<f64> {
        let arms = self.caught.first().map_or(0, Vec::len);
        let scenes: Vec<_> = self
            .all
            .iter()
            .zip(&self.caught)
            .filter(|it| *it.0 > 0.0)
            .collect();
        let share = |arm: usize| {
            let shares = scenes
                .iter()
                .filter_map(|(all, caught)| Some(caught.get(arm)? / *all));
            shares.sum::<f64>() / scenes.len().max(1) as f64
        };
        (0..arms).map(share).collect()
    }
}

/// Where 95 % of values lie.
#[must_use]
pub fn interval(mut values: Vec<f64>) -> Interval {
    values.sort_by(f64::total_cmp);
    let at = |share: f64| {
        let place = values.len().saturating_sub(1) as f64 * share;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a place in the list"
        )]
        values.get(place.round() as usize).copied().unwrap_or(0.0)
    };
    Interval {
        low: at(0.025),
        high: at(0.975),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scenes_weigh_the_same() {
        // Scene one: 1 of 2 by arm 0, both by arm 1; scene two: none of one by arm 0.
        let caught = vec![vec![vec![0b11, 0b10], vec![0b10]]];
        assert_eq!(macro_recall(&caught, 2), [0.25, 1.0]);
        let rounds = macro_recalls(&caught, 2);
        assert!(rounds.iter().all(|round| round[1] == 1.0));
        let Interval { low, high } = interval(rounds.iter().map(|round| round[0]).collect());
        assert_eq!((low, high), (0.0, 0.5));
    }

    #[test]
    fn intervals_hold_the_middle() {
        let Interval { low, high } = interval((0..=1_000).map(f64::from).collect());
        assert_eq!((low, high), (25.0, 975.0));
        assert_eq!(interval(Vec::new()), Interval::default());
    }
}
