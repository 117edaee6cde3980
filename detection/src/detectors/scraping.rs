//! One item after the other, each once: a catalogue being carried off.

use super::{About, BotType, Detector, Judgement, Limits, Weight};
use crate::event::LogPosition;
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
    enough: "Twelve different items at one endpoint, nine in ten requests for a new one, and half \
             of the visit's documents spent there.",
    why: "A person looks at some ten items and comes back to some. Where the application is \
          ready, the limit is twice what 99 in 100 of its longer sessions read, never below 30. \
          It is doubled for a client that fetches assets as a browser does, and multiplied by \
          six for one that has its own key and stays at one address: a synchronisation job \
          reads everything as well, and says who it is.",
    fails: "Wrong about an anonymous synchronisation job that reads everything: give it a key. \
            Misses a scraper that spreads its reading over many sessions that nothing links, or \
            one that also looks at every item several times.",
    tune: "Set the limit by what a keen person reads in half an hour.",
};

fn systematic<'a>(view: &View<'a>) -> Option<&'a Place> {
    let place = view.visit.parameters.widest()?;
    let distinct = place.distinct();
    let documents = view.visit.volume.requests.saturating_sub(view.visit.assets.assets());
    let new = share(distinct, place.requests)?;
    let there = share(place.requests, documents)?;
    let missed = share(place.misses, place.requests)?;
    (distinct >= 12.0 && new >= 0.9 && there >= 0.5 && missed < 0.5).then_some(place)
}

impl Detector for Scraping {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn examine(&self, view: &View<'_>, limits: Limits) -> Judgement {
        let Some(place) = systematic(view) else {
            return Judgement::NotEnough;
        };
        let learnt = columns::values(view).map(|log| (2.0 * log.exp_m1()).max(ABOUT.limit));
        let (limit, from) = limits.choose(&ABOUT, learnt);
        Judgement::of(place.distinct(), (limit * super::room(view), from))
    }

    fn records(&self, view: &View<'_>) -> Vec<LogPosition> {
        let place = systematic(view);
        place.map(|place| place.sample.positions()).unwrap_or_default()
    }

    fn endpoint(&self, view: &View<'_>) -> Option<u32> {
        systematic(view).map(Place::endpoint)
    }
}
