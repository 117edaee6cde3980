//! Takes pages, but not as a browser takes them.

use super::{About, BotType, Detector, Judgement, Limits, Weight};
use crate::event::LogPosition;
use crate::features::{View, columns};
use crate::num::share;

pub(super) struct Browserless;

static ABOUT: About = About {
    name: "browserless",
    summary: "Pages without what belongs to them, from nowhere: a program reads the site.",
    bot_type: BotType::SuspiciousActivity,
    weight: Weight::Machine(0.9),
    unit: "points: up to 1 each for pages that no asset followed, requests without a referer, the \
           same of the address as a whole, and HEAD, HTTP/1.0, feeds or robots.txt",
    window: "the visit, and the address so far",
    limit: 2.0,
    below: false,
    adds_up: 0.0,
    enough: "Three requests, to an application whose sessions usually fetch assets; none to an \
             application whose sessions do not.",
    why: "What a person sees of a page, a browser had to fetch. The points are shares, so that \
          one cached page does not count; three of four signs make a vote. It needs no user \
          agent, so it holds against any claim.",
    fails: "Feed readers, previews and search engines are programs as well: the vote says \
            'machine' and makes no verdict alone. Misses browsers under remote control. Near \
            the limit: people who come back to a fully cached site.",
    tune: "Nothing to tune; it stays silent where sessions have no assets.",
};

/// The points, without asking what is usual here.
fn points(view: &View<'_>) -> f64 {
    let assets = &view.visit.assets;
    let referers = &view.visit.referers;
    let requests = view.visit.volume.requests;
    let none = share(referers.none, referers.requests).unwrap_or(0.0);
    let bare = 1.0 - share(assets.assets(), requests).unwrap_or(0.0).mul_add(3.0, 0.0).min(1.0);
    let unfollowed = match share(assets.followed, assets.pages) {
        Some(followed) => f64::midpoint(bare, 1.0 - followed),
        None => bare,
    };
    let (mut place_bare, mut place_none) = (unfollowed, none);
    if let Some(source) = view.address {
        let assets = share(source.assets, source.requests).unwrap_or(0.0);
        place_bare = 1.0 - (3.0 * assets).min(1.0);
        place_none = 1.0 - share(source.referers, source.requests).unwrap_or(0.0);
    }
    let odd = view.visit.statuses.unlike_browsers() + assets.feeds + assets.robots;
    let odd = share(odd, requests).unwrap_or(0.0).min(1.0);
    unfollowed + none + f64::midpoint(place_bare, place_none) + odd
}

impl Detector for Browserless {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn examine(&self, view: &View<'_>, limits: Limits) -> Judgement {
        if view.visit.volume.requests < 3 {
            return Judgement::NotEnough;
        }
        // Without a baseline the ordinary points hold; with one, it says whether assets are usual.
        let usual = columns::assets(view);
        if usual.is_some_and(|median| median < 0.05) || !view.application.has_assets() {
            return Judgement::NotEnough;
        }
        Judgement::of(points(view), limits.choose(&ABOUT, usual.map(|_| ABOUT.limit)))
    }

    fn records(&self, view: &View<'_>) -> Vec<LogPosition> {
        view.visit.volume.sample.positions()
    }
}
