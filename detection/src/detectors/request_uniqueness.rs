//! The same thing, over and over.

use super::{About, BotType, Detector, Judgement, Limits, Weight};
use crate::event::LogPosition;
use crate::features::View;
use crate::num::share;

pub(super) struct RequestUniqueness;

static ABOUT: About = About {
    name: "request_uniqueness",
    summary: "The same few requests again and again.",
    bot_type: BotType::SuspiciousActivity,
    weight: Weight::Machine(0.7),
    unit: "requests for each different path and query",
    window: "the visit",
    limit: 20.0,
    below: false,
    adds_up: 0.0,
    enough: "Forty requests.",
    why: "People look at something else next; even those who reload a page do so a few times. Twenty \
          requests for each different one is a loop.",
    fails: "Pollers, health checks and applications that ask for news are honest loops: the vote says \
          'machine' and makes no verdict alone, and none for a known machine client.",
    tune: "Nothing to tune; switch it off where every client polls.",
};

impl Detector for RequestUniqueness {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn examine(&self, view: &View<'_>, limits: Limits) -> Judgement {
        let requests = view.visit.volume.requests;
        if requests < 40 {
            return Judgement::NotEnough;
        }
        let different = view.visit.endpoints.paths.count().max(view.visit.queries.distinct.count());
        match share(requests, different) {
            Some(each) => Judgement::of(each, limits.choose(&ABOUT, None)),
            None => Judgement::NotEnough,
        }
    }

    fn records(&self, view: &View<'_>) -> Vec<LogPosition> {
        view.visit.volume.sample.positions()
    }
}
