//! One endpoint, one value after the other, most of them not there or not theirs.

use super::{About, BotType, Detector, Judgement, Limits, Weight};
use crate::event::LogPosition;
use crate::features::{Place, View, columns};
use crate::num::share;

pub(super) struct Enumeration;

static ABOUT: About = About {
    name: "enumeration",
    summary: "Trying identifiers at one endpoint to see which ones exist or open.",
    bot_type: BotType::SuspiciousActivity,
    weight: Weight::Abuse(0.98),
    unit: "values that were refused or not there, beyond what is usual at the endpoint (half as \
           many again where they follow one another); eight in ten of the steps from a number to \
           its neighbour, beyond what is usual there",
    window: "the visit",
    limit: 8.0,
    below: false,
    adds_up: 0.25,
    enough: "Eight different values at one endpoint that serves others (five where they follow one \
             another), with three misses or with three in five values being neighbours of the one \
             before.",
    why: "Clients get identifiers from lists, so they hit; a dead link or an expired order is a \
          miss or two. The misses that others have at the endpoint are taken off, times their \
          share. Neighbouring numbers show a counter being run, even if all are served: how often \
          others here go from a number to the next (a gallery, a serial) is taken off one and a \
          half times, each network teaching it once; until fifty pairs are known, runs count next \
          to nothing. A program with its own key may run through what it was given: a third of \
          the values counts that are beyond twice what the busiest clients here read. A declared \
          crawler that is polite is held to be a search engine by half, as in `scraping`.",
    fails: "Wrong about a client that works off an outdated list of identifiers. Misses values \
            that are guessed with success every time by a client with its own key, within what \
            the application's busiest clients read.",
    tune: "Raise the limit for batch clients that probe for existence on purpose, or except them \
           by session or address.",
};

/// Misses beyond what others have in this place.
fn excess(view: &View<'_>, place: &Place) -> f64 {
    /// Never take more than this for usual: enumerators alone may use an endpoint.
    const USUAL_MAX: f64 = 0.25;
    let endpoint = view.application.endpoint(place.endpoint());
    let learnt = endpoint.filter(|it| it.tries >= 50);
    let usual = learnt.and_then(|it| share(it.tries_missed, it.tries));
    let usual = usual.unwrap_or(0.02).min(USUAL_MAX);
    f64::from(place.misses) - 1.5 * usual * f64::from(place.requests)
}

/// What a run of neighbouring numbers is worth.
fn walked(view: &View<'_>, place: &Place) -> f64 {
    /// How often numbers are neighbours where nothing is known; never take more for usual.
    const USUAL_MAX: f64 = 0.6;
    if super::says_who_it_is(view) {
        let usual = columns::values(view).map_or(10.0, |log| log.exp_m1());
        return (place.distinct() - 2.0 * usual.max(30.0)).max(0.0) / 3.0;
    }
    let endpoint = view.application.endpoint(place.endpoint());
    let learnt = endpoint.filter(|it| it.pairs >= 50);
    let usual = learnt.and_then(|it| share(it.pairs_near, it.pairs));
    let usual = usual.unwrap_or(USUAL_MAX).min(USUAL_MAX);
    let pairs = f64::from(place.numbers.saturating_sub(1));
    let beyond = f64::from(place.steps) - 1.5 * usual * pairs;
    0.8 * beyond.min(place.distinct()).max(0.0)
}

fn measure(view: &View<'_>, place: &Place) -> f64 {
    let distinct = place.distinct();
    let missed = share(place.misses, place.requests).unwrap_or(0.0);
    let stepped = share(place.steps, place.numbers.saturating_sub(1)).unwrap_or(0.0);
    let walks = stepped >= 0.6 && place.numbers >= 5;
    let enough = if walks { 5.0 } else { 8.0 };
    let mut value = 0.0_f64;
    if place.misses >= 3 && missed >= 0.25 && distinct >= enough {
        let misses = excess(view, place).min(distinct);
        value = if walks { 1.5 * misses } else { misses };
    }
    if walks && place.numbers >= 8 && distinct >= 8.0 {
        value = value.max(walked(view, place) + excess(view, place).max(0.0));
    }
    value
}

impl Detector for Enumeration {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn examine(&self, view: &View<'_>, limits: Limits) -> Judgement {
        let places = view.visit.parameters.places().map(|place| measure(view, place));
        let value = places.fold(0.0, f64::max);
        if value <= 0.0 {
            return Judgement::NotEnough;
        }
        let finding = Judgement::of(value, limits.choose(&ABOUT, None));
        if super::is_polite(view) { finding.at_most(super::POLITE) } else { finding }
    }

    fn records(&self, view: &View<'_>) -> Vec<LogPosition> {
        let widest = view.visit.parameters.widest();
        widest.map(|place| place.sample.positions()).unwrap_or_default()
    }

    fn endpoint(&self, view: &View<'_>) -> Option<u32> {
        view.visit.parameters.widest().map(Place::endpoint)
    }
}
