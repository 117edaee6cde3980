//! clients → figures of each arm: its own threshold from some seeds, everything else from others.

use serde::Serialize;
use throughline_detection::evaluate::{Figure, Interval, Rate};
use throughline_detection::verdicts::Sensitivity;

use crate::arms;
use crate::bootstrap::{self, Caught, Mask};
use crate::cubed::Cubed;
use crate::run::{Client, Played};
use crate::scenes;
use crate::score::{hit, surest};

/// Honest clients that may be hit when a threshold is chosen.
pub const FALSE_MAX: f64 = 0.001;
/// Further limits, for the table of recall at fixed false positives.
pub const LIMITS: [f64; 4] = [0.001, 0.005, 0.01, 0.05];
/// Shares of bots among clients for which precision is given.
pub const PREVALENCES: [f64; 2] = [0.01, 0.001];
/// Below it detection says nothing at all.
const CONFIDENCE_MIN: f64 = 0.5;

/// One arm in one scene.
#[derive(Debug, Clone, Default, Serialize)]
pub struct InScene {
    /// Bots caught at the arm's own threshold.
    pub caught: Rate,
    /// Honest clients hit at it.
    pub wronged: Rate,
    /// The same at sensitivity medium.
    pub caught_medium: Rate,
    /// See `caught_medium`.
    pub wronged_medium: Rate,
    /// Median of a bot's requests until the verdict at the arm's threshold, those never caught
    /// counted as infinite; `None` where that is the median.
    pub requests_median: Option<u32>,
    /// The requests themselves, of those caught, rising.
    pub requests: Vec<u32>,
    /// How true the sessions are.
    pub precision: f64,
    /// See `precision`.
    pub recall: f64,
    /// Detectors of the verdict at the arm's threshold on bots, and how often.
    pub caught_by: Vec<(String, usize)>,
    /// At medium, on honest clients.
    pub wronged_by: Vec<(String, usize)>,
}

/// One arm.
#[derive(Debug, Clone, Default, Serialize)]
pub struct OfArm {
    /// Its name.
    pub name: &'static str,
    /// Its own threshold.
    pub threshold: f64,
    /// Mean of the scenes' recall.
    pub recall: Figure,
    /// The same at sensitivity medium.
    pub recall_medium: f64,
    /// Honest clients hit, all scenes that count.
    pub wronged: Rate,
    /// The same at medium.
    pub wronged_medium: Rate,
    /// Macro recall at thresholds chosen for [`LIMITS`].
    pub recall_at: Vec<f64>,
    /// For [`PREVALENCES`]: precision with the false positives that were seen, and with as many as
    /// their upper bound allows.
    pub precision_at: Vec<(f64, f64)>,
    /// Sessions per client.
    pub sessions_per_client: f64,
    /// How true the sessions are.
    pub precision: f64,
    /// See `precision`.
    pub recall_of_sessions: f64,
    /// By scene.
    pub scenes: Vec<InScene>,
}

/// A difference in macro recall.
#[derive(Debug, Clone, Serialize)]
pub struct Difference {
    /// Arm that is looked at.
    pub arm: &'static str,
    /// Arm that it is held against.
    pub against: &'static str,
    /// With its interval.
    pub value: Figure,
}

/// All of it.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Figures {
    /// In the order of the tables.
    pub arms: Vec<OfArm>,
    /// Differences that the page speaks of.
    pub differences: Vec<Difference>,
    /// Requests that were scored.
    pub requests: usize,
    /// Fewest honest clients of a scoring seed, over the scenes that count.
    pub honest_min: usize,
    /// Seeds for thresholds, and for scores.
    pub seeds: [usize; 2],
}

/// Pairs of arms whose difference is told.
const PAIRS: [(&str, &str); 7] = [
    ("links", "ip_user_agent"),
    ("links", "builtin"),
    ("links", "builtin_links"),
    ("links", "fitted"),
    ("fitted", "builtin"),
    ("builtin", "ip_user_agent"),
    ("placebo", "ip_user_agent"),
];

impl Figures {
    /// Thresholds from `tuning`, everything else from `scoring`.
    #[must_use]
    pub fn of(tuning: &[Played], scoring: &[Played]) -> Self {
        let thresholds = |limit| -> Vec<f64> {
            (0..arms::ALL.len())
                .map(|arm| threshold(tuning, arm, limit))
                .collect()
        };
        let own = thresholds(FALSE_MAX);
        let medium = vec![Sensitivity::Medium.confidence_min(); arms::ALL.len()];
        let caught = caught(scoring, &own);
        let rounds = bootstrap::macro_recalls(&caught, arms::ALL.len());
        let seen = bootstrap::macro_recall(&caught, arms::ALL.len());
        let at_medium = macro_recall(scoring, &medium);
        let at_limits: Vec<_> = LIMITS
            .iter()
            .map(|limit| macro_recall(scoring, &thresholds(*limit)))
            .collect();
        let figure = |of: &dyn Fn(&[f64]) -> f64| Figure {
            value: of(&seen),
            interval: bootstrap::interval(rounds.iter().map(|round| of(round)).collect()),
        };
        let value = |list: &[f64], arm: usize| list.get(arm).copied().unwrap_or(0.0);
        let arms = arms::ALL.iter().enumerate().map(|(arm, of)| {
            let mut figures = of_arm(scoring, arm, value(&own, arm));
            figures.name = of.name;
            figures.recall = figure(&|list| value(list, arm));
            figures.recall_medium = value(&at_medium, arm);
            figures.recall_at = at_limits.iter().map(|list| value(list, arm)).collect();
            figures.precision_at = precisions(figures.recall.value, figures.wronged);
            figures
        });
        let differences = PAIRS.iter().map(|(arm, against)| Difference {
            arm,
            against,
            value: figure(&|list| {
                value(list, arms::place(arm)) - value(list, arms::place(against))
            }),
        });
        Self {
            arms: arms.collect(),
            differences: differences.collect(),
            requests: scoring.iter().map(|it| it.requests).sum(),
            honest_min: honest_min(scoring),
            seeds: [seeds(tuning), seeds(scoring)],
        }
    }

    /// Figures of one arm.
    #[must_use]
    pub fn arm(&self, name: &str) -> Option<&OfArm> {
        self.arms.iter().find(|arm| arm.name == name)
    }

    /// One difference.
    #[must_use]
    pub fn difference(&self, arm: &str, against: &str) -> Figure {
        let found = self.differences.iter();
        let mut found = found.filter(|it| it.arm == arm && it.against == against);
        found.next().map_or_else(Figure::default, |it| it.value)
    }
}

impl OfArm {
    /// Its figures in the scene of this name.
    #[must_use]
    pub fn scene(&self, name: &str) -> Option<&InScene> {
        let place = scenes::ALL.iter().position(|scene| scene.name == name)?;
        self.scenes.get(place)
    }
}

impl InScene {
    /// Honest clients hit for each bot caught, at sensitivity medium; infinite where bots are missed
    /// and honest clients are hit, `None` where nobody is.
    #[must_use]
    pub fn collateral(&self) -> Option<f64> {
        let (wronged, caught) = (self.wronged_medium.hits, self.caught_medium.hits);
        match (wronged, caught) {
            (0, 0) => None,
            (_, 0) => Some(f64::INFINITY),
            _ => Some(wronged as f64 / caught as f64),
        }
    }
}

fn counts(played: &Played) -> bool {
    scenes::ALL
        .get(played.scene)
        .is_some_and(|scene| scene.counts)
}

fn seeds(played: &[Played]) -> usize {
    let mut seeds: Vec<_> = played.iter().map(|it| it.seed).collect();
    seeds.dedup();
    seeds.len()
}

/// The lowest confidence at which at most `limit` of the honest clients are hit.
fn threshold(tuning: &[Played], arm: usize, limit: f64) -> f64 {
    let counted = tuning.iter().filter(|it| counts(it));
    let clients = counted
        .flat_map(|it| &it.clients)
        .filter(|client| !client.bot);
    let mut honest: Vec<f64> = clients
        .filter_map(|it| it.steps.get(arm).map(surest))
        .collect();
    honest.sort_by(|one, two| two.total_cmp(one));
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a number of clients"
    )]
    let allowed = (honest.len() as f64 * limit) as usize;
    let too_many = honest.get(allowed).copied().unwrap_or(0.0);
    // Just above the first who may not be hit: confidences near 1 lie close together.
    too_many.next_up().max(CONFIDENCE_MIN)
}

/// Bots by seed and scene, with the arms that caught them. Scenes that do not count have none.
fn caught(scoring: &[Played], thresholds: &[f64]) -> Caught {
    let mut caught: Caught = Vec::new();
    let mut seed = None;
    for played in scoring {
        if seed != Some(played.seed) {
            seed = Some(played.seed);
            caught.push(vec![Vec::new(); scenes::ALL.len()]);
        }
        let bots = played.clients.iter().filter(|it| it.bot && counts(played));
        let masks = bots.map(|bot| mask(bot, thresholds));
        if let Some(scene) = caught.last_mut().and_then(|it| it.get_mut(played.scene)) {
            scene.extend(masks);
        }
    }
    caught
}

fn mask(client: &Client, thresholds: &[f64]) -> Mask {
    let arms = client.steps.iter().zip(thresholds).enumerate();
    let hits = arms.filter(|(_, (steps, threshold))| hit(steps, **threshold).is_some());
    hits.fold(0, |mask, (arm, _)| mask | 1 << arm)
}

fn macro_recall(scoring: &[Played], thresholds: &[f64]) -> Vec<f64> {
    bootstrap::macro_recall(&caught(scoring, thresholds), thresholds.len())
}

fn honest_min(scoring: &[Played]) -> usize {
    let mut by_seed = std::collections::BTreeMap::<u64, usize>::new();
    for played in scoring.iter().filter(|it| counts(it)) {
        let honest = played.clients.iter().filter(|client| !client.bot);
        *by_seed.entry(played.seed).or_default() += honest.count();
    }
    by_seed.into_values().min().unwrap_or(0)
}

fn of_arm(scoring: &[Played], arm: usize, threshold: f64) -> OfArm {
    let mut figures = OfArm {
        threshold,
        scenes: vec![InScene::default(); scenes::ALL.len()],
        ..OfArm::default()
    };
    let mut cubed = vec![Cubed::default(); scenes::ALL.len()];
    let (mut sessions, mut clients) = (0, 0);
    for played in scoring {
        let Some(scene) = figures.scenes.get_mut(played.scene) else {
            continue;
        };
        scene.add(played, arm, threshold);
        if let (Some(sum), Some(more)) = (cubed.get_mut(played.scene), played.cubed.get(arm)) {
            *sum = sum.plus(*more);
        }
        if counts(played) {
            sessions += played.sessions.get(arm).copied().unwrap_or(0);
            clients += played.clients.len();
        }
    }
    figures.sessions_per_client = sessions as f64 / clients.max(1) as f64;
    let mut all = Cubed::default();
    let scenes = figures.scenes.iter_mut().zip(cubed).zip(scenes::ALL);
    for ((figures_of, cubed), scene) in scenes {
        figures_of.finish(cubed);
        if scene.counts {
            all = all.plus(cubed);
            for (sum, more) in [
                (&mut figures.wronged, figures_of.wronged),
                (&mut figures.wronged_medium, figures_of.wronged_medium),
            ] {
                sum.hits += more.hits;
                sum.all += more.all;
            }
        }
    }
    (figures.precision, figures.recall_of_sessions) = (all.precision(), all.recall());
    figures
}

impl InScene {
    fn add(&mut self, played: &Played, arm: usize, threshold: f64) {
        let medium = Sensitivity::Medium.confidence_min();
        for client in &played.clients {
            let Some(steps) = client.steps.get(arm) else {
                continue;
            };
            let (own, medium) = (hit(steps, threshold), hit(steps, medium));
            let (at_own, at_medium) = if client.bot {
                (&mut self.caught, &mut self.caught_medium)
            } else {
                (&mut self.wronged, &mut self.wronged_medium)
            };
            at_own.add(own.is_some());
            at_medium.add(medium.is_some());
            let (by, step) = if client.bot {
                self.requests.extend(own.map(|step| step.after_requests));
                (&mut self.caught_by, own)
            } else {
                (&mut self.wronged_by, medium)
            };
            if let Some(step) = step {
                count(by, &format!("{} ({})", step.detector, step.names));
            }
        }
    }

    fn finish(&mut self, cubed: Cubed) {
        (self.precision, self.recall) = (cubed.precision(), cubed.recall());
        self.requests.sort_unstable();
        self.requests_median = self
            .requests
            .get(self.caught.all.saturating_sub(1) / 2)
            .copied();
        for list in [&mut self.caught_by, &mut self.wronged_by] {
            list.sort_by(|one, two| two.1.cmp(&one.1).then_with(|| one.0.cmp(&two.0)));
        }
    }
}

fn count(list: &mut Vec<(String, usize)>, name: &str) {
    match list.iter_mut().find(|(known, _)| known == name) {
        Some((_, count)) => *count += 1,
        None => list.push((name.to_owned(), 1)),
    }
}

/// How many of those hit are bots, where so many clients are.
fn precisions(recall: f64, wronged: Rate) -> Vec<(f64, f64)> {
    let precision = |prevalence: f64, wrong: f64| {
        let (right, wrong) = (recall * prevalence, wrong * (1.0 - prevalence));
        if right + wrong > 0.0 {
            right / (right + wrong)
        } else {
            0.0
        }
    };
    let prevalences = PREVALENCES.iter();
    prevalences
        .map(|it| {
            (
                precision(*it, wronged.share()),
                precision(*it, wronged.upper_bound()),
            )
        })
        .collect()
}

/// An interval as the last line and tables give it.
#[must_use]
pub fn low(figure: Figure) -> f64 {
    let Interval { low, .. } = figure.interval;
    low
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::Step;

    fn client(bot: bool, confidence: f64) -> Client {
        let step = Step {
            confidence,
            after_requests: 7,
            detector: "scanning".into(),
            names: "session".into(),
        };
        Client {
            name: String::new(),
            bot,
            steps: vec![vec![step]; arms::ALL.len()],
        }
    }

    fn played(seed: u64, clients: Vec<Client>) -> Played {
        Played {
            seed,
            scene: 0,
            requests: 1,
            clients,
            cubed: vec![Cubed::default(); arms::ALL.len()],
            sessions: vec![1; arms::ALL.len()],
        }
    }

    #[test]
    fn a_threshold_spares_all_but_one_in_a_thousand() {
        let mut honest: Vec<_> = (0..998).map(|_| client(false, 0.3)).collect();
        honest.extend([client(false, 0.9), client(false, 0.7)]);
        let tuning = [played(1, honest)];
        assert_eq!(threshold(&tuning, 0, 0.001), 0.7_f64.next_up());
        assert_eq!(threshold(&tuning, 0, 0.0), 0.9_f64.next_up());
        assert_eq!(threshold(&tuning, 0, 0.01), 0.5);
    }

    #[test]
    fn scored_is_what_was_not_tuned() {
        let tuning = [played(1, vec![client(false, 0.85)])];
        let scoring = [
            played(2, vec![client(true, 0.9), client(false, 0.82)]),
            played(3, vec![client(true, 0.6), client(false, 0.1)]),
        ];
        let figures = Figures::of(&tuning, &scoring);
        let arm = figures.arm("links").unwrap();
        assert_eq!((arm.threshold, arm.recall.value), (0.85_f64.next_up(), 0.5));
        assert_eq!((arm.wronged.hits, arm.wronged_medium.hits), (0, 1));
        let scene = arm.scene("nat").unwrap();
        assert_eq!(scene.collateral(), Some(1.0));
        assert_eq!(scene.requests_median, Some(7));
        assert_eq!(figures.difference("links", "ip_user_agent").value, 0.0);
        assert_eq!((figures.honest_min, figures.seeds), (1, [1, 2]));
    }
}
