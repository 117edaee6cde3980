//! Pauses that are too even for a person.

use super::{About, BotType, Detector, Judgement, Limits, Weight};
use crate::event::LogPosition;
use crate::features::View;

pub(super) struct IntervalRegularity;

static ABOUT: About = About {
    name: "interval_regularity",
    summary: "Pauses between requests that hardly vary.",
    bot_type: BotType::SuspiciousActivity,
    weight: Weight::Machine(0.95),
    unit: "standard deviation of the pauses' logarithm",
    window: "the visit",
    limit: 0.4,
    below: true,
    adds_up: 0.0,
    enough: "Fifteen pauses over 200 ms (shorter gaps are a browser's parallel requests).",
    why: "People's pauses spread over more than one order of magnitude: reading, clicking on, \
          being called away (deviation about 1 and above). A timer gives 0 to 0.1, a random \
          delay between one and three seconds 0.3.",
    fails: "Honest jobs and pollers are even as well: the vote says 'machine', never 'bad', and \
            makes no verdict alone. Misses machines that draw their pauses as people do.",
    tune: "Nothing to tune; switch it off where every client is a machine.",
};

impl Detector for IntervalRegularity {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn examine(&self, view: &View<'_>, limits: Limits) -> Judgement {
        let timing = &view.visit.timing;
        let enough = timing.pauses >= 15;
        let Some(spread) = timing.pause_spread().filter(|_| enough) else {
            return Judgement::NotEnough;
        };
        Judgement::of(spread, limits.choose(&ABOUT, None))
    }

    fn records(&self, view: &View<'_>) -> Vec<LogPosition> {
        view.visit.volume.sample.positions()
    }
}
