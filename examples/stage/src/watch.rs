//! batches → what detection says, record by record. Nothing here knows the truth.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::mpsc::Receiver;

use anyhow::Context as _;
use throughline_detection::verdicts::{BotType, Network, Profile, Sensitivity, Subject, Verdict};
use throughline_detection::{Detection, LogPosition, Settings};
use throughline_session::wire::{ParameterKind, Record, SessionId};

use crate::Setup;
use crate::filter::Filter;
use crate::play::Passing;

/// A pause longer than this begins another visit: the idle timeout.
const VISIT_GAP_US: i64 = 30 * 60 * 1_000_000;

/// What happened in a run, as far as the aggregator can know.
#[derive(Debug, Default)]
pub struct Watched {
    /// All records in the order of the log.
    pub records: Vec<Noted>,
    /// What detection said.
    pub said: Vec<Said>,
    /// The same without related sessions: no links, no users, each session for itself.
    pub said_alone: Vec<Said>,
    /// Features and their ranks of each session of three requests and more, where they are kept.
    pub rows: HashMap<SessionId, Vec<f32>>,
    /// How sure detection is at the end that a session is a bot's, 0 to 1.
    pub confidence: HashMap<SessionId, f64>,
}

/// A record, reduced to what scoring needs.
#[derive(Debug)]
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
    /// Whose session it is, as the policy says.
    pub user: Option<Box<str>>,
}

/// A verdict, reduced to what scoring needs.
#[derive(Debug)]
pub struct Said {
    /// Index of the record that led to it.
    pub record: usize,
    /// Whom.
    pub subject: Subject,
    /// The session whose request led to it.
    pub session: SessionId,
    /// When, microseconds since 1970.
    pub at_us: i64,
    /// What.
    pub bot_type: BotType,
    /// How sure, 0 to 1.
    pub confidence: f64,
    /// The least sensitivity that flags it.
    pub sensitivity: Sensitivity,
    /// Who voted, strongest first.
    pub detectors: Vec<&'static str>,
}

impl Said {
    fn of(record: usize, verdict: &Verdict) -> Self {
        Self {
            record,
            subject: verdict.subject.clone(),
            session: verdict.session,
            at_us: verdict.at_us,
            bot_type: verdict.bot_type,
            confidence: verdict.confidence,
            sensitivity: verdict.sensitivity,
            detectors: verdict.votes.iter().map(|vote| vote.detector).collect(),
        }
    }
}

/// Takes exchanges through the filter and its records through detection.
///
/// # Errors
/// When the filter cannot be set up, drops a record, or writes what is none.
pub fn watch(seed: u64, setup: &Setup, exchanges: Receiver<Passing>) -> anyhow::Result<Watched> {
    let mut filter = Filter::new(seed, setup.policy)?;
    let mut watcher = Watcher::new(&setup.limits);
    for passing in exchanges {
        for batch in filter.pass(passing)? {
            watcher.batch(&batch)?;
        }
    }
    for batch in filter.finish()? {
        watcher.batch(&batch)?;
    }
    Ok(watcher.end(setup.features))
}

struct Watcher {
    detection: Detection,
    alone: Detection,
    visits: Visits,
    offset: u64,
    watched: Watched,
}

/// Detection as an operator sets it up who has done two things: named the range that the search
/// engine publishes, and the parameter that holds the account of a login.
fn detection(limits: &[(String, f64)]) -> Detection {
    let mut detection = Detection::new(Settings::default());
    let (address, bits) = traffic::CRAWLERS;
    let profile = Profile {
        good_bots: vec![Network { address, bits }],
        limits: limits.to_vec(),
        account_parameters: vec!["account".to_owned()],
        ..Profile::default()
    };
    detection.set_profile("shop", profile);
    detection
}

impl Watcher {
    fn new(limits: &[(String, f64)]) -> Self {
        Self {
            detection: detection(limits),
            alone: detection(limits),
            visits: Visits::default(),
            // The default position stands for 'none'.
            offset: 1,
            watched: Watched::default(),
        }
    }

    fn batch(&mut self, batch: &[u8]) -> anyhow::Result<()> {
        let text = std::str::from_utf8(batch)?;
        for line in text.lines().skip(1) {
            let mut record: Record<'_> = serde_json::from_str(line)?;
            let position = LogPosition {
                offset: self.offset,
                index: record.index,
            };
            let number = self.watched.records.len();
            let said = |verdicts: Vec<Verdict>| -> Vec<Said> {
                verdicts.iter().map(|it| Said::of(number, it)).collect()
            };
            self.watched.records.push(Noted {
                request_id: record
                    .request_id
                    .as_deref()
                    .context("a record without x-request-id")?
                    .into(),
                request_session: record.request_session,
                session: record.session,
                start_us: record.start_us,
                address: record.client_ip.as_deref().and_then(|ip| ip.parse().ok()),
                user: user(&record),
            });
            let verdicts = said(self.detection.observe(&record, position));
            self.watched.said.extend(verdicts);
            self.visits.unrelate(&mut record);
            let mut verdicts = said(self.alone.observe(&record, position));
            for said in &mut verdicts {
                said.session = self.visits.whole(said.session);
            }
            self.watched.said_alone.extend(verdicts);
        }
        self.offset += u64::try_from(batch.len()).unwrap_or(1);
        Ok(())
    }

    fn end(mut self, features: bool) -> Watched {
        if features {
            self.watched.rows = self.rows();
        }
        let sessions = self.watched.records.iter().map(|it| it.session);
        self.watched.confidence = sessions
            .filter_map(|session| Some((session, self.detection.suspicion(&session)?.1)))
            .collect();
        self.watched
    }

    fn rows(&self) -> HashMap<SessionId, Vec<f32>> {
        let mut requests = HashMap::<SessionId, usize>::new();
        for record in &self.watched.records {
            *requests.entry(record.session).or_default() += 1;
        }
        let long = requests.into_iter().filter(|(_, count)| *count >= 3);
        long.filter_map(|(session, _)| {
            let (values, ranks) = self.detection.features(&session)?;
            Some((session, values.into_iter().chain(ranks).collect()))
        })
        .collect()
    }
}

fn user(record: &Record<'_>) -> Option<Box<str>> {
    let mut params = record.params.iter();
    params
        .find(|param| param.kind == ParameterKind::User)
        .map(|param| (&*param.value).into())
}

/// Sessions cut into visits, for a detection that is to know nothing of what belongs together.
#[derive(Default)]
struct Visits {
    /// The latest request of each session, and the number of its visit.
    latest: HashMap<SessionId, (i64, u8)>,
    /// Names of visits → the session they are part of.
    parts: HashMap<SessionId, SessionId>,
}

impl Visits {
    /// Takes away what says that a session belongs to another one: links, users, and the same id
    /// on an earlier visit.
    fn unrelate(&mut self, record: &mut Record<'_>) {
        let at = record.start_us;
        let (last_us, number) = self.latest.entry(record.session).or_insert((at, 0));
        if at.saturating_sub(*last_us) > VISIT_GAP_US {
            *number = number.wrapping_add(1);
        }
        *last_us = at.max(*last_us);
        let mut visit = record.session;
        for byte in visit.0.iter_mut().take(1) {
            *byte ^= *number;
        }
        self.parts.insert(visit, record.session);
        record.session = visit;
        record.request_session = visit;
        record.links.clear();
        record
            .params
            .retain(|param| param.kind != ParameterKind::User);
    }

    /// The session that a visit is part of.
    fn whole(&self, visit: SessionId) -> SessionId {
        self.parts.get(&visit).copied().unwrap_or(visit)
    }
}
