//! what detection said + the truth → how sure it was of each true client, and after how many requests.
//!
//! The rule of `examples/stage/src/score.rs`: a verdict hits a client when one of the client's requests
//! belongs to what it names. To the session, whenever; to the user or the source, within the time that
//! a verdict holds. The same for bots, where a hit is a catch, and for honest clients, where it is wrong.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::net::IpAddr;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use stage::truth::Truth;
use throughline_detection::verdicts::{HOLDS_US, Network, Subject};
use throughline_session::wire::SessionId;

use crate::listen::{Heard, Said};

/// From here on detection was as sure as this.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// 0 to 1.
    pub confidence: f64,
    /// Requests of the client until then.
    pub after_requests: u32,
    /// The strongest detector.
    pub detector: Cow<'static, str>,
    /// `session`, `user` or `source`.
    pub names: Cow<'static, str>,
}

/// Rising confidence in one client; empty where nothing was ever said.
pub type Steps = Vec<Step>;

/// By client of the truth.
///
/// # Errors
/// When there is a record that nobody sent, or a request without a record.
pub fn score(heard: &Heard, truth: &Truth) -> anyhow::Result<Vec<Steps>> {
    let index = Index::of(heard, truth)?;
    let mut all: Vec<Steps> = truth.clients.iter().map(|_| Steps::new()).collect();
    for said in &heard.said {
        for client in index.named(said) {
            let (Some(steps), Some(records)) = (all.get_mut(client), index.records.get(client))
            else {
                continue;
            };
            if steps
                .last()
                .is_some_and(|it| it.confidence >= said.confidence)
            {
                continue;
            }
            let until = records.partition_point(|at| *at <= said.record);
            steps.push(Step {
                confidence: said.confidence,
                after_requests: u32::try_from(until).unwrap_or(u32::MAX),
                detector: said.detector.into(),
                names: match said.subject {
                    Subject::Session => "session".into(),
                    Subject::User(_) => "user".into(),
                    Subject::Source { .. } => "source".into(),
                },
            });
        }
    }
    Ok(all)
}

/// Client of each record, in the order of the log.
///
/// # Errors
/// See [`score`].
pub fn clients(heard: &Heard, truth: &Truth) -> anyhow::Result<Vec<usize>> {
    anyhow::ensure!(
        heard.records.len() == truth.requests(),
        "{} requests were sent and {} recorded",
        truth.requests(),
        heard.records.len()
    );
    let client = |id: &str| {
        let client = truth.client_of(id);
        client.with_context(|| format!("nobody sent {id}"))
    };
    let records = heard.records.iter();
    records.map(|record| client(&record.request_id)).collect()
}

/// When a client was somewhere.
type Visits = Vec<(i64, usize)>;

/// Who belongs to what a verdict may name.
#[derive(Default)]
struct Index {
    /// Records by client.
    records: Vec<Vec<usize>>,
    sessions: HashMap<SessionId, BTreeSet<usize>>,
    addresses: HashMap<IpAddr, Visits>,
    users: HashMap<Box<str>, Visits>,
}

impl Index {
    fn of(heard: &Heard, truth: &Truth) -> anyhow::Result<Self> {
        let clients = clients(heard, truth)?;
        let mut index = Self {
            records: truth.clients.iter().map(|_| Vec::new()).collect(),
            ..Self::default()
        };
        // All requests of a session are its user's.
        let mut owners = HashMap::<SessionId, HashSet<&str>>::new();
        for record in &heard.records {
            if let Some(user) = record.user.as_deref() {
                owners.entry(record.session).or_default().insert(user);
            }
        }
        for (number, (record, client)) in heard.records.iter().zip(clients).enumerate() {
            if let Some(records) = index.records.get_mut(client) {
                records.push(number);
            }
            for session in [record.session, record.request_session] {
                index.sessions.entry(session).or_default().insert(client);
            }
            let visit = (record.start_us, client);
            if let Some(address) = record.address {
                index.addresses.entry(address).or_default().push(visit);
            }
            for user in owners.get(&record.session).into_iter().flatten() {
                index.users.entry((*user).into()).or_default().push(visit);
            }
        }
        Ok(index)
    }

    fn named(&self, said: &Said) -> BTreeSet<usize> {
        let lately = |visits: &Visits| -> BTreeSet<usize> {
            let near = |at: i64| at.abs_diff(said.at_us) <= HOLDS_US.unsigned_abs();
            let visits = visits.iter().filter(|(at, _)| near(*at));
            visits.map(|(_, client)| *client).collect()
        };
        match &said.subject {
            Subject::Session => self.sessions.get(&said.session).cloned(),
            Subject::User(user) => self.users.get(&**user).map(lately),
            Subject::Source { network, .. } => Some(self.from(*network, lately)),
        }
        .unwrap_or_default()
    }

    fn from(
        &self,
        network: Network,
        lately: impl Fn(&Visits) -> BTreeSet<usize>,
    ) -> BTreeSet<usize> {
        let addresses = self.addresses.iter();
        let inside = addresses.filter(|(address, _)| network.contains(**address));
        inside.flat_map(|(_, visits)| lately(visits)).collect()
    }
}

/// The first step that is sure enough.
#[must_use]
pub fn hit(steps: &Steps, threshold: f64) -> Option<&Step> {
    steps.iter().find(|step| step.confidence >= threshold)
}

/// The highest confidence.
#[must_use]
pub fn surest(steps: &Steps) -> f64 {
    steps.last().map_or(0.0, |step| step.confidence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_step_past_the_threshold_counts() {
        let step = |confidence, after_requests| Step {
            confidence,
            after_requests,
            detector: "".into(),
            names: "session".into(),
        };
        let steps = vec![step(0.6, 3), step(0.9, 8), step(0.99, 20)];
        let after = |threshold| hit(&steps, threshold).map(|it| it.after_requests);
        assert_eq!(
            [after(0.5), after(0.8), after(0.9), after(0.995)],
            [Some(3), Some(8), Some(8), None]
        );
        assert_eq!((surest(&steps), surest(&Steps::new())), (0.99, 0.0));
    }
}
