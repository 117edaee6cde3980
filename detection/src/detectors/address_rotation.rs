//! One key, used from everywhere.

use super::{About, BotType, Detector, Judgement, Limits, Weight};
use crate::event::LogPosition;
use crate::features::View;

pub(super) struct AddressRotation;

static ABOUT: About = About {
    name: "address_rotation",
    summary: "One session from many networks within one visit.",
    bot_type: BotType::SuspiciousActivity,
    weight: Weight::Abuse(0.94),
    unit: "networks (/24 or /64); a country, where countries are known, counts as three",
    window: "the visit",
    limit: 12.0,
    below: false,
    adds_up: 0.25,
    enough: "A session found by its own key, with three networks and ten requests.",
    why: "A phone changes between home and mobile networks, two to four in a visit; carriers that \
          spread their users add some. A dozen within one visit is a proxy pool, or a key that \
          many share. Nobody is in four countries within a visit.",
    fails: "Wrong about a key that a partner shares among its machines: give each its own, or \
            except it. Misses a pool within one network.",
    tune: "Raise the limit for keys that are shared on purpose.",
};

impl Detector for AddressRotation {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn examine(&self, view: &View<'_>, limits: Limits) -> Judgement {
        let networks = view.visit.identity.subnets.count();
        if !view.session.keyed || networks < 2.5 || view.visit.volume.requests < 10 {
            return Judgement::NotEnough;
        }
        let countries = view.visit.identity.countries.count();
        Judgement::of(networks.max(3.0 * countries), limits.choose(&ABOUT, None))
    }

    fn records(&self, view: &View<'_>) -> Vec<LogPosition> {
        view.visit.volume.sample.positions()
    }
}
