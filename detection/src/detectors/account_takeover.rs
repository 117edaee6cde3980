//! Many failures, then one success, then things that an owner hardly does.

use super::{About, BotType, Detector, Judgement, Limits, Weight};
use crate::event::LogPosition;
use crate::features::View;

pub(super) struct AccountTakeover;

static ABOUT: About = About {
    name: "account_takeover",
    summary: "An account that changed hands: guesses, a success, and use made of it at once.",
    bot_type: BotType::AccountTakeover,
    weight: Weight::Abuse(0.97),
    unit: "failed logins before the success, up to two changes after it, and one for unusual steps",
    window: "the visit, and related sessions",
    limit: 10.0,
    below: false,
    adds_up: 0.0,
    enough: "Six failed logins, then a success, then a request.",
    why: "Who remembers a password at the seventh try and goes on to read is an owner; who then changes the \
          account, or goes where few go, has a purpose. Links join the session of the login with that of \
          its token, so that failures and use are seen together.",
    fails: "Wrong about an owner who guesses eight times and then shops. Misses a thief who waits a \
          week, or whose failures came from sessions that nothing links.",
    tune: "Lower the limit where accounts are worth much and logins rarely fail.",
};

impl Detector for AccountTakeover {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn examine(&self, view: &View<'_>, limits: Limits) -> Judgement {
        const FEW: u32 = 6;
        let own = view.visit.authentication.logins();
        if own.failures_before_success < FEW || own.others_after == 0 {
            return Judgement::NotEnough;
        }
        let use_made = own.writes_after.min(2) + own.unusual_after.min(1);
        let value = f64::from(own.failures_before_success + use_made);
        Judgement::of(value, limits.choose(&ABOUT, None))
    }

    fn records(&self, view: &View<'_>) -> Vec<LogPosition> {
        view.visit.authentication.logins().positions()
    }
}
