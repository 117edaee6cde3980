//! One password after the other, until one opens or none does.

use super::{About, BotType, Detector, Judgement, Limits, Weight};
use crate::event::LogPosition;
use crate::features::{Scope, View};

pub(super) struct AuthenticationAbuse;

static ABOUT: About = About {
    name: "authentication_abuse",
    summary: "A password that is being guessed: failures on end, or the rare success among an \
              address's many failures.",
    bot_type: BotType::AccountTakeover,
    weight: Weight::Abuse(0.97),
    unit: "failed logins before the success, or on end without one",
    window: "the visit; for the address the last 12 hours",
    limit: 10.0,
    below: false,
    adds_up: 0.0,
    enough: "Five failed logins in the visit; or a success, in a session without assets, from an \
             address where twenty logins failed and at most one in twenty succeeded.",
    why: "People get in within five attempts or give up; ten leave room for a bad day. A success \
          among an address's many failures is the account that was found: the session that used \
          it counts, other people behind the address do not, because their own sessions browse.",
    fails: "Wrong about a person who tries ten remembered passwords. Misses a takeover whose \
            failures happened in sessions that nothing links to this one.",
    tune: "Lower the limit where the application locks accounts sooner; raise it where a machine \
           with a wrong password should not count.",
};

impl Detector for AuthenticationAbuse {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn examine(&self, view: &View<'_>, limits: Limits) -> Judgement {
        const FEW: u32 = 5;
        let own = view.visit.authentication.logins();
        if own.attempts == 0 {
            return Judgement::NotEnough;
        }
        let before = own.failures_before_success.max(own.failures_running);
        let beside = view.address.filter(|_| view.scope == Scope::Visit).map_or(0.0, |source| {
            let failed = source.failed_sessions.count().max(source.logins_failed.count(view.now_us));
            // Where many get in, this one is most likely one of them.
            let rare = source.logins_succeeded.count(view.now_us) <= (0.05 * failed).max(2.0);
            let used = own.successes > 0
                && view.visit.assets.assets() == 0
                && !view.session.from_browser
                && !view.session.cut;
            if rare && used && failed >= 20.0 { failed / 2.0 } else { 0.0 }
        });
        if before < FEW && beside == 0.0 {
            return Judgement::NotEnough;
        }
        let value = f64::from(before).max(beside);
        Judgement::of(value, limits.choose(&ABOUT, None))
    }

    fn records(&self, view: &View<'_>) -> Vec<LogPosition> {
        view.visit.authentication.logins().positions()
    }
}
