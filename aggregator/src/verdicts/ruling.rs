//! people → log: what they decide about detection and visits has its place among the records; so
//! has what DNS was asked.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use throughline_session::hex::Hex;

use crate::crawlers::Confirmation;
use crate::log::{Batch, Room, WorkerKey};
use crate::policy::detection::DetectionProfile;
use crate::sessions::VisitRules;

/// How the line of a ruling begins; a batch begins with `{"throughline"`.
const BEGINS: &[u8] = br#"{"ruling":"#;

/// Something that people decided, or that was looked up for them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "ruling", rename_all = "snake_case")]
pub enum Ruling {
    /// How applications are watched, and when their visits end, from here on.
    Profiles(Profiles),
    /// What somebody says of a verdict.
    Label(Labelling),
    /// An address is a crawler's, from here on.
    Crawler(Confirmation),
}

/// What a version of the policy says of detection and of visits.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Profiles {
    /// The version; absent while there is no policy.
    pub policy_version: Option<String>,
    /// The first that names an application holds for it.
    pub profiles: Vec<DetectionProfile>,
    /// When visits end, from here on.
    #[serde(default, skip_serializing_if = "VisitRules::is_empty")]
    pub visits: VisitRules,
}

/// What the store keeps of a version of the policy, as JSON.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Kept<'a> {
    /// Where nothing is said of visits: the array of the policy.
    Profiles(Cow<'a, [DetectionProfile]>),
    Both {
        profiles: Cow<'a, [DetectionProfile]>,
        visits: Cow<'a, VisitRules>,
    },
}

impl Profiles {
    /// As the store keeps it.
    #[must_use]
    pub fn to_text(&self) -> String {
        let profiles = Cow::Borrowed(&*self.profiles);
        let kept = if self.visits.is_empty() {
            Kept::Profiles(profiles)
        } else {
            let visits = Cow::Borrowed(&self.visits);
            Kept::Both { profiles, visits }
        };
        serde_json::to_string(&kept).unwrap_or_default()
    }

    /// Out of the store.
    #[must_use]
    pub fn of_text(policy_version: Option<String>, text: &str) -> Self {
        let (profiles, visits) = match serde_json::from_str(text) {
            Ok(Kept::Profiles(profiles)) => (profiles.into_owned(), VisitRules::default()),
            Ok(Kept::Both { profiles, visits }) => (profiles.into_owned(), visits.into_owned()),
            Err(error) => {
                tracing::error!(%error, ?policy_version, "what the store has of a policy is unreadable");
                Default::default()
            }
        };
        Self {
            policy_version,
            profiles,
            visits,
        }
    }
}

/// What somebody says of a verdict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Labelling {
    /// The verdict's id.
    pub id: String,
    /// What about it; absent: the label before is taken back.
    pub label: Option<Label>,
    /// Why.
    pub note: String,
    /// Who, as they call themselves.
    pub author: String,
    /// Microseconds since the Unix epoch.
    pub at_us: i64,
}

/// What somebody says of a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Label {
    /// No bot: the verdict is withdrawn, and there will be no other on this session.
    Wrong,
    /// A bot, as the verdict says.
    Confirmed,
}

impl Label {
    /// Its word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Wrong => "wrong",
            Self::Confirmed => "confirmed",
        }
    }
}

impl Ruling {
    /// Reads a ruling out of the log; `None` when it is a batch.
    #[must_use]
    pub fn read(body: &[u8]) -> Option<Self> {
        if !body.starts_with(BEGINS) {
            return None;
        }
        let read = serde_json::from_slice(body);
        read.inspect_err(|error| tracing::error!(%error, "a ruling in the log is unreadable"))
            .ok()
    }

    /// As the log takes it.
    #[must_use]
    pub fn batch(&self, arrived_us: i64, room: Room) -> Batch {
        Batch {
            // No filter has this name; without a sequence it is never remembered.
            source: WorkerKey {
                boot: Hex([0; 8]),
                worker: u32::MAX,
            },
            sequence: None,
            arrived_us,
            body: serde_json::to_vec(self).unwrap_or_default(),
            room,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Budget;
    use crate::sessions::VisitRule;

    #[test]
    fn comes_out_of_the_log_as_it_went_in() {
        let visits = VisitRules {
            others: VisitRule {
                idle_us: Some(7),
                longest_us: None,
            },
            ..VisitRules::default()
        };
        let profiles = Profiles {
            visits,
            ..Profiles::default()
        };
        for known in [&profiles, &Profiles::default()] {
            assert_eq!(Profiles::of_text(None, &known.to_text()), *known);
        }
        // As versions before this one wrote it.
        assert_eq!(Profiles::default().to_text(), "[]");
        for ruling in [
            Ruling::Profiles(Profiles::default()),
            Ruling::Profiles(profiles),
            Ruling::Label(Labelling {
                id: "session-7".into(),
                label: Some(Label::Wrong),
                note: "our monitoring".into(),
                author: "ann".into(),
                at_us: 3,
            }),
            Ruling::Crawler(Confirmation {
                address: [66, 249, 66, 1].into(),
                domain: "googlebot.com".into(),
                at_us: 4,
            }),
        ] {
            let body = ruling.batch(1, Budget::new(0).room()).body;
            assert_eq!(Ruling::read(&body), Some(ruling));
        }
        assert_eq!(Ruling::read(b"{\"throughline\":1}"), None);
    }
}
