//! people → log: what they decide about detection has its place among the records.

use serde::{Deserialize, Serialize};
use throughline_session::hex::Hex;

use crate::log::{Batch, Room, WorkerKey};
use crate::policy::detection::DetectionProfile;

/// How the line of a ruling begins; a batch begins with `{"throughline"`.
const BEGINS: &[u8] = br#"{"ruling":"#;

/// Something that people decided.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "ruling", rename_all = "snake_case")]
pub enum Ruling {
    /// How applications are watched from here on.
    Profiles(Profiles),
    /// What somebody says of a verdict.
    Label(Labelling),
}

/// The profiles of a version of the policy.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Profiles {
    /// The version; absent while there is no policy.
    pub policy_version: Option<String>,
    /// The first that names an application holds for it.
    pub profiles: Vec<DetectionProfile>,
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

    #[test]
    fn comes_out_of_the_log_as_it_went_in() {
        for ruling in [
            Ruling::Profiles(Profiles::default()),
            Ruling::Label(Labelling {
                id: "session-7".into(),
                label: Some(Label::Wrong),
                note: "our monitoring".into(),
                author: "ann".into(),
                at_us: 3,
            }),
        ] {
            let body = ruling.batch(1, Budget::new(0).room()).body;
            assert_eq!(Ruling::read(&body), Some(ruling));
        }
        assert_eq!(Ruling::read(b"{\"throughline\":1}"), None);
    }
}
