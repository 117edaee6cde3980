//! Stored records, judged again: whom one way of judging or grouping flags.

use std::collections::BTreeMap;

use serde::Serialize;
use throughline_detection::Settings;
use throughline_session::wire::Record;
use utoipa::ToSchema;

use super::{Event, Judge, Place, Profiles, Ruling, reason};

/// A subject that is flagged.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Flagged {
    /// The verdict's id.
    pub id: String,
    /// `session`, `user` or `source`.
    pub subject_kind: String,
    /// Whom: a session id, a user's name, an address or a network.
    pub subject: String,
    /// Where.
    pub application: String,
    /// What kind of bot, when it was surest.
    pub bot_type: String,
    /// How sure at most, 0 to 1.
    pub confidence: f64,
    /// `unknown`, `known_machine` or `good_bot`, when it was surest.
    pub class: String,
    /// The strongest evidence in one sentence.
    pub reason: String,
}

/// A judge, and whom it has flagged so far.
#[derive(Debug)]
pub struct Side {
    judge: Judge,
    flagged: BTreeMap<String, Flagged>,
    events: Vec<Event>,
}

impl Side {
    /// Knows nothing yet, begins at the log position `start`, and judges by `profiles`.
    #[must_use]
    pub fn new(settings: Settings, start: u64, profiles: Profiles) -> Self {
        let mut judge = Judge::new(settings, start);
        judge.rule(&Ruling::Profiles(profiles));
        Self {
            judge,
            flagged: BTreeMap::new(),
            events: Vec::new(),
        }
    }

    /// Takes a ruling in the place that it has among the records.
    pub fn learn(&mut self, ruling: &Ruling) {
        self.judge.rule(ruling);
    }

    /// Takes the next record.
    pub fn take(&mut self, record: &Record<'_>, place: Place) {
        self.judge.record(record, place, &mut self.events);
        for event in self.events.drain(..).filter(|event| event.flagged) {
            let before = self.flagged.get(&event.id);
            if before.is_none_or(|before| event.confidence > before.confidence) {
                self.flagged.insert(event.id.clone(), flagged(event));
            }
        }
    }

    /// Whom it has flagged, by the verdict's id.
    #[must_use]
    pub fn flagged(self) -> BTreeMap<String, Flagged> {
        self.flagged
    }
}

fn flagged(event: Event) -> Flagged {
    Flagged {
        reason: event.votes.first().map(reason).unwrap_or_default(),
        id: event.id,
        subject_kind: event.subject_kind.to_owned(),
        subject: event.subject,
        application: event.application,
        bot_type: event.bot_type,
        confidence: event.confidence,
        class: event.class,
    }
}
