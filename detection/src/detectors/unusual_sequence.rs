//! Steps that nobody else takes.

use super::{About, BotType, Detector, Judgement, Limits, Weight};
use crate::event::LogPosition;
use crate::features::{View, columns};
use crate::num::share;

pub(super) struct UnusualSequence;

static ABOUT: About = About {
    name: "unusual_sequence",
    summary: "Steps from endpoint to endpoint that hardly any client of this application takes.",
    bot_type: BotType::SuspiciousActivity,
    weight: Weight::Machine(0.9),
    unit: "mean surprise of a step, nats (4.6: one client in a hundred takes it)",
    window: "the visit",
    limit: 6.0,
    below: false,
    adds_up: 0.0,
    enough: "Fifteen steps, three in ten of them taken by fewer than one in a hundred, and an application \
          that is ready.",
    why: "Pages and applications lead their users: who calls the API directly comes from nowhere and goes \
          where no button leads. How usual a step is, is counted between pairs of endpoints, and between \
          endpoints alone where a pair is rare. The limit is half as much again as what 99 in 100 of \
          the application's longer sessions reach, never below 4.6.",
    fails: "A new feature is unusual for a day: the vote makes no verdict alone. Misses bots that \
          replay recorded visits.",
    tune: "Raise the limit before a release that changes how people move through the application.",
};

impl Detector for UnusualSequence {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn examine(&self, view: &View<'_>, limits: Limits) -> Judgement {
        let sequence = &view.visit.sequence;
        let unusual = share(sequence.unusual, sequence.steps).unwrap_or(0.0) >= 0.3;
        let learnt = columns::surprise(view).map(|p99| (1.5 * p99).max(4.6));
        if sequence.steps < 15 || !unusual || learnt.is_none() {
            return Judgement::NotEnough;
        }
        match sequence.mean_surprise() {
            Some(mean) => Judgement::of(mean, limits.choose(&ABOUT, learnt)),
            None => Judgement::NotEnough,
        }
    }

    fn records(&self, view: &View<'_>) -> Vec<LogPosition> {
        view.visit.volume.sample.positions()
    }
}
