//! One failure each from a thousand addresses: seen only by the application as a whole.

use super::{About, BotType, Detector, Judgement, Limits, Weight};
use crate::event::{Claim, LogPosition};
use crate::features::View;
use crate::state::campaign::Campaign;

pub(super) struct LowAndSlowStuffing;

static ABOUT: About = About {
    name: "low_and_slow_stuffing",
    summary: "A failed login that is one of many by sessions that come from everywhere and do \
              nothing else.",
    bot_type: BotType::AccountTakeover,
    weight: Weight::Abuse(0.99),
    unit: "networks (/24 or /64) with a failed login of a session that does nothing else",
    window: "the application's last hour or last 6 hours, whichever shows it better",
    limit: 15.0,
    below: false,
    adds_up: 0.0,
    enough: "Twenty failed logins by sessions that did nothing but log in (at most two other \
             requests, no assets; or a page with its files, and nothing further for a minute), \
             failing at least half of the time and three times as often as people here do (or \
             three quarters of the time); and this session is one of them. Five by what claims \
             to be browsers, once fifty people were seen to log in after a page. None while those \
             who browse fail as well: then the login itself is out of order. Where records have come late \
             of late, the session must be older than that: its page may still be on the way. None of a \
             session that began under another policy: its page stands in another session.",
    why: "People look at pages before they log in, and mostly succeed. The confidence is the \
          share of such failures that people's mistakes do not explain: people who log in \
          directly and succeed tell how many would fail honestly. Browsers are weighed apart \
          from programs and applications, which log in directly for good reasons; where it is \
          known that people's browsers load a page first, four networks are enough. Every \
          minute of a campaign the sessions that came before it was recognised are judged again.",
    fails: "Wrong about the share of honest failures that it states as its own doubt. Misses a \
            stuffer all of whose sessions load pages first, one that browses on like a person, or \
            one whose failures drown in the honest failures of a very large application.",
    tune: "Raise the limit for applications whose clients log in without any page and often fail.",
};

/// Networks, where it is known that people's browsers come to the login by way of a page.
const KNOWN: f64 = 4.0;

impl Detector for LowAndSlowStuffing {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn examine(&self, view: &View<'_>, limits: Limits) -> Judgement {
        let own = view.visit.authentication.logins();
        let bare = Campaign::is_bare(view.session);
        let opened = Campaign::came_and_left(view.session, view.now_us);
        if own.failures == 0 || own.successes > 0 || !(bare || opened) {
            return Judgement::NotEnough;
        }
        if Campaign::may_be_late(view.session, view.now_us, view.application.late_us()) {
            return Judgement::NotEnough;
        }
        let browser = view.visit.identity.claim == Claim::Browser;
        let weight = view.application.campaign.weigh(view.now_us, opened, browser);
        if !weight.tells {
            return Judgement::NotEnough;
        }
        let learnt = if weight.known { KNOWN } else { ABOUT.limit };
        let limit = limits.choose(&ABOUT, weight.learnt.then_some(learnt));
        Judgement::of(weight.sources, limit).at_most(weight.guilty)
    }

    fn records(&self, view: &View<'_>) -> Vec<LogPosition> {
        let own = view.visit.authentication.logins().positions();
        let members = view.application.campaign.latest(view.now_us);
        let others = members.map(|member| member.position).take(4);
        let mut all: Vec<_> = own.into_iter().chain(others).collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}
