//! features → votes: each file judges one kind of behaviour.
//!
//! A detector is one file and one line in `detectors!`. It never sees a clock or a store, only the
//! [`View`]; it says [`Judgement::NotEnough`] rather than guess.

use throughline_session::shape::mark;

use crate::event::{Claim, LogPosition};
use crate::features::View;

const COOKIE: u32 = mark("cookie");
const AUTHORIZATION: u32 = mark("authorization");

/// What kind of bot a vote speaks of.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum BotType {
    /// Something no honest client does, of no more specific kind.
    SuspiciousActivity,
    /// Trying to get into, or using, accounts of others.
    AccountTakeover,
    /// Looking for holes.
    SecurityCrawler,
    /// Carrying off what the application holds.
    Scraping,
    /// Using up what the application runs on.
    ResourceConsumption,
}

/// What a vote may do by itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Weight {
    /// Shows abuse: enough for a verdict, at most with this confidence.
    Abuse(f64),
    /// Shows a machine. Honest clients of an API are machines, so it only supports other votes.
    Machine(f64),
}

/// Where a limit comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitFrom {
    /// The value written in the detector: the application is not known well enough.
    ColdStart,
    /// What this application is used to.
    Learnt,
    /// The application's profile.
    Profile,
}

/// Everything to be known about a detector; the reference pages are made of it.
#[derive(Debug, Clone, Copy)]
pub struct About {
    /// The file's name.
    pub name: &'static str,
    /// One sentence.
    pub summary: &'static str,
    /// What kind of bot it finds.
    pub bot_type: BotType,
    /// What its vote may do.
    pub weight: Weight,
    /// What its value counts.
    pub unit: &'static str,
    /// Over which stretch.
    pub window: &'static str,
    /// The limit where nothing is learnt.
    pub limit: f64,
    /// Whether low values are the suspicious ones.
    pub below: bool,
    /// How much of the limit honest clients may use up in a visit: where several visits are judged
    /// as one, the limit grows by this share with each further one.
    pub adds_up: f64,
    /// What it needs before it says anything.
    pub enough: &'static str,
    /// Why the limit is where it is, and how it is learnt.
    pub why: &'static str,
    /// Whom it gets wrong, and whom it misses.
    pub fails: &'static str,
    /// How to tune it.
    pub tune: &'static str,
}

/// A value held against its limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Finding {
    /// What was measured.
    pub value: f64,
    /// The limit that applies here.
    pub limit: f64,
    /// Where it comes from.
    pub from: LimitFrom,
    /// How sure the finding can be at best, for this case: 1 unless the detector knows better.
    pub certainty: f64,
}

/// What a detector says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Judgement {
    /// Not enough evidence to judge.
    NotEnough,
    /// Measured; a vote when the value is past its limit.
    Measured(Finding),
}

/// The limits of one application: a factor of its profile on each detector's limit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// The profile's own limit, in place of the cold-start value and the learnt one.
    pub(crate) fixed: Option<f64>,
    /// Visits that are judged as one.
    pub(crate) visits: f64,
}

impl Limits {
    /// The limit that applies: the profile's, the learnt one, or the detector's own.
    pub(crate) fn choose(self, about: &About, learnt: Option<f64>) -> (f64, LimitFrom) {
        let (limit, from) = match (self.fixed, learnt) {
            (Some(fixed), _) => (fixed, LimitFrom::Profile),
            (None, Some(learnt)) => (learnt, LimitFrom::Learnt),
            (None, None) => (about.limit, LimitFrom::ColdStart),
        };
        let growth = about.adds_up.mul_add(self.visits - 1.0, 1.0);
        (limit * growth, from)
    }
}

/// Judges one kind of behaviour.
pub(crate) trait Detector: Sync {
    /// All there is to know about it.
    fn about(&self) -> &'static About;
    /// Measures; called for nearly every record, so it only reads numbers.
    fn examine(&self, view: &View<'_>, limits: Limits) -> Judgement;
    /// The requests that show it, oldest first; called when a vote is cast.
    fn records(&self, view: &View<'_>) -> Vec<LogPosition>;
    /// The endpoint it happened at, where it is one.
    fn endpoint(&self, _view: &View<'_>) -> Option<u32> {
        None
    }
}

impl Judgement {
    /// A measured value.
    pub(crate) fn of(value: f64, (limit, from): (f64, LimitFrom)) -> Self {
        Self::Measured(Finding {
            value,
            limit,
            from,
            certainty: 1.0,
        })
    }

    /// The same, never surer than this.
    pub(crate) fn at_most(self, certainty: f64) -> Self {
        match self {
            Self::Measured(finding) => Self::Measured(Finding {
                certainty,
                ..finding
            }),
            Self::NotEnough => self,
        }
    }
}

impl Finding {
    /// How far past the limit: 1 at it.
    #[must_use]
    pub fn excess(&self, about: &About) -> f64 {
        let (value, limit) = (self.value.max(0.0), self.limit.max(1e-6));
        if about.below {
            limit / value.max(1e-3)
        } else {
            value / limit
        }
    }

    /// Whether it is a vote.
    #[must_use]
    pub fn is_vote(&self, about: &About) -> bool {
        self.excess(about) >= 1.0
    }

    /// How strongly it speaks, 0 to 1: .85 at the limit, .98 at twice the limit, little below.
    #[must_use]
    pub fn strength(&self, about: &About) -> f64 {
        let excess = self.excess(about);
        let strength = if excess >= 1.0 {
            1.0 - 0.15 * (-2.0 * (excess - 1.0)).exp()
        } else {
            0.8 * excess.powi(3)
        };
        strength * self.certainty
    }
}

/// How much more than others a client may take before it is too much: a browser that fetches assets a
/// third more, a program with its own key at one address six times as much. A browser's key is no
/// merit: every visitor gets a cookie.
pub(crate) fn room(view: &View<'_>) -> f64 {
    let visit = &view.visit;
    let assets = crate::num::share(visit.assets.assets(), visit.volume.requests);
    if assets.unwrap_or(0.0) >= 0.3 {
        1.33
    } else if works_for_somebody(view) {
        6.0
    } else {
        1.0
    }
}

/// Whether it is a program that brings a key of its own and does not claim to be a browser. A
/// cookie alone is no key of its own: every visitor is given one.
pub(crate) fn says_who_it_is(view: &View<'_>) -> bool {
    let marks = view.visit.identity.marks.unwrap_or(0);
    let given = marks & COOKIE != 0 && marks & AUTHORIZATION == 0 && view.session.owner.is_none();
    view.session.keyed && !given && view.visit.identity.claim != Claim::Browser
}

/// The same at one address, as jobs are that somebody has set up.
pub(crate) fn works_for_somebody(view: &View<'_>) -> bool {
    says_who_it_is(view) && view.visit.identity.addresses.count() < 2.5
}

/// How sure a detector can be of a polite crawler: shown at sensitivity high, reacted to at none
/// below.
pub(crate) const POLITE: f64 = 0.6;

/// A crawler that says so, asked for robots.txt first, misses hardly anything and leaves a second
/// between requests: what a search engine does. Anyone can do that, so it clears nobody.
pub(crate) fn is_polite(view: &View<'_>) -> bool {
    let visit = &view.visit;
    let missed = crate::num::share(visit.statuses.misses, visit.volume.requests).unwrap_or(0.0);
    visit.identity.claim == Claim::Crawler
        && visit.assets.robots > 0
        && missed < 0.05
        && visit.volume.minute_most <= 60
}

macro_rules! detectors {
    ($($module:ident: $detector:ident),* $(,)?) => {
        $(mod $module;)*

        /// All detectors; the index of one is its bit in masks.
        pub(crate) const ALL: &[&dyn Detector] = &[$(&$module::$detector),*];
    };
}

detectors! {
    credential_stuffing: CredentialStuffing,
    low_and_slow_stuffing: LowAndSlowStuffing,
    authentication_abuse: AuthenticationAbuse,
    enumeration: Enumeration,
    guessing: Guessing,
    scanning: Scanning,
    scraping: Scraping,
    interval_regularity: IntervalRegularity,
    user_agent_mismatch: UserAgentMismatch,
    browserless: Browserless,
    bad_user_agent: BadUserAgent,
    address_rotation: AddressRotation,
    request_rate: RequestRate,
    outdated_browser: OutdatedBrowser,
    request_uniqueness: RequestUniqueness,
    query_abuse: QueryAbuse,
    wide_scope: WideScope,
    unusual_sequence: UnusualSequence,
    session_rotation: SessionRotation,
    account_takeover: AccountTakeover,
    response_time_anomaly: ResponseTimeAnomaly,
    request_consumption: RequestConsumption,
    response_consumption: ResponseConsumption,
}

/// What there is to know about each detector, in order.
pub fn abouts() -> impl Iterator<Item = &'static About> {
    ALL.iter().map(|detector| detector.about())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_registered() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/detectors");
        let mut files: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|file| {
                file.unwrap()
                    .path()
                    .file_stem()
                    .unwrap()
                    .display()
                    .to_string()
            })
            .filter(|name| name != "mod")
            .collect();
        files.sort();
        let mut registered: Vec<_> = abouts().map(|about| about.name).collect();
        registered.sort_unstable();
        assert_eq!(files, registered);
    }

    #[test]
    fn strength_grows_with_the_excess() {
        let about = ALL[0].about();
        let strength = |value| {
            let finding = Finding {
                value,
                limit: 10.0,
                from: LimitFrom::ColdStart,
                certainty: 1.0,
            };
            finding.strength(about)
        };
        assert!(strength(5.0) < 0.15 && strength(9.9) < 0.8);
        assert!(strength(10.0) >= 0.849 && strength(20.0) > 0.97 && strength(1e9) <= 1.0);
    }
}
