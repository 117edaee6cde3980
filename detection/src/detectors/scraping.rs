//! One item after the other, each once: a catalogue being carried off.

use super::{About, BotType, Detector, Judgement, Limits, Weight};
use crate::event::{Claim, LogPosition};
use crate::features::{Place, View, columns};
use crate::num::share;

pub(super) struct Scraping;

static ABOUT: About = About {
    name: "scraping",
    summary: "Systematic reading of many different items, each of them once.",
    bot_type: BotType::Scraping,
    weight: Weight::Abuse(0.96),
    unit: "different items served at one endpoint",
    window: "the visit",
    limit: 30.0,
    below: false,
    adds_up: 0.75,
    enough: "Twelve different items at one endpoint, nine in ten requests for a new one, and a \
             fifth of the visit's documents spent there.",
    why: "A person looks at some ten items and comes back to some. Where the application is \
          ready, the limit is twice what nine in ten of its longer sessions read, never below 30. \
          It is a third higher for a client that fetches assets as a browser does, and six times \
          as high for a program that has its own key and stays at one address: a synchronisation job \
          reads everything as well, and says who it is. A declared crawler that asks for \
          robots.txt, keeps to a request per second and hardly misses is held to be a search \
          engine by half: sensitivity high shows it.",
    fails: "Wrong about an anonymous synchronisation job that reads everything: give it a key. \
            Misses a scraper that spreads its reading over many sessions that nothing links, one \
            that also looks at every item several times, or one that behaves as a polite search \
            engine: name the networks of those you want (`good_bots`) and block the rest.",
    tune: "Set the limit by what a keen person reads in half an hour.",
};

/// How sure it can be of a polite crawler: shown at sensitivity high, reacted to at none below.
const POLITE: f64 = 0.6;

fn systematic<'a>(view: &View<'a>) -> Option<&'a Place> {
    let place = view.visit.parameters.widest()?;
    let distinct = place.distinct();
    let documents = view.visit.volume.requests.saturating_sub(view.visit.assets.assets());
    let new = share(distinct, place.requests)?;
    let there = share(place.requests, documents)?;
    let missed = share(place.misses, place.requests)?;
    (distinct >= 12.0 && new >= 0.9 && there >= 0.2 && missed < 0.5).then_some(place)
}

/// A crawler that says so, asked for robots.txt first, misses hardly anything and leaves a second
/// between requests: what a search engine does. Anyone can do that, so it clears nobody.
fn is_polite(view: &View<'_>) -> bool {
    let visit = &view.visit;
    let missed = share(visit.statuses.misses, visit.volume.requests).unwrap_or(0.0);
    visit.identity.claim == Claim::Crawler
        && visit.assets.robots > 0
        && missed < 0.05
        && visit.volume.minute_most <= 60
}

impl Detector for Scraping {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn examine(&self, view: &View<'_>, limits: Limits) -> Judgement {
        let Some(place) = systematic(view) else {
            return Judgement::NotEnough;
        };
        let learnt = columns::values_of_most(view).map(|log| (2.0 * log.exp_m1()).max(ABOUT.limit));
        let (limit, from) = limits.choose(&ABOUT, learnt);
        let finding = Judgement::of(place.distinct(), (limit * super::room(view), from));
        if is_polite(view) { finding.at_most(POLITE) } else { finding }
    }

    fn records(&self, view: &View<'_>) -> Vec<LogPosition> {
        let place = systematic(view);
        place.map(|place| place.sample.positions()).unwrap_or_default()
    }

    fn endpoint(&self, view: &View<'_>) -> Option<u32> {
        systematic(view).map(Place::endpoint)
    }
}
