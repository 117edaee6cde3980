//! Nobody browses with this any more.

use super::{About, BotType, Detector, Judgement, Limits, Weight};
use crate::event::LogPosition;
use crate::event::{Claim, Family};
use crate::features::View;

pub(super) struct OutdatedBrowser;

static ABOUT: About = About {
    name: "outdated_browser",
    summary: "The user agent claims a version of a browser that is years behind what others here use.",
    bot_type: BotType::SuspiciousActivity,
    weight: Weight::Machine(0.7),
    unit: "versions behind the newest that one in twenty visits with the same \
          browser have",
    window: "the latest request",
    limit: 40.0,
    below: false,
    adds_up: 0.0,
    enough: "Three requests by what claims to be Chromium or Firefox, to an application that saw forty \
          visits with the same browser.",
    why: "Both publish some thirteen versions a year and renew themselves; forty versions are three \
          years, longer than the longest support for old systems. Programs copy a user agent once and \
          keep it for ever. What is current is learnt here, so no table of versions grows old.",
    fails: "Old televisions, kiosks and test machines are honest and out of date: the vote says \
          'machine' and makes no verdict alone. A twentieth of an application's visits can move what \
          is current.",
    tune: "Raise the limit where devices are known to be old.",
};

impl Detector for OutdatedBrowser {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn examine(&self, view: &View<'_>, limits: Limits) -> Judgement {
        let identity = &view.visit.identity;
        let known = |family| matches!(family, Family::Chromium | Family::Firefox);
        let claimed = identity.browser.filter(|it| known(it.family));
        let claimed = claimed.filter(|_| identity.claim == Claim::Browser);
        if view.visit.volume.requests < 3 {
            return Judgement::NotEnough;
        }
        match claimed.and_then(|it| view.application.shapes.behind(it)) {
            Some(behind) => Judgement::of(f64::from(behind), limits.choose(&ABOUT, None)),
            None => Judgement::NotEnough,
        }
    }

    fn records(&self, view: &View<'_>) -> Vec<LogPosition> {
        view.visit.volume.sample.positions()
    }
}
