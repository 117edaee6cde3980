//! What it carries off and sends.

use super::{About, BotType, Detector, Judgement, Limits, Weight};
use crate::event::LogPosition;
use crate::features::{View, columns};

pub(super) struct ResponseConsumption;

static ABOUT: About = About {
    name: "response_consumption",
    summary: "Moves more bytes than anyone else does.",
    bot_type: BotType::ResourceConsumption,
    weight: Weight::Abuse(0.88),
    unit: "MiB of bodies per minute, both ways",
    window: "the visit, at least a minute",
    limit: 600.0,
    below: false,
    adds_up: 0.0,
    enough: "Sixty requests over a minute.",
    why: "Where the application is ready, ten times what 99 in 100 of its longer sessions take of bytes, \
          never below 60; until then a limit that only floods reach: eighty megabits a second. A client with its \
          own key at one address is given six times as much, a browser that fetches assets a third \
          more.",
    fails: "Wrong about an export or an upload that nobody announced. Misses what is cheap per request \
          and spread over many clients.",
    tune: "Set the limit by what your heaviest client may use.",
};

impl Detector for ResponseConsumption {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn examine(&self, view: &View<'_>, limits: Limits) -> Judgement {
        if view.visit.volume.requests < 60 || view.visit.volume.duration() < 60.0 {
            return Judgement::NotEnough;
        }
        let Some(value) = view.visit.sizes.carried(view) else {
            return Judgement::NotEnough;
        };
        let learnt = columns::carried(view).map(|log| (10.0 * log.exp_m1()).max(60.0));
        let (limit, from) = limits.choose(&ABOUT, learnt);
        Judgement::of(value, (limit * super::room(view), from))
    }

    fn records(&self, view: &View<'_>) -> Vec<LogPosition> {
        view.visit.volume.sample.positions()
    }
}
