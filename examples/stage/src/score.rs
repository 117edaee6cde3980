//! what detection said + the truth → an outcome per true client.
//!
//! A verdict hits a client when one of the client's requests belongs to what it names: to the
//! session, whenever; to the user or the source, as long before or after as a verdict holds. The
//! same rule for bots, where a hit is a catch, and for honest clients, where it is wrong. So a
//! verdict on an address counts against every person behind it.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use anyhow::Context as _;
use serde::Serialize;
use throughline_detection::verdicts::{BotType, HOLDS_US, Network, Sensitivity, Subject};
use throughline_session::wire::SessionId;

use crate::truth::{Client, Truth};
use crate::watch::{Said, Watched};

/// Sessions of a client that a model learns from.
const ROWS_MAX: usize = 8;

/// How one true client fared.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    /// Of the run.
    pub seed: u64,
    /// Who it was.
    #[serde(flatten)]
    pub client: Client,
    /// Requests it sent.
    pub requests: usize,
    /// Sessions it had.
    pub sessions: usize,
    /// First hit at sensitivity medium.
    pub medium: Option<Hit>,
    /// First hit at sensitivity low.
    pub low: Option<Hit>,
    /// First hit at medium without related sessions.
    pub medium_alone: Option<Hit>,
    /// The highest confidence that detection has in one of its sessions being a bot's, at any
    /// verdict or at the end.
    pub confidence: f64,
    /// Features and ranks of at most eight of its sessions, where they are kept.
    #[serde(skip)]
    pub rows: Vec<Vec<f32>>,
    /// Share of its requests that began while its session, user or address was flagged at medium:
    /// what blocking would have stopped.
    pub stopped: f64,
}

/// The first verdict that hits a client.
#[derive(Debug, Clone, Serialize)]
pub struct Hit {
    /// Requests of the client until then.
    pub after_requests: usize,
    /// Whom the verdict names: `session`, `user` or `source`.
    pub names: &'static str,
    /// What it says.
    pub bot_type: BotType,
    /// Who voted.
    pub detectors: Vec<&'static str>,
}

/// A client's requests, by index of the record.
#[derive(Default)]
struct Trace {
    records: Vec<usize>,
    sessions: HashSet<SessionId>,
}

/// Which records belong to a session, an address, a user.
#[derive(Default)]
struct Index {
    /// Client of each record.
    clients: Vec<usize>,
    sessions: HashMap<SessionId, Vec<usize>>,
    addresses: HashMap<IpAddr, Vec<usize>>,
    users: HashMap<Box<str>, Vec<usize>>,
    /// Users of sessions, so that all requests of a session are its user's.
    users_sessions: HashMap<Box<str>, HashSet<SessionId>>,
}

/// Joins verdicts and truth.
///
/// # Errors
/// When there is a record that nobody sent, or a request without a record.
pub fn score(seed: u64, watched: &Watched, truth: &Truth) -> anyhow::Result<Vec<Outcome>> {
    let index = Index::of(watched, truth)?;
    anyhow::ensure!(
        watched.records.len() == truth.requests(),
        "{} requests were sent and {} recorded",
        truth.requests(),
        watched.records.len()
    );
    let mut traces: Vec<Trace> = truth.clients.iter().map(|_| Trace::default()).collect();
    for (number, (record, client)) in watched.records.iter().zip(&index.clients).enumerate() {
        if let Some(trace) = traces.get_mut(*client) {
            trace.records.push(number);
            trace.sessions.insert(record.session);
        }
    }
    let hits = |said: &[Said], sensitivity| {
        let said = said.iter().filter(|it| it.sensitivity <= sensitivity);
        index.first_hits(said, watched, &traces)
    };
    let mut medium = hits(&watched.said, Sensitivity::Medium);
    let mut low = hits(&watched.said, Sensitivity::Low);
    let mut alone = hits(&watched.said_alone, Sensitivity::Medium);
    let stopped = index.stopped(watched);
    let confidence = surest(watched);
    let clients = truth.clients.iter().zip(&traces).enumerate();
    let outcomes = clients.map(|(number, (client, trace))| {
        let surest = trace.sessions.iter().filter_map(|it| confidence.get(it));
        let mut sessions: Vec<_> = trace.sessions.iter().collect();
        sessions.sort_unstable();
        let rows = sessions.iter().filter_map(|it| watched.rows.get(it));
        let of_flagged = trace.records.iter().filter(|it| stopped.contains(it));
        Outcome {
            seed,
            client: client.clone(),
            requests: trace.records.len(),
            sessions: trace.sessions.len(),
            medium: medium.remove(&number),
            low: low.remove(&number),
            medium_alone: alone.remove(&number),
            rows: rows.take(ROWS_MAX).cloned().collect(),
            confidence: surest.copied().fold(0.0, f64::max),
            stopped: of_flagged.count() as f64 / trace.records.len().max(1) as f64,
        }
    });
    Ok(outcomes.collect())
}

/// By session, at any verdict or at the end.
fn surest(watched: &Watched) -> HashMap<SessionId, f64> {
    let mut surest = watched.confidence.clone();
    for said in &watched.said {
        let entry = surest.entry(said.session).or_default();
        *entry = entry.max(said.confidence);
    }
    surest
}

impl Index {
    fn of(watched: &Watched, truth: &Truth) -> anyhow::Result<Self> {
        let mut index = Self::default();
        for (number, record) in watched.records.iter().enumerate() {
            let client = truth.client_of(&record.request_id);
            index
                .clients
                .push(client.with_context(|| format!("nobody sent {}", record.request_id))?);
            for session in [record.session, record.request_session] {
                let records = index.sessions.entry(session).or_default();
                if records.last() != Some(&number) {
                    records.push(number);
                }
            }
            if let Some(address) = record.address {
                index.addresses.entry(address).or_default().push(number);
            }
            if let Some(user) = &record.user {
                let sessions = index.users_sessions.entry(user.clone()).or_default();
                sessions.insert(record.session);
            }
        }
        for (user, sessions) in &index.users_sessions {
            let records = sessions.iter().filter_map(|it| index.sessions.get(it));
            let mut records: Vec<_> = records.flatten().copied().collect();
            records.sort_unstable();
            index.users.insert(user.clone(), records);
        }
        Ok(index)
    }

    /// Records of what a verdict names, whenever they were.
    fn named(&self, subject: &Subject, session: &SessionId) -> Vec<usize> {
        let all = |records: Option<&Vec<usize>>| records.cloned().unwrap_or_default();
        match subject {
            Subject::Session => all(self.sessions.get(session)),
            Subject::User(user) => all(self.users.get(&**user)),
            Subject::Source { network, .. } => self.from(*network),
        }
    }

    fn from(&self, network: Network) -> Vec<usize> {
        let addresses = self.addresses.iter();
        let inside = addresses.filter(|(address, _)| network.contains(**address));
        inside.flat_map(|(_, records)| records).copied().collect()
    }

    /// For each client that is hit, the first verdict that does.
    fn first_hits<'a>(
        &self,
        said: impl Iterator<Item = &'a Said>,
        watched: &Watched,
        traces: &[Trace],
    ) -> HashMap<usize, Hit> {
        let mut hits = HashMap::new();
        for said in said {
            let at_any_time = said.subject == Subject::Session;
            for record in self.named(&said.subject, &said.session) {
                let noted = watched.records.get(record);
                let apart_us = noted.map_or(0, |it| it.start_us.abs_diff(said.at_us));
                let client = self.clients.get(record).copied();
                let (Some(client), true) =
                    (client, at_any_time || apart_us <= HOLDS_US.unsigned_abs())
                else {
                    continue;
                };
                let trace = traces.get(client);
                hits.entry(client).or_insert_with(|| Hit {
                    after_requests: trace
                        .map_or(0, |it| it.records.partition_point(|at| *at <= said.record)),
                    names: match said.subject {
                        Subject::Session => "session",
                        Subject::User(_) => "user",
                        Subject::Source { .. } => "source",
                    },
                    bot_type: said.bot_type,
                    detectors: said.detectors.clone(),
                });
            }
        }
        hits
    }

    /// Records that began while what they belong to was flagged at medium.
    fn stopped(&self, watched: &Watched) -> HashSet<usize> {
        let mut stopped = HashSet::new();
        let flagged = |it: &&Said| it.sensitivity <= Sensitivity::Medium;
        for said in watched.said.iter().filter(flagged) {
            let records = self.named(&said.subject, &said.session).into_iter();
            stopped.extend(records.filter(|record| {
                let noted = watched.records.get(*record);
                // The key that is known at the beginning is what a filter can act on.
                let known = noted.is_some_and(|it| {
                    said.subject != Subject::Session || it.request_session == said.session
                });
                let after = noted.is_some_and(|it| {
                    (said.at_us..said.at_us.saturating_add(HOLDS_US)).contains(&it.start_us)
                });
                *record > said.record && known && after
            }));
        }
        stopped
    }
}
