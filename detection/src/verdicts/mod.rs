//! votes → verdicts: one bot type, one confidence, and everything that led to them.
//!
//! Votes that show abuse add up as independent evidence does. Votes that only show a machine
//! make abuse more credible and never a verdict of their own: honest clients of an API are
//! machines.

mod calibration;
mod judge;
mod profile;

use serde::{Deserialize, Serialize};
use throughline_session::wire::SessionId;

pub use crate::detectors::{BotType, LimitFrom};
use crate::event::LogPosition;
pub use calibration::score;
pub(crate) use judge::{Judged, class, judge, judgements, votes};
pub(crate) use profile::Watch;
pub use profile::{Exception, Network, Profile};

/// How long a verdict holds, microseconds: a day. A session that goes on is judged anew after half
/// of that.
pub const HOLDS_US: i64 = 24 * 3600 * 1_000_000;

/// How much doubt an application accepts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sensitivity {
    /// Only what several votes or one far past its limit show: confidence .95. Meant for
    /// blocking; at most one honest client in a thousand is to be hit.
    Low,
    /// What one vote of a detector of abuse shows: confidence .80. Meant for throttling and
    /// alerts; at most one honest client in five hundred.
    #[default]
    Medium,
    /// Also what is more likely than not: confidence .50. Meant for looking at.
    High,
}

impl Sensitivity {
    /// The least confidence that it flags.
    #[must_use]
    pub fn confidence_min(self) -> f64 {
        match self {
            Self::Low => 0.95,
            Self::Medium => 0.80,
            Self::High => 0.50,
        }
    }

    /// The least sensitivity that flags this confidence.
    #[must_use]
    pub fn flagging(confidence: f64) -> Option<Self> {
        [Self::Low, Self::Medium, Self::High]
            .into_iter()
            .find(|sensitivity| confidence >= sensitivity.confidence_min())
    }
}

/// What a client is when it is no bad bot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Nothing is known.
    #[default]
    Unknown,
    /// Brings its own key, keeps to a few endpoints and one address, fails rarely, and has done so
    /// for an hour and sixty requests.
    KnownMachine,
    /// From a network that the profile names as a good bot's, or an address confirmed to lie in a
    /// domain that it names (verified by whoever fills it in:
    /// forward-confirmed reverse DNS or a published range; never a user agent).
    GoodBot,
}

/// Whether an application is known well enough for learnt limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Knowledge {
    /// Cold-start limits hold.
    Learning,
    /// At least 100 sessions remembered of 200 seen, over six hours.
    Ready,
}

/// One detector's evidence.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Vote {
    /// Which detector.
    pub detector: &'static str,
    /// What kind of bot it speaks of.
    pub bot_type: BotType,
    /// What was measured, in `unit`.
    pub value: f64,
    /// The limit it is past.
    pub limit: f64,
    /// Where the limit comes from.
    pub limit_from: LimitFrom,
    /// What the value counts.
    pub unit: &'static str,
    /// Over which stretch.
    pub window: &'static str,
    /// How strongly it speaks, 0 to 1.
    pub strength: f64,
    /// The endpoint's template, where it happened at one.
    pub endpoint: Option<String>,
    /// The requests that show it, oldest first, at most ten.
    pub records: Vec<LogPosition>,
}

/// Whom a verdict is about.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", content = "of", rename_all = "snake_case")]
pub enum Subject {
    /// The session.
    Session,
    /// The user that the session belongs to, by name. Where anyone can claim to be that user, only
    /// exchanges that the upstream accepted led to it.
    User(String),
    /// The place that the session's requests come from.
    Source {
        /// An address (32 or 128 bits) or its network (/24 or /64).
        network: Network,
        /// Sessions from there that were flagged lately (a day at most).
        flagged: u32,
        /// All sessions from there in the same time.
        sessions: u32,
    },
}

/// What is held against a session, a user or a source.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verdict {
    /// Whom.
    pub subject: Subject,
    /// The session whose request led to it.
    pub session: SessionId,
    /// Where.
    pub application: String,
    /// What.
    pub bot_type: BotType,
    /// How sure, 0 to 1.
    pub confidence: f64,
    /// The least sensitivity that flags it.
    pub sensitivity: Sensitivity,
    /// Whether the application's own sensitivity flags it.
    pub flagged: bool,
    /// Whether limits were learnt.
    pub knowledge: Knowledge,
    /// What else the client is known as.
    pub class: Class,
    /// Time of the record that led to it, microseconds since the Unix epoch.
    pub at_us: i64,
    /// That record.
    pub position: LogPosition,
    /// Requests of the visit until then.
    pub requests: u32,
    /// Evidence, strongest first.
    pub votes: Vec<Vote>,
}

/// How a session stands: what was said of it last.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Standing {
    /// Thousandths.
    pub(crate) confidence: u16,
    pub(crate) sensitivity: Option<Sensitivity>,
    pub(crate) bot_type: Option<BotType>,
    /// When it was said, microseconds since the Unix epoch.
    pub(crate) at_us: i64,
}

impl Knowledge {
    pub(crate) fn of(ready: bool) -> Self {
        if ready { Self::Ready } else { Self::Learning }
    }
}

impl Standing {
    /// Whether this has been said already, at least as surely, and still holds for a while.
    pub(crate) fn covers(self, sensitivity: Sensitivity, now_us: i64) -> bool {
        let as_sure = self.sensitivity.is_some_and(|said| said <= sensitivity);
        as_sure && now_us.saturating_sub(self.at_us) < HOLDS_US / 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_is_said_again_when_surer_or_half_expired() {
        let standing = Standing {
            sensitivity: Some(Sensitivity::Medium),
            at_us: 10,
            ..Standing::default()
        };
        assert!(standing.covers(Sensitivity::Medium, 20) && standing.covers(Sensitivity::High, 20));
        assert!(!standing.covers(Sensitivity::Low, 20));
        assert!(!standing.covers(Sensitivity::Medium, 10 + HOLDS_US / 2));
        assert!(!Standing::default().covers(Sensitivity::High, 20));
    }

    #[test]
    fn sensitivities_are_nested() {
        for (confidence, expected) in [
            (0.49, None),
            (0.5, Some(Sensitivity::High)),
            (0.8, Some(Sensitivity::Medium)),
            (0.96, Some(Sensitivity::Low)),
        ] {
            assert_eq!(Sensitivity::flagging(confidence), expected);
        }
    }
}
