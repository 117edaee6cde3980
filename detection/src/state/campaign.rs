//! Logins of a whole application: what no single session shows.
//!
//! A stuffer with a thousand addresses fails once or twice from each. Seen by itself every one of
//! them is a person who mistyped; together they are logins that come from nowhere, browse nothing
//! and fail far more often than logins do here.

use serde::{Deserialize, Serialize};

use crate::event::{Claim, Event, LogPosition};
use crate::features::Visit;
use crate::num;
use crate::sketch::{Bits, Rolling};
use crate::state::session::Session;
use throughline_session::wire::SessionId;

const WINDOW: i64 = 6 * 3600;
/// A burst stands out over an hour, a trickle only over the whole window.
const BURST: i64 = 3600;
/// Sessions remembered until there are enough to tell.
const MEMBERS_MAX: usize = 2048;
/// Fewer failures are no campaign.
const FAILED_MIN: f64 = 20.0;
/// The same among browsers, where it is known how people's browsers log in: after a page.
const FAILED_MIN_KNOWN: f64 = 5.0;
/// Failed share of a person's first logins where nothing is learnt yet.
const COLD_FAILED: f64 = 0.15;

/// A session that may be part of a campaign.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Member {
    pub(crate) session: SessionId,
    pub(crate) position: LogPosition,
    at_us: i64,
}

/// First logins since ever, by how they ended.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Ended {
    failed: u32,
    succeeded: u32,
}

impl Ended {
    fn add(&mut self, failed: bool) {
        let counter = if failed {
            &mut self.failed
        } else {
            &mut self.succeeded
        };
        *counter = counter.saturating_add(1);
    }
}

/// First logins over the last `SECONDS`, by how they ended.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Logins<const SECONDS: i64> {
    failed: Rolling<SECONDS>,
    succeeded: Rolling<SECONDS>,
}

impl<const SECONDS: i64> Logins<SECONDS> {
    fn add(&mut self, failed: bool, at_us: i64) {
        if failed {
            &mut self.failed
        } else {
            &mut self.succeeded
        }
        .add(at_us);
    }

    /// Failed and succeeded ones.
    fn counts(&self, now_us: i64) -> [f64; 2] {
        [self.failed.count(now_us), self.succeeded.count(now_us)]
    }
}

/// The same over both spans.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Tally {
    whole: Logins<WINDOW>,
    burst: Logins<BURST>,
}

impl Tally {
    fn add(&mut self, failed: bool, at_us: i64) {
        self.whole.add(failed, at_us);
        self.burst.add(failed, at_us);
    }

    /// Of the whole window, and of the last hour.
    fn counts(&self, now_us: i64) -> [[f64; 2]; 2] {
        [self.whole.counts(now_us), self.burst.counts(now_us)]
    }
}

/// First logins of sessions, lately and since ever.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Campaign {
    /// Of sessions that did something besides, since ever: people.
    people: Ended,
    /// The same over the last hour: where everybody fails, the application does.
    people_now: Logins<BURST>,
    /// Of sessions that only opened a page with its files, since ever: people or bots.
    openers: Ended,
    /// Of sessions that do nothing but log in: programs and applications, and browsers, whose
    /// people come to the login by way of a page.
    bare: [Tally; 2],
    /// Of those that open a page with its files before.
    opened: Tally,
    /// Networks, by the same two.
    sources: [Bits<16>; 2],
    sources_us: i64,
    members: Vec<Member>,
    next: usize,
    announced_us: i64,
}

impl Campaign {
    /// Whether a visit does nothing but log in: at most two other requests, no assets. Of one that
    /// a change of the policy cut in two nobody knows.
    pub(crate) fn is_bare(session: &Session) -> bool {
        let visit = &session.visit;
        let logins = visit.authentication.logins().attempts;
        !session.cut && logins > 0 && visit.authentication.others <= 2 && visit.assets.assets() == 0
    }

    /// Whether it opened a page with its files, tried to log in, and left: no further page, and
    /// none of the data that an application in a browser asks for. That it left can be told only
    /// after a while; records of other workers may also arrive late.
    pub(crate) fn came_and_left(session: &Session, now_us: i64) -> bool {
        const QUIET_US: i64 = 60 * 1_000_000;
        let left = now_us.saturating_sub(session.last_us) >= QUIET_US;
        left && !session.cut
            && session.visit.authentication.logins().attempts > 0
            && Self::only_opens(&session.visit)
    }

    /// Whether what came before may still come: as long as records were late lately.
    pub(crate) fn may_be_late(session: &Session, now_us: i64, late_us: i64) -> bool {
        const ORDINARY_US: i64 = 5 * 1_000_000;
        late_us > ORDINARY_US && now_us.saturating_sub(session.started_us) < late_us
    }

    fn only_opens(visit: &Visit) -> bool {
        let others = visit.authentication.others;
        visit.assets.assets() > 0 && others <= 1 && others <= visit.assets.pages
    }

    /// Learns from an answered login; the session has learnt from it already.
    /// `before` is the session that the login came from, where it gave the client another one.
    pub(crate) fn observe(&mut self, event: &Event, session: &Session, before: Option<&Session>) {
        let attempts = match before {
            Some(before) => before
                .visit
                .authentication
                .logins()
                .attempts
                .saturating_add(1),
            None => session.visit.authentication.logins().attempts,
        };
        let whole = before.unwrap_or(session);
        if attempts != 1 || whole.cut || !(event.login_failed() || event.login_succeeded()) {
            return;
        }
        let at = event.at_us;
        let failed = event.login_failed();
        let visit = &whole.visit;
        let browser = usize::from(event.claim == Claim::Browser);
        if visit.authentication.others <= 2 && visit.assets.assets() == 0 {
            if let Some(bare) = self.bare.get_mut(browser) {
                bare.add(failed, at);
            }
        } else if Self::only_opens(visit) {
            self.opened.add(failed, at);
            self.openers.add(failed);
        } else {
            self.people.add(failed);
            self.people_now.add(failed, at);
            return;
        }
        if !failed {
            return;
        }
        if at.saturating_sub(self.sources_us).abs() > 2 * WINDOW * 1_000_000 {
            self.sources = Default::default();
            self.sources_us = at;
        }
        if let Some(subnet) = event.subnet
            && let Some(sources) = self.sources.get_mut(browser)
        {
            sources.insert(crate::hash::bytes(5, &super::totals::octets(subnet)));
        }
        let member = Member {
            session: event.session,
            position: event.position,
            at_us: at,
        };
        match self.members.get_mut(self.next) {
            Some(old) => *old = member,
            None => self.members.push(member),
        }
        self.next = (self.next + 1) % MEMBERS_MAX;
    }

    /// The members so far, every minute of a campaign: they are judged again.
    pub(crate) fn announce(&mut self, now_us: i64) -> Option<Vec<Member>> {
        const AGAIN_US: i64 = 60 * 1_000_000;
        let soon = now_us.saturating_sub(self.announced_us).abs() < AGAIN_US;
        let on = |opened, browser| self.weigh(now_us, opened, browser).tells;
        if soon || !(on(false, false) || on(false, true) || on(true, true)) {
            return None;
        }
        self.announced_us = now_us;
        Some(self.members(now_us))
    }

    /// Sessions of the last window that failed, latest last.
    pub(crate) fn members(&self, now_us: i64) -> Vec<Member> {
        let since = now_us.saturating_sub(WINDOW * 1_000_000);
        let mut members: Vec<_> = self
            .members
            .iter()
            .filter(|member| member.at_us >= since)
            .copied()
            .collect();
        members.sort_unstable_by_key(|member| member.position);
        members
    }

    /// The latest few that failed, latest first: called for every vote, so it sorts nothing.
    pub(crate) fn latest(&self, now_us: i64) -> impl Iterator<Item = &Member> {
        let since = now_us.saturating_sub(WINDOW * 1_000_000);
        let (newer, older) = self.members.split_at(self.next.min(self.members.len()));
        let latest = newer.iter().rev().chain(older.iter().rev());
        latest.filter(move |member| member.at_us >= since)
    }

    /// How often people fail here. Those who only open a page count as people as long as nothing
    /// speaks against it: a session whose page is recorded late must not look like a bot's.
    pub(crate) fn usual(&self) -> (f64, bool) {
        Self::usual_of(Ended {
            failed: self.people.failed.saturating_add(self.openers.failed),
            succeeded: self.people.succeeded.saturating_add(self.openers.succeeded),
        })
    }

    fn usual_of(people: Ended) -> (f64, bool) {
        const WEIGHT: f64 = 50.0;
        let failed = f64::from(people.failed);
        let all = failed + f64::from(people.succeeded);
        let usual = (failed + WEIGHT * COLD_FAILED) / (all + WEIGHT);
        (usual.min(0.3), all >= WEIGHT)
    }

    /// How it stands for sessions that do nothing but log in, of browsers or of others, those that
    /// `opened` a page before included or not; over the last hour or the last six, whichever
    /// people's mistakes explain less.
    pub(crate) fn weigh(&self, now_us: i64, opened: bool, browser: bool) -> Weight {
        let at = usize::from(browser);
        let bare = self.bare.get(at).copied().unwrap_or_default();
        let [mut whole, mut burst] = bare.counts(now_us);
        if opened {
            let [also_whole, also_burst] = self.opened.counts(now_us);
            whole = [whole[0] + also_whole[0], whole[1] + also_whole[1]];
            burst = [burst[0] + also_burst[0], burst[1] + also_burst[1]];
        }
        let usual = if opened {
            Self::usual_of(self.people)
        } else {
            self.usual()
        };
        let known = browser && !opened && usual.1;
        let least = if known { FAILED_MIN_KNOWN } else { FAILED_MIN };
        let sources = self.sources.get(at).map_or(0.0, Bits::count);
        let weigh = |logins| Weight {
            sources,
            known,
            ..Weight::of(logins, usual, least)
        };
        let (whole, burst) = (weigh(whole), weigh(burst));
        let chosen = if burst.tells && burst.guilty > whole.guilty {
            burst
        } else {
            whole
        };
        Weight {
            tells: chosen.tells && !self.is_down(now_us),
            ..chosen
        }
    }

    /// Whether those who browse fail as well: a login that is out of order is no campaign.
    pub(crate) fn is_down(&self, now_us: i64) -> bool {
        let [failed, succeeded] = self.people_now.counts(now_us);
        failed >= 5.0 && failed > succeeded
    }
}

/// The logins of sessions that do nothing else, over the last hours.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Weight {
    /// Whether there are enough failures, and enough more than people have.
    pub(crate) tells: bool,
    /// Networks that the failures came from.
    pub(crate) sources: f64,
    pub(crate) learnt: bool,
    /// It is known here that people's browsers come by way of a page.
    pub(crate) known: bool,
    /// The share of failures that people's mistakes do not explain.
    pub(crate) guilty: f64,
}

impl Weight {
    fn of([failed, succeeded]: [f64; 2], (usual, learnt): (f64, bool), least: f64) -> Self {
        // One more success than there was: few failures must not look surer than they are.
        let honest = (succeeded + 1.0) * usual / (1.0 - usual);
        let share = num::share(failed, failed + succeeded).unwrap_or(0.0);
        Self {
            tells: failed >= least && share >= (3.0 * usual).clamp(0.5, 0.75),
            sources: 0.0,
            learnt,
            known: false,
            guilty: num::share(failed - honest, failed).unwrap_or(0.0).max(0.0),
        }
    }
}
