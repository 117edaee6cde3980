//! One question after the other, none of them twice.

use super::{About, BotType, Detector, Judgement, Limits, Weight};
use crate::event::LogPosition;
use crate::features::{View, columns};
use crate::num::share;

pub(super) struct QueryAbuse;

static ABOUT: About = About {
    name: "query_abuse",
    summary: "Hundreds of different queries: a search, a filter or a list that is being worked through.",
    bot_type: BotType::Scraping,
    weight: Weight::Abuse(0.9),
    unit: "different queries",
    window: "the visit",
    limit: 120.0,
    below: false,
    adds_up: 0.0,
    enough: "Forty requests with a query, half of all requests, four in five of them different.",
    why: "Suggestions while somebody types make some ten queries for one search; a hundred and twenty in \
          a visit are more than people ask. Where the application is ready, the limit is three times \
          what 99 in 100 of its longer sessions reach, never below 120. It is a third higher for a client that \
          fetches assets, and multiplied by six for one with its own key at one address.",
    fails: "Wrong about an anonymous program that pages through a long list. Misses one that asks \
          slowly, in several sessions that nothing links.",
    tune: "Set the limit by the longest list that honest clients page through.",
};

impl Detector for QueryAbuse {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn examine(&self, view: &View<'_>, limits: Limits) -> Judgement {
        let queries = &view.visit.queries;
        let requests = view.visit.volume.requests;
        let different = queries.distinct.count().min(f64::from(queries.with));
        let mostly = share(queries.with, requests).unwrap_or(0.0) >= 0.5;
        let new = share(different, queries.with).unwrap_or(0.0) >= 0.8;
        if queries.with < 40 || !mostly || !new {
            return Judgement::NotEnough;
        }
        let learnt = columns::values(view).map(|log| (3.0 * log.exp_m1()).max(ABOUT.limit));
        let (limit, from) = limits.choose(&ABOUT, learnt);
        Judgement::of(different, (limit * super::room(view), from))
    }

    fn records(&self, view: &View<'_>) -> Vec<LogPosition> {
        view.visit.volume.sample.positions()
    }
}
