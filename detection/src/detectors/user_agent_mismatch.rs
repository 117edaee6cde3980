//! Says browser, does not behave like one.

use super::{About, BotType, Detector, Judgement, Limits, Weight};
use crate::event::{Claim, LogPosition};
use crate::features::{View, columns};
use crate::num::share;

pub(super) struct UserAgentMismatch;

static ABOUT: About = About {
    name: "user_agent_mismatch",
    summary: "The user agent claims a browser; the requests are not a browser's.",
    bot_type: BotType::SuspiciousActivity,
    weight: Weight::Abuse(0.85),
    unit: "points: HTTP/1.0 2; three or more user agents in one session 1; pages without any \
           asset 0.6, or 1 where this application's sessions usually fetch assets; no referer on \
           any later page 0.4; another claim's header shape 2",
    window: "the visit",
    limit: 1.4,
    below: false,
    enough: "A user agent that claims a browser, and HTTP/1.0 or four pages.",
    why: "Every browser of the last twenty years speaks HTTP/1.1, fetches what a page needs and \
          says where it came from. Each sign alone has an honest cause (a cache, a privacy \
          setting, an old proxy); two together hardly.",
    fails: "Wrong about people behind a proxy that speaks HTTP/1.0 and caches everything. Misses \
            a real browser under remote control, which is a browser.",
    tune: "Switch it off for applications without pages; it stays silent there anyway.",
};

impl Detector for UserAgentMismatch {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn examine(&self, view: &View<'_>, limits: Limits) -> Judgement {
        let identity = &view.visit.identity;
        let assets = &view.visit.assets;
        if identity.claim != Claim::Browser || !identity.http10 && assets.pages < 4 {
            return Judgement::NotEnough;
        }
        let mut points = if identity.http10 { 2.0 } else { 0.0 };
        if identity.agents.count() >= 2.5 {
            points += 1.0;
        }
        if assets.pages >= 4 && assets.assets() == 0 {
            let usual = columns::assets(view).is_some_and(|median| median >= 0.2);
            points += if usual { 1.0 } else { 0.6 };
        }
        let referers = &view.visit.referers;
        if assets.pages >= 4 && share(referers.none, referers.requests) == Some(1.0) {
            points += 0.4;
        }
        if identity.shape.is_some_and(|shape| view.application.shapes.foreign(shape)) {
            points += 2.0;
        }
        Judgement::of(points, limits.choose(&ABOUT, None))
    }

    fn records(&self, view: &View<'_>) -> Vec<LogPosition> {
        view.visit.volume.sample.positions()
    }
}
