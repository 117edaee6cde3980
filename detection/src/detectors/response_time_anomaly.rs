//! Everything it asks for takes long.

use super::{About, BotType, Detector, Judgement, Limits, Weight};
use crate::event::LogPosition;
use crate::features::View;

pub(super) struct ResponseTimeAnomaly;

static ABOUT: About = About {
    name: "response_time_anomaly",
    summary: "Requests that take the upstream much longer than the same endpoints usually do.",
    bot_type: BotType::ResourceConsumption,
    weight: Weight::Machine(0.8),
    unit: "mean rank of its times among those of the same endpoints, 0 to 1",
    window: "the visit",
    limit: 0.93,
    below: false,
    adds_up: 0.0,
    enough: "Twenty requests to endpoints whose times are known (twenty answers each).",
    why: "Ranks are about a half on average for anyone, whatever the endpoints cost. Above .93 nearly \
          every request is among the slowest tenth: deep pages, wide filters, expensive values.",
    fails: "Customers with much data are slow as well, and so is everybody while the upstream is \
          slow: the vote makes no verdict alone.",
    tune: "Nothing to tune; see `request_consumption` for what it costs in all.",
};

impl Detector for ResponseTimeAnomaly {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn examine(&self, view: &View<'_>, limits: Limits) -> Judgement {
        let sizes = &view.visit.sizes;
        match sizes.time_rank().filter(|_| sizes.time_ranked >= 20) {
            Some(rank) => Judgement::of(rank, limits.choose(&ABOUT, None)),
            None => Judgement::NotEnough,
        }
    }

    fn records(&self, view: &View<'_>) -> Vec<LogPosition> {
        view.visit.volume.sample.positions()
    }
}
