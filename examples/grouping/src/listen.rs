//! records → what detection says, and which session each request was in.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use anyhow::Context as _;
use throughline_detection::verdicts::{Network, Profile, Subject};
use throughline_detection::{Detection, LogPosition, Settings};
use throughline_session::wire::{ParameterKind, Record, SessionId};

/// A record, reduced to what scoring needs.
#[derive(Debug, Clone)]
pub struct Noted {
    /// `x-request-id`.
    pub request_id: Box<str>,
    /// The session known at its beginning, which verdicts are enforced on.
    pub request_session: SessionId,
    /// The session at its end.
    pub session: SessionId,
    /// When it began, microseconds since 1970.
    pub start_us: i64,
    /// The client's address.
    pub address: Option<IpAddr>,
    /// Whose session it is, as far as the arm knows.
    pub user: Option<Box<str>>,
    /// Sessions that are linked to it by a key of their own.
    pub links: Vec<SessionId>,
}

/// What detection holds against somebody at some time.
#[derive(Debug, Clone)]
pub struct Said {
    /// Index of the record that led to it.
    pub record: usize,
    /// Whom.
    pub subject: Subject,
    /// The session whose request led to it.
    pub session: SessionId,
    /// When, microseconds since 1970.
    pub at_us: i64,
    /// How sure, 0 to 1.
    pub confidence: f64,
    /// The strongest detector.
    pub detector: &'static str,
}

/// One arm over one recording.
#[derive(Debug, Default)]
pub struct Heard {
    /// All records in the order of the log.
    pub records: Vec<Noted>,
    /// What was said of them, in that order.
    pub said: Vec<Said>,
}

/// Key rules that mean that the client brought no key.
const FALLBACKS: [&str; 3] = ["ip", "ip_prefix", "ip_user_agent"];
/// A rise of confidence that is worth a note.
const RISE: f64 = 1e-3;

/// Runs records through detection. What the filter itself knew of each, for verdicts are enforced
/// on that, comes from `enforced`: the sessions at the beginning, in the same order.
///
/// # Errors
/// When a record has no `x-request-id`.
pub fn listen(batches: &[Vec<Record<'_>>], enforced: &[SessionId]) -> anyhow::Result<Heard> {
    let mut detection = detection();
    let mut heard = Heard::default();
    let mut surest = HashMap::<SessionId, (f64, &'static str)>::new();
    for (offset, batch) in (1..).zip(batches) {
        for record in batch {
            let number = heard.records.len();
            let request_session = enforced.get(number).copied();
            let request_session = request_session.context("a record that nobody sent")?;
            heard.records.push(Noted::of(record, request_session)?);
            let position = LogPosition {
                offset,
                index: record.index,
            };
            for verdict in detection.observe(record, position) {
                // Machine votes may be stronger, and decide nothing.
                let mut votes = verdict.votes.iter();
                let vote = votes.find(|vote| vote.bot_type == verdict.bot_type);
                let detector = vote.map_or("", |vote| vote.detector);
                if verdict.subject == Subject::Session {
                    let entry = surest.entry(verdict.session).or_insert((0.0, detector));
                    entry.0 = entry.0.max(verdict.confidence);
                }
                heard.said.push(Said {
                    record: number,
                    subject: verdict.subject,
                    session: verdict.session,
                    at_us: verdict.at_us,
                    confidence: verdict.confidence,
                    detector,
                });
            }
            // Verdicts come when a sensitivity is reached; between these, confidence still rises.
            if let Some((before, detector)) = surest.get_mut(&record.session)
                && let Some((_, now)) = detection.suspicion(&record.session)
                && now > *before + RISE
            {
                *before = now;
                heard.said.push(Said {
                    record: number,
                    subject: Subject::Session,
                    session: record.session,
                    at_us: record.start_us,
                    confidence: now,
                    detector,
                });
            }
        }
    }
    Ok(heard)
}

/// Detection as `make evaluate` sets it up: the search engine's range and the parameter with a login's
/// account are named.
#[must_use]
pub fn detection() -> Detection {
    let mut detection = Detection::new(Settings::default());
    let (address, bits) = traffic::CRAWLERS;
    let profile = Profile {
        good_bots: vec![Network { address, bits }],
        account_parameters: vec!["account".to_owned()],
        ..Profile::default()
    };
    detection.set_profile("shop", profile);
    detection
}

impl Noted {
    fn of(record: &Record<'_>, request_session: SessionId) -> anyhow::Result<Self> {
        let mut users = record.params.iter();
        let user = users.find(|param| param.kind == ParameterKind::User);
        let links = record.links.iter();
        let own = links.filter(|link| !FALLBACKS.contains(&&*link.key));
        let request_id = record.request_id.as_deref();
        Ok(Self {
            request_id: request_id.context("a record without x-request-id")?.into(),
            request_session,
            session: record.session,
            start_us: record.start_us,
            address: record.client_ip.as_deref().and_then(|ip| ip.parse().ok()),
            user: user.map(|param| (&*param.value).into()),
            links: own.map(|link| link.session).collect(),
        })
    }
}

impl Heard {
    /// Different sessions.
    #[must_use]
    pub fn sessions(&self) -> usize {
        let sessions = self.records.iter().map(|record| record.session);
        sessions.collect::<HashSet<_>>().len()
    }
}
