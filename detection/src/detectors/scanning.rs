//! Asking for what was never there: forced browsing.

use super::{About, BotType, Detector, Judgement, Limits, Weight};
use crate::event::LogPosition;
use crate::features::View;
use crate::num::share;

pub(super) struct Scanning;

static ABOUT: About = About {
    name: "scanning",
    summary: "Requests for many paths that the application never served to anyone.",
    bot_type: BotType::SecurityCrawler,
    weight: Weight::Abuse(0.98),
    unit: "different paths that were missed and never served (three for a path that only \
           scanners know)",
    window: "the visit",
    limit: 9.0,
    below: false,
    adds_up: 0.25,
    enough: "Three such paths, making up a quarter of the visit's requests without assets.",
    why: "Dead links lead to one or two such paths, and to pages that once existed. \
          Configuration files, version control folders and other people's admin pages \
          (`/.env`, `/.git/`, `/wp-admin`) are linked from nowhere: three of them are enough.",
    fails: "Wrong about a client after a rename of many paths, until the first of them is served \
            again. Misses a scanner that hides a few probes in much ordinary traffic, and any \
            scan of an application that answers 200 to everything.",
    tune: "Raise the limit after moving a site; except your own scanner by its address.",
};

impl Detector for Scanning {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn examine(&self, view: &View<'_>, limits: Limits) -> Judgement {
        let statuses = &view.visit.statuses;
        let endpoints = &view.visit.endpoints;
        let unknown = endpoints.unknown_paths.count().min(f64::from(endpoints.unknown));
        let probes = statuses.probe_paths.count();
        let documents = view.visit.volume.requests.saturating_sub(view.visit.assets.assets());
        let mostly = share(unknown.max(probes), documents).unwrap_or(0.0);
        if unknown + probes < 2.5 || mostly < 0.25 {
            return Judgement::NotEnough;
        }
        Judgement::of(unknown + 2.0 * probes, limits.choose(&ABOUT, None))
    }

    fn records(&self, view: &View<'_>) -> Vec<LogPosition> {
        view.visit.statuses.missed()
    }
}
