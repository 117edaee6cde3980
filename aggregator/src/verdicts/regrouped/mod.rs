//! A candidate's grouping → verdicts gained, lost and kept, over the same records.
//!
//! The sampled clients' records are judged twice by the same code and profiles: with the sessions
//! that they have, and with those that the candidate makes of them. Sessions differ between the two,
//! clients (address and user agent) do not: they are what is counted.

mod members;
mod report;

use std::collections::{BTreeMap, BTreeSet};

use throughline_detection::Settings;
use throughline_session::wire::Record;

use self::members::{Members, Part};
pub use self::report::{
    Counts, Example, ExampleClient, NewlyCaught, Regrouped, Standing, TypeChange,
};
use super::{Flagged, Label, Place, Profiles, Ruling, Side};

/// Live sessions of each side; those beyond are forgotten, the least used first.
const SESSIONS_MAX: usize = 20_000;
/// Live addresses of each side.
const SOURCES_MAX: usize = 10_000;

/// A record of a sampled client.
#[derive(Debug, Clone)]
pub struct Tried {
    /// Where it stands in the log.
    pub place: Place,
    /// Whose it is: a hash of address and user agent.
    pub client: u64,
    /// As it is.
    pub now: Record<'static>,
    /// With the session, links and application that the candidate makes of it. Users stay those
    /// that the active policy names.
    pub then: Record<'static>,
}

/// What people said of verdicts, by their ids; the last word counts.
pub type Labels = BTreeMap<String, Label>;

/// Both sides, while records come.
#[derive(Debug)]
pub struct Regrouping {
    now: Side,
    then: Side,
    members: Members,
}

impl Regrouping {
    /// Nothing is known yet; the records begin at the log position `start`.
    #[must_use]
    pub fn new(start: u64, profiles: Profiles) -> Self {
        let settings = Settings {
            sessions_max: SESSIONS_MAX,
            sources_max: SOURCES_MAX,
            ..Settings::default()
        };
        Self {
            now: Side::new(settings.clone(), start, profiles.clone()),
            then: Side::new(settings, start, profiles),
            members: Members::default(),
        }
    }

    /// Takes which crawlers were confirmed, on both sides.
    pub fn confirm(&mut self, crawlers: &[(u64, Ruling)]) {
        for (_, ruling) in crawlers {
            self.now.learn(ruling);
            self.then.learn(ruling);
        }
    }

    /// Takes the next record in log order.
    pub fn take(&mut self, tried: &Tried) {
        self.now.take(&tried.now, tried.place);
        self.then.take(&tried.then, tried.place);
        self.members.add(tried);
    }

    /// What differs. A verdict that somebody called wrong counts on neither side, as its subject has
    /// no other.
    #[must_use]
    pub fn finish(self, labels: &Labels) -> Regrouped {
        let (now, wrong) = without_wrong(self.now.flagged(), labels);
        let (then, _) = without_wrong(self.then.flagged(), labels);
        let members = &self.members;
        let mut said_wrong =
            members.clients_of_sessions(labels.iter().filter_map(|(id, label)| {
                (*label == Label::Wrong).then(|| id.strip_prefix("session-"))?
            }));
        for flagged in &wrong {
            said_wrong.extend(members.clients(Part::Now, flagged));
        }
        let confirmed = now
            .iter()
            .filter(|it| labels.get(&it.id) == Some(&Label::Confirmed))
            .flat_map(|it| members.clients(Part::Now, it))
            .collect();
        report::report(
            members,
            &report::Caught::of(members, Part::Now, &now),
            &report::Caught::of(members, Part::Then, &then),
            &report::Said {
                wrong: said_wrong,
                confirmed,
            },
        )
    }
}

/// The flagged subjects of which nobody said that they are no bots, and the others.
fn without_wrong(
    flagged: BTreeMap<String, Flagged>,
    labels: &Labels,
) -> (Vec<Flagged>, Vec<Flagged>) {
    let is_wrong = |it: &Flagged| labels.get(&it.id) == Some(&Label::Wrong);
    flagged.into_values().partition(|it| !is_wrong(it))
}

type Clients = BTreeSet<u64>;
