//! A bit of everything.

use super::{About, BotType, Detector, Judgement, Limits, Weight};
use crate::event::LogPosition;
use crate::features::{View, columns};

pub(super) struct WideScope;

static ABOUT: About = About {
    name: "wide_scope",
    summary: "Many more different endpoints than sessions here use.",
    bot_type: BotType::SecurityCrawler,
    weight: Weight::Machine(0.85),
    unit: "different endpoints (path templates with method)",
    window: "the visit",
    limit: 60.0,
    below: false,
    adds_up: 0.0,
    enough: "Twenty requests.",
    why: "A client has a purpose, and so a handful of endpoints; somebody who maps an application out \
          walks through all of them. Where the application is ready, the limit is twice what 99 in 100 \
          of its longer sessions use, never below 30.",
    fails: "Search engines and thorough tests see everything as well: the vote makes no verdict alone. \
          Misses whoever studies one endpoint at a time.",
    tune: "Set the limit by the widest honest client, usually the application's own web pages.",
};

impl Detector for WideScope {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn examine(&self, view: &View<'_>, limits: Limits) -> Judgement {
        if view.visit.volume.requests < 20 {
            return Judgement::NotEnough;
        }
        let learnt = columns::endpoints(view).map(|log| (2.0 * log.exp_m1()).max(30.0));
        Judgement::of(view.visit.endpoints.distinct.count(), limits.choose(&ABOUT, learnt))
    }

    fn records(&self, view: &View<'_>) -> Vec<LogPosition> {
        view.visit.volume.sample.positions()
    }
}
