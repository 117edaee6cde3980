//! More in a minute than anyone else.

use super::{About, BotType, Detector, Judgement, Limits, Weight};
use crate::event::LogPosition;
use crate::features::{View, columns};

pub(super) struct RequestRate;

static ABOUT: About = About {
    name: "request_rate",
    summary: "Many more requests in a minute than sessions here make.",
    bot_type: BotType::ResourceConsumption,
    weight: Weight::Machine(0.8),
    unit: "requests within its busiest minute, assets included",
    window: "the visit",
    limit: 300.0,
    below: false,
    adds_up: 0.0,
    enough: "Thirty requests.",
    why: "Where the application is ready, five times what 99 in 100 of its longer sessions \
          reach, never below 100. The rate alone ranks bots hardly better than a coin, so it \
          only supports other votes.",
    fails: "Wrong about a busy integration; misses everything slow.",
    tune: "Set the limit by the plan your heaviest client has.",
};

impl Detector for RequestRate {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn examine(&self, view: &View<'_>, limits: Limits) -> Judgement {
        if view.visit.volume.requests < 30 {
            return Judgement::NotEnough;
        }
        let learnt = columns::peak(view).map(|log| (5.0 * log.exp_m1()).max(100.0));
        Judgement::of(f64::from(view.visit.volume.minute_most), limits.choose(&ABOUT, learnt))
    }

    fn records(&self, view: &View<'_>) -> Vec<LogPosition> {
        view.visit.volume.sample.positions()
    }
}
