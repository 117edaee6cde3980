//! A new face for every question.

use super::{About, BotType, Detector, Judgement, Limits, Weight};
use crate::event::LogPosition;
use crate::features::View;
use crate::num::share;

pub(super) struct SessionRotation;

static ABOUT: About = About {
    name: "session_rotation",
    summary: "One place or one chain of links with many sessions that each do next to nothing.",
    bot_type: BotType::SuspiciousActivity,
    weight: Weight::Machine(0.85),
    unit: "sessions",
    window: "a day at the address; a week for related sessions",
    limit: 30.0,
    below: false,
    adds_up: 0.0,
    enough: "Ten sessions with at most three requests each on average, none of which fetched an asset.",
    why: "Sessions cost a browser nothing, and people stay in theirs. Thirty that are left after a request \
          or two belong to a client that throws its cookies or tokens away. People who share an address \
          make more requests each and fetch assets.",
    fails: "Probes that log in anew every time are honest: the vote makes no verdict alone. Misses bots \
          with an address for every session.",
    tune: "Raise the limit where many clients without state share an address.",
};

impl Detector for SessionRotation {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn examine(&self, view: &View<'_>, limits: Limits) -> Judgement {
        const EACH: f64 = 3.0;
        let mut most = 0.0_f64;
        if let Some(source) = view.address.filter(|it| it.assets == 0) {
            let sessions = source.active.count();
            if share(source.recent.count(view.now_us), sessions).is_some_and(|each| each <= EACH) {
                most = most.max(sessions);
            }
        }
        let totals = &view.session.totals;
        let sessions = totals.sessions.count();
        if view.visit.assets.assets() == 0 && share(totals.requests, sessions).is_some_and(|each| each <= EACH) {
            most = most.max(sessions);
        }
        if most < 10.0 {
            return Judgement::NotEnough;
        }
        Judgement::of(most, limits.choose(&ABOUT, None))
    }

    fn records(&self, view: &View<'_>) -> Vec<LogPosition> {
        view.visit.volume.sample.positions()
    }
}
