//! Says browser, does not behave like one.

use throughline_session::shape::mark;

use super::{About, BotType, Detector, Judgement, Limits, Weight};
use crate::event::{Claim, Family, LogPosition};
use crate::features::{Scope, View, columns};
use crate::num::share;
use crate::state::shapes::{BRANDS, FETCH};

pub(super) struct UserAgentMismatch;

static ABOUT: About = About {
    name: "user_agent_mismatch",
    summary: "The user agent claims a browser; headers and requests are not a browser's.",
    bot_type: BotType::SuspiciousActivity,
    weight: Weight::Abuse(0.84),
    unit: "points: brands of Chromium (`sec-ch-ua`) under another name 2; HTTP/1.0 2; another \
           claim's header shape 2, or TLS fingerprint 2; on no request a language 1, an encoding 0.7, or, where this \
           application's browsers of the same family send them, fetch metadata 1 and brands 1; \
           three or more user agents in one session 1; pages without any asset 0.6, or 1 where \
           this application's sessions usually fetch assets; no referer on any later page 0.4",
    window: "the visit",
    limit: 1.4,
    below: false,
    adds_up: 0.0,
    enough: "A user agent that claims a browser, and HTTP/1.0, four pages, or three requests whose \
             header names are known.",
    why: "Every browser of the last twenty years speaks HTTP/1.1, asks for a language, fetches what \
          a page needs and says where it came from; those since 2021 describe every request \
          (`sec-fetch-*`) to sites that they reach over TLS. Whether this is such a site is learnt \
          from the application's own browsers, at least twenty visits of the same family. Each \
          sign alone has an honest cause (a cache, a privacy setting, an old proxy); two together \
          hardly. Only three or more points make a verdict alone.",
    fails: "Wrong about people behind a proxy that strips headers and caches everything, and about \
            honest programs that lie about what they are. Misses a real browser under remote \
            control, which is a browser, and programs that copy every header.",
    tune: "Except a proxy of your own that rewrites headers; switch it off where partners send \
           browsers' user agents from programs.",
};

/// What is missing of the headers that the claimed browser would send.
fn header_points(view: &View<'_>) -> f64 {
    let identity = &view.visit.identity;
    let (Some(marks), Some(browser)) = (identity.marks, identity.browser) else {
        return 0.0;
    };
    let usual = view.application.shapes.usual(browser.family);
    let missing = |mark: u32| marks & mark == 0;
    let mut points = 0.0;
    for (applies, mark, worth) in [
        (true, mark("accept-language"), 1.0),
        (true, mark("accept-encoding"), 0.7),
        (usual & FETCH != 0 && browser.tells_fetch(), FETCH, 1.0),
        (usual & BRANDS != 0 && browser.tells_fetch(), BRANDS, 1.0),
    ] {
        if applies && missing(mark) {
            points += worth;
        }
    }
    if browser.family != Family::Chromium && !missing(BRANDS) {
        points += 2.0;
    }
    points
}

fn page_points(view: &View<'_>) -> f64 {
    let assets = &view.visit.assets;
    if assets.pages < 4 {
        return 0.0;
    }
    let mut points = 0.0;
    if assets.assets() == 0 {
        let usual = columns::assets(view).is_some_and(|median| median >= 0.2);
        points += if usual { 1.0 } else { 0.6 };
    }
    let referers = &view.visit.referers;
    if share(referers.none, referers.requests) == Some(1.0) {
        points += 0.4;
    }
    points
}

impl Detector for UserAgentMismatch {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn examine(&self, view: &View<'_>, limits: Limits) -> Judgement {
        let identity = &view.visit.identity;
        let headers = identity.marked >= 3;
        let enough = identity.http10 || view.visit.assets.pages >= 4 || headers;
        // Over several sessions one person may use several devices.
        if identity.claim != Claim::Browser || !enough || view.scope != Scope::Visit {
            return Judgement::NotEnough;
        }
        let mut points = page_points(view);
        if headers {
            points += header_points(view);
        }
        if identity.http10 {
            points += 2.0;
        }
        if identity.agents.count() >= 2.5 {
            points += 1.0;
        }
        if identity.shape.is_some_and(|shape| view.application.shapes.foreign(shape)) {
            points += 2.0;
        }
        if identity.fingerprint.is_some_and(|it| view.application.shapes.foreign_print(it)) {
            points += 2.0;
        }
        Judgement::of(points, limits.choose(&ABOUT, None))
    }

    fn records(&self, view: &View<'_>) -> Vec<LogPosition> {
        view.visit.volume.sample.positions()
    }
}
