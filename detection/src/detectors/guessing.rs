//! Trying codes by sending them: coupons, reset tokens, second factors.

use super::{About, BotType, Detector, Judgement, Limits, Weight};
use crate::event::LogPosition;
use crate::features::View;
use crate::num::share;

pub(super) struct Guessing;

static ABOUT: About = About {
    name: "guessing",
    summary: "Writes that are turned down one after the other: coupons, codes, tokens.",
    bot_type: BotType::SuspiciousActivity,
    weight: Weight::Abuse(0.96),
    unit: "writes turned down (400, 402, 403, 404, 409, 410, 422), logins aside",
    window: "the visit",
    limit: 10.0,
    below: false,
    adds_up: 0.25,
    enough: "Five writes turned down, and half of all writes.",
    why: "What is guessed is in the body, which is not read; that it is wrong shows in the \
          answer. A person corrects a form three or four times.",
    fails: "Wrong about a client with a fault that repeats the same refused write. Misses \
            guessing where the application answers 200 to a wrong code.",
    tune: "Raise the limit for applications that refuse writes as part of normal business.",
};

impl Detector for Guessing {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn examine(&self, view: &View<'_>, limits: Limits) -> Judgement {
        let statuses = &view.visit.statuses;
        let failed = statuses.writes_failed;
        let mostly = share(failed, statuses.writes.saturating_sub(view.visit.authentication.logins().attempts));
        if failed < 5 || mostly.is_none_or(|share| share < 0.5) {
            return Judgement::NotEnough;
        }
        Judgement::of(f64::from(failed), limits.choose(&ABOUT, None))
    }

    fn records(&self, view: &View<'_>) -> Vec<LogPosition> {
        view.visit.statuses.refused()
    }
}
