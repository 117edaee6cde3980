//! What it makes the upstream work.

use super::{About, BotType, Detector, Judgement, Limits, Weight};
use crate::event::LogPosition;
use crate::features::{View, columns};

pub(super) struct RequestConsumption;

static ABOUT: About = About {
    name: "request_consumption",
    summary: "Keeps the upstream busier than anyone else does.",
    bot_type: BotType::ResourceConsumption,
    weight: Weight::Abuse(0.88),
    unit: "seconds of the upstream's time per minute",
    window: "the visit, at least a minute",
    limit: 240.0,
    below: false,
    adds_up: 0.0,
    enough: "Sixty requests over a minute.",
    why: "Where the application is ready, ten times what 99 in 100 of its longer sessions take of the upstream's time, \
          never below 30; until then a limit that only floods reach: four requests in work at any moment. A client with its \
          own key at one address is given six times as much, a browser that fetches assets a third \
          more.",
    fails: "Wrong about an export or an upload that nobody announced. Misses what is cheap per request \
          and spread over many clients.",
    tune: "Set the limit by what your heaviest client may use.",
};

impl Detector for RequestConsumption {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn examine(&self, view: &View<'_>, limits: Limits) -> Judgement {
        if view.visit.volume.requests < 60 || view.visit.volume.duration() < 60.0 {
            return Judgement::NotEnough;
        }
        let Some(value) = view.visit.sizes.work(view) else {
            return Judgement::NotEnough;
        };
        let learnt = columns::work(view).map(|log| (10.0 * log.exp_m1()).max(30.0));
        let (limit, from) = limits.choose(&ABOUT, learnt);
        Judgement::of(value, (limit * super::room(view), from))
    }

    fn records(&self, view: &View<'_>) -> Vec<LogPosition> {
        view.visit.volume.sample.positions()
    }
}
