//! Says itself what it is.

use super::{About, BotType, Detector, Judgement, Limits, Weight};
use crate::event::{Claim, LogPosition};
use crate::features::View;

pub(super) struct BadUserAgent;

static ABOUT: About = About {
    name: "bad_user_agent",
    summary: "The user agent names a security scanner or a browser under remote control.",
    bot_type: BotType::SecurityCrawler,
    weight: Weight::Abuse(0.9),
    unit: "name of such a tool",
    window: "the latest request",
    limit: 1.0,
    below: false,
    adds_up: 0.0,
    enough: "Three requests with a user agent.",
    why: "Nobody pretends to be sqlmap. Tools and libraries (curl, python-requests) are no \
          reason: honest clients of an API use them.",
    fails: "Wrong about your own scans and end-to-end tests. Misses everyone who changes one \
            header.",
    tune: "Except your own scanner by its address or session.",
};

impl Detector for BadUserAgent {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn examine(&self, view: &View<'_>, limits: Limits) -> Judgement {
        let claim = view.visit.identity.claim;
        if claim == Claim::Unknown || view.visit.volume.requests < 3 {
            return Judgement::NotEnough;
        }
        let value = f64::from(u8::from(claim == Claim::Attack));
        Judgement::of(value, limits.choose(&ABOUT, None))
    }

    fn records(&self, view: &View<'_>) -> Vec<LogPosition> {
        view.visit.volume.sample.positions()
    }
}
