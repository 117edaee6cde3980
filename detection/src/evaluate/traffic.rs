//! Labelled traffic → samples: one per session, with what detection knew at each moment.

use std::collections::HashMap;

use throughline_session::wire::SessionId;

use crate::detection::{Detection, Settings};
use crate::event::access_log::{Grouping, Line};
use crate::event::{Exchange, Kind, LogPosition};
use crate::features::Vector;
use crate::hash;

/// After so many requests a session is scored, besides at its end.
pub const REQUESTS: [u32; 3] = [3, 5, 10];
const GAP_US: i64 = 30 * 60 * 1_000_000;

/// What the features must not see.
#[derive(Debug, Clone, Copy, Default)]
pub struct Hide {
    /// The user agent; sessions are still told apart by it.
    pub user_agent: bool,
    /// Requests for robots.txt, which are left out altogether.
    pub robots: bool,
}

/// A log and the labels of its lines, as text.
#[derive(Debug, Clone, Copy)]
pub struct Labelled<'a> {
    /// Common or combined log format.
    pub log: &'a str,
    /// Tab-separated: line number from 1, `bot`, `human` or anything else, reason.
    pub labels: &'a str,
}

/// What detection knew of a session at one moment.
#[derive(Debug, Clone, Default)]
pub struct Moment {
    /// Features.
    pub values: Vector,
    /// Their ranks in the application.
    pub ranks: Vector,
    /// How machine-like the rules find it, 0 to 1.
    pub rules: f64,
    /// How sure the verdict on it is, 0 to 1.
    pub confidence: f64,
}

/// One labelled session.
#[derive(Debug, Clone)]
pub struct Sample {
    /// Which session.
    pub session: SessionId,
    /// Whether it is a bot's.
    pub bot: bool,
    /// Its requests that were seen.
    pub requests: u32,
    /// Hash of the address.
    pub address: u64,
    /// Hash of the user agent.
    pub user_agent: u64,
    /// After 3, 5 and 10 requests, where it came so far.
    pub early: [Option<Moment>; 3],
    /// At its end.
    pub last: Moment,
}

#[derive(Default)]
struct Votes {
    bot: u32,
    human: u32,
    other: u32,
    address: u64,
    user_agent: u64,
    requests: u32,
    early: [Option<Moment>; 3],
    last: Moment,
}

fn labels(text: &str) -> HashMap<usize, &str> {
    let rows = text.lines().filter_map(|line| {
        let mut cells = line.split('\t');
        Some((cells.next()?.parse().ok()?, cells.next()?))
    });
    rows.collect()
}

fn moment(detection: &Detection, session: &SessionId) -> Moment {
    let (values, ranks) = detection.features(session).unwrap_or_default();
    let (rules, confidence) = detection.suspicion(session).unwrap_or_default();
    Moment {
        values,
        ranks,
        rules,
        confidence,
    }
}

/// Runs a labelled log through detection, in the order of its lines, and gives every session of
/// at least `requests_min` requests whose lines are labelled alike. With `adapt`, the log is run
/// through once before, unlabelled, so that the baselines are settled.
#[must_use]
pub fn collect(traffic: Labelled<'_>, hide: Hide, requests_min: u32, adapt: bool) -> Vec<Sample> {
    let mut detection = Detection::new(Settings::default());
    if adapt {
        pass(traffic, hide, &mut detection, false);
        detection.forget_clients();
    }
    let votes = pass(traffic, hide, &mut detection, true);
    let mut samples: Vec<_> = votes
        .into_iter()
        .filter(|(_, votes)| votes.requests >= requests_min && votes.bot + votes.human > 0)
        .filter(|(_, votes)| votes.other == 0)
        .map(|(session, votes)| Sample {
            session,
            bot: votes.bot >= votes.human,
            requests: votes.requests,
            address: votes.address,
            user_agent: votes.user_agent,
            early: votes.early,
            last: votes.last,
        })
        .collect();
    samples.sort_unstable_by_key(|sample| sample.session);
    samples
}

fn pass(
    traffic: Labelled<'_>,
    hide: Hide,
    detection: &mut Detection,
    look: bool,
) -> HashMap<SessionId, Votes> {
    let labels = labels(traffic.labels);
    let mut grouping = Grouping::new(GAP_US);
    let mut found = HashMap::<SessionId, Votes>::new();
    for (number, line) in (1..).zip(traffic.log.lines()) {
        let Some(line) = Line::parse(line) else {
            continue;
        };
        let mut exchange = line.exchange("site");
        let kind = Kind::of(exchange.path.as_deref().unwrap_or_default(), None, None);
        if hide.robots && kind == Kind::Robots && line.target.starts_with("/robots.txt") {
            continue;
        }
        grouping.assign(&mut exchange);
        if hide.user_agent {
            exchange.user_agent = None;
        }
        detection.observe_exchange(&exchange, detection.next_position());
        if !look {
            continue;
        }
        let votes = found.entry(exchange.session).or_default();
        vote(votes, labels.get(&number).copied(), &line, &exchange);
        if votes.requests >= 3 {
            votes.last = moment(detection, &exchange.session);
            let early = REQUESTS.iter().position(|count| *count == votes.requests);
            if let Some(early) = early.and_then(|at| votes.early.get_mut(at)) {
                *early = Some(votes.last.clone());
            }
        }
    }
    found
}

fn vote(votes: &mut Votes, label: Option<&str>, line: &Line<'_>, _exchange: &Exchange<'_>) {
    match label {
        Some("bot") => votes.bot += 1,
        Some("human") => votes.human += 1,
        _ => votes.other += 1,
    }
    votes.requests += 1;
    votes.address = hash::bytes(0, line.client_ip.as_bytes());
    votes.user_agent = hash::bytes(0, line.user_agent.unwrap_or_default().as_bytes());
}

/// Positions for traffic that has none.
impl Detection {
    pub(crate) fn next_position(&self) -> LogPosition {
        let LogPosition { offset, .. } = self.position();
        LogPosition {
            offset: offset + 1,
            index: 0,
        }
    }
}
