//! One item after the other, each once: a catalogue being carried off.

use super::{About, BotType, Detector, Judgement, LimitFrom, Limits, Weight};
use crate::event::{Claim, LogPosition};
use crate::features::{Place, View, columns};
use crate::num::share;

pub(super) struct Scraping;

static ABOUT: About = About {
    name: "scraping",
    summary: "Systematic reading of many different items, each of them once.",
    bot_type: BotType::Scraping,
    weight: Weight::Abuse(0.96),
    unit: "different items served (of one endpoint)",
    window: "the visit",
    limit: 30.0,
    below: false,
    adds_up: 0.75,
    enough: "Twelve different items at one endpoint, nine in ten requests for a new one, and a \
             fifth of the visit's documents spent there.",
    why: "A person looks at some ten items and comes back to some. Where a hundred readers (visits \
          of three items) are known, the limit for what claims to be a browser is half as much \
          again as the least of 20, 30, 45, 70 and 105 items that fewer than one reader in ten \
          reaches; before that, 45 in a single visit. What claims to be a browser and yet goes from item to item \
          as evenly as a timer (ten times and more, deviation of the logarithm below 0.2) is driven \
          by a program and held to be one. For programs without a key it is 20 where the application is ready. A program that has its own key and stays at one address may \
          read six times twice what nine in ten of the longer sessions read, never below 30: a \
          synchronisation job reads everything as well, and says who it is. A declared crawler \
          that asks for robots.txt, keeps to a request per second and hardly misses is held to be \
          a search engine by half: sensitivity high shows it.",
    fails: "Wrong about an anonymous synchronisation job that reads everything: give it a key. \
            Wrong about a browser that plays a long slide show whose pictures are documents. \
            Misses a scraper that spreads its reading over many sessions that nothing links, one \
            that also looks at every item several times, or one that behaves as a polite search \
            engine: name the networks or domains of those you want (`good_bots`, `crawlers`) and \
            block the rest.",
    tune: "Set the limit by what a keen person reads in half an hour.",
};

/// Items that a program without a key of its own may read of an application that is known.
const PROGRAM: f64 = 20.0;
/// How many times as much a browser may read where readers are not known yet.
const UNKNOWN: f64 = 1.5;
/// How many times as much a program may read that has its own key.
const OWN_KEY: f64 = 6.0;

fn systematic<'a>(view: &View<'a>) -> Option<&'a Place> {
    let place = view.visit.parameters.widest()?;
    let distinct = place.distinct();
    let documents = view.visit.volume.requests.saturating_sub(view.visit.assets.assets());
    let new = share(distinct, place.requests)?;
    let there = share(place.requests, documents)?;
    let missed = share(place.misses, place.requests)?;
    (distinct >= 12.0 && new >= 0.9 && there >= 0.2 && missed < 0.5).then_some(place)
}

/// Whether it goes from item to item as a timer has it: nobody reads so.
fn is_driven(place: &Place) -> bool {
    const EVEN: f64 = 0.2;
    place.pace_spread().is_some_and(|spread| spread < EVEN)
}

impl Detector for Scraping {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn examine(&self, view: &View<'_>, limits: Limits) -> Judgement {
        let Some(place) = systematic(view) else {
            return Judgement::NotEnough;
        };
        let browser = view.visit.identity.claim == Claim::Browser && !is_driven(place);
        let learnt = if super::says_who_it_is(view) {
            columns::values_of_most(view).map(|log| (2.0 * log.exp_m1()).max(ABOUT.limit))
        } else if browser {
            view.application.readers.limit()
        } else {
            view.ready.then_some(PROGRAM)
        };
        let (limit, from) = limits.choose(&ABOUT, learnt);
        let room = if super::works_for_somebody(view) {
            OWN_KEY
        } else if browser && from == LimitFrom::ColdStart && view.visits() < 1.5 {
            UNKNOWN
        } else {
            1.0
        };
        let finding = Judgement::of(place.distinct(), (limit * room, from));
        if super::is_polite(view) { finding.at_most(super::POLITE) } else { finding }
    }

    fn records(&self, view: &View<'_>) -> Vec<LogPosition> {
        let place = systematic(view);
        place.map(|place| place.sample.positions()).unwrap_or_default()
    }

    fn endpoint(&self, view: &View<'_>) -> Option<u32> {
        systematic(view).map(Place::endpoint)
    }
}
