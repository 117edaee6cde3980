//! record → verdict, as a fold over the log: the same items in the same order give the same.

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use throughline_detection::detectors::{self, Weight};
use throughline_detection::model::Model;
use throughline_detection::verdicts::{HOLDS_US, Knowledge, Network, Profile, Subject, Verdict};
use throughline_detection::{Detection, LogPosition, Settings, Whereabouts};
use throughline_session::hex::Hex;
use throughline_session::wire::{Record, SessionId};

use super::learnt;
use super::ruling::{Label, Labelling, Profiles, Ruling};
use crate::crawlers::{Claims, Inquiries};
use crate::geo::{Country, Geo};
use crate::ingest::{header, line};
use crate::log::Entry;
use crate::policy::detection::{DetectionProfile, entry_for, profile_for};

/// Sessions of which somebody said 'no bot' that are remembered.
const REJECTED_MAX: usize = 100_000;

/// Where a record stands: position of its batch in the log, and its line.
pub type Place = (u64, u32);

/// One detector's evidence, as it is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EvidenceVote {
    /// Which detector.
    pub detector: String,
    /// What kind of bot it speaks of.
    pub bot_type: String,
    /// What was measured, in `unit`.
    pub value: f64,
    /// The limit it is past.
    pub limit: f64,
    /// `cold_start`, `learnt` or `profile`; `model` for what a learnt model says.
    pub limit_from: String,
    /// What the value counts.
    pub unit: String,
    /// Over which stretch.
    pub window: String,
    /// How strongly it speaks, 0 to 1.
    pub strength: f64,
    /// The endpoint's template, where it happened at one.
    pub endpoint: Option<String>,
    /// The requests that show it, oldest first.
    pub records: Vec<Place>,
}

/// A verdict as it is stored: something new about a session.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Event {
    /// The record that led to it.
    pub place: Place,
    /// Names whom it is about: [`verdict_id`].
    pub id: String,
    /// `session`, `user` or `source`.
    pub subject_kind: &'static str,
    /// Whom: a session id, a user's name, an address or a network.
    pub subject: String,
    /// The session whose request led to it, 32 hex digits.
    pub session: String,
    /// Where.
    pub application: String,
    /// What.
    pub bot_type: String,
    /// How sure, 0 to 1.
    pub confidence: f64,
    /// The least sensitivity that flags it.
    pub sensitivity: String,
    /// Whether the application's own sensitivity flags it.
    pub flagged: bool,
    /// `learning` or `ready`.
    pub knowledge: String,
    /// `unknown`, `known_machine` or `good_bot`.
    pub class: String,
    /// Time of that record, microseconds since the Unix epoch.
    pub at_us: i64,
    /// Until when it holds, microseconds since the Unix epoch.
    pub expires_us: i64,
    /// Requests of the visit until then.
    pub requests: u32,
    /// Version of the policy whose profile held.
    pub policy_version: Option<String>,
    /// Evidence: what makes the verdict before what supports it, each by strength.
    pub votes: Vec<EvidenceVote>,
}

/// The word that serde has for a value without fields.
pub(super) fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

/// Places as detection takes them: it has no record at its position (0, 0).
fn position((offset, index): Place) -> LogPosition {
    LogPosition {
        offset,
        index: index.saturating_add(1),
    }
}

fn place(position: LogPosition) -> Place {
    (position.offset, position.index.saturating_sub(1))
}

/// The id of the verdicts on a session.
#[must_use]
pub fn verdict_id(session: &SessionId) -> String {
    format!("session-{session}")
}

/// Names, in words, and the id of whom a verdict is about. What is not a session may have any
/// letters in it, and has a verdict in each application: its id is a hash of both.
fn subject(verdict: &Verdict) -> (&'static str, String, String) {
    let (kind, text) = match &verdict.subject {
        Subject::Session => {
            let session = verdict.session.to_string();
            return ("session", session, verdict_id(&verdict.session));
        }
        Subject::User(user) => ("user", user.clone()),
        Subject::Source { network, .. } => ("source", network_text(*network)),
    };
    let mut hash = Sha256::new();
    hash.update((verdict.application.len() as u64).to_be_bytes());
    hash.update(&verdict.application);
    hash.update(&text);
    let hash: [u8; 32] = hash.finalize().into();
    let short = hash.first_chunk::<16>().copied().unwrap_or_default();
    (kind, text, format!("{kind}-{}", Hex(short)))
}

fn network_text(network: Network) -> String {
    let whole = if network.address.is_ipv4() { 32 } else { 128 };
    if network.bits == whole {
        network.address.to_string()
    } else {
        format!("{}/{}", network.address, network.bits)
    }
}

/// Whether a detector only shows a machine, which is no verdict by itself.
fn only_supports(detector: &str) -> bool {
    let mut abouts = detectors::abouts();
    let about = abouts.find(|about| about.name == detector);
    about.is_some_and(|about| matches!(about.weight, Weight::Machine(_)))
}

impl Event {
    fn of(verdict: Verdict, policy_version: Option<&String>) -> Self {
        let vote = |vote: throughline_detection::verdicts::Vote| EvidenceVote {
            detector: vote.detector.to_owned(),
            bot_type: word(&vote.bot_type),
            value: vote.value,
            limit: vote.limit,
            limit_from: word(&vote.limit_from),
            unit: vote.unit.to_owned(),
            window: vote.window.to_owned(),
            strength: vote.strength,
            endpoint: vote.endpoint,
            records: vote.records.into_iter().map(place).collect(),
        };
        let (subject_kind, subject, id) = subject(&verdict);
        // What makes the verdict goes before what only supports it.
        let mut verdict = verdict;
        let kind = verdict.bot_type;
        verdict
            .votes
            .sort_by_key(|vote| vote.bot_type != kind || only_supports(vote.detector));
        Self {
            place: place(verdict.position),
            id,
            subject_kind,
            subject,
            session: verdict.session.to_string(),
            application: verdict.application,
            bot_type: word(&verdict.bot_type),
            confidence: verdict.confidence,
            sensitivity: word(&verdict.sensitivity),
            flagged: verdict.flagged,
            knowledge: word(&verdict.knowledge),
            class: word(&verdict.class),
            at_us: verdict.at_us,
            expires_us: verdict.at_us.saturating_add(HOLDS_US),
            requests: verdict.requests,
            policy_version: policy_version.cloned(),
            votes: verdict.votes.into_iter().map(vote).collect(),
        }
    }
}

/// The state of bot detection at a position of the log.
#[derive(Debug, Serialize, Deserialize)]
pub struct Judge {
    detection: Detection,
    /// Position after the last item taken.
    position: u64,
    policy_version: Option<String>,
    /// As JSON: the snapshot's format cannot leave fields out.
    profiles: String,
    #[serde(skip)]
    read_profiles: Option<Vec<DetectionProfile>>,
    /// Applications met so far.
    applications: BTreeSet<String>,
    rejected: VecDeque<String>,
    #[serde(skip)]
    rejected_set: HashSet<String>,
    /// Verdicts that were not made because somebody had said 'no bot'.
    suppressed: u64,
    #[serde(skip)]
    model: Option<Arc<Model>>,
    #[serde(skip)]
    geo: Option<Arc<Geo>>,
    /// Who claims to be a crawler, and where that is asked.
    #[serde(skip)]
    claims: Claims,
    #[serde(skip)]
    inquiries: Option<Arc<Inquiries>>,
}

impl Judge {
    /// Knows nothing, and begins at `position`.
    #[must_use]
    pub fn new(settings: Settings, position: u64) -> Self {
        Self {
            detection: Detection::new(settings),
            position,
            policy_version: None,
            profiles: "[]".into(),
            read_profiles: None,
            applications: BTreeSet::new(),
            rejected: VecDeque::new(),
            rejected_set: HashSet::new(),
            suppressed: 0,
            model: None,
            geo: None,
            claims: Claims::default(),
            inquiries: None,
        }
    }

    /// From here on, `geo` says where the clients are.
    pub fn locate(&mut self, geo: Arc<Geo>) {
        self.geo = Some(geo);
    }

    /// From here on, whoever claims to be a crawler that a profile names is asked for.
    pub fn inquire(&mut self, inquiries: Arc<Inquiries>) {
        self.inquiries = Some(inquiries);
        for application in self.applications.clone() {
            self.hear_claims(&application);
        }
    }

    /// From here on, evidence says what `model` thinks of the session as well.
    pub fn ask(&mut self, model: Arc<Model>) {
        self.model = Some(model);
    }

    /// Makes anew what a snapshot leaves out.
    pub(super) fn revive(&mut self) {
        self.rejected_set = self.rejected.iter().cloned().collect();
    }

    /// Position after the last item taken.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Says that everything before `position` was taken.
    pub fn reach(&mut self, position: u64) {
        self.position = self.position.max(position);
    }

    /// Version of the policy whose profiles hold.
    #[must_use]
    pub fn policy_version(&self) -> Option<&str> {
        self.policy_version.as_deref()
    }

    /// Verdicts that were not made because somebody had said 'no bot'.
    #[must_use]
    pub fn suppressed(&self) -> u64 {
        self.suppressed
    }

    /// What is in memory.
    #[must_use]
    pub fn counts(&self) -> throughline_detection::detection::Counts {
        self.detection.counts()
    }

    /// Whether it remembers as much as these say.
    #[must_use]
    pub fn remembers(&self, settings: &Settings) -> bool {
        self.detection.remembers(settings)
    }

    /// Applications met so far, and whether each is known well enough for learnt limits.
    pub fn applications(&self) -> impl Iterator<Item = (&str, bool)> {
        self.applications.iter().map(|name| {
            let ready = self.detection.knowledge(name) == Some(Knowledge::Ready);
            (name.as_str(), ready)
        })
    }

    /// Takes a batch or a ruling; the verdicts that are new, and how many records there were.
    pub fn take(&mut self, entry: &Entry) -> (Vec<Event>, u64) {
        let (mut events, mut records) = (Vec::new(), 0);
        if let Some(ruling) = Ruling::read(&entry.body) {
            self.rule(&ruling);
        } else if let Ok(header) = header::read(&entry.body)
            && header.sequence.is_some()
        {
            for (index, _, read) in line::read_all(&entry.body, header.closed_us) {
                // What cannot be read is the store's to report.
                if let Ok(record) = read {
                    records += 1;
                    self.record(&record, (entry.position, index), &mut events);
                }
            }
        }
        self.reach(entry.end);
        (events, records)
    }

    /// Takes a record.
    pub fn record(&mut self, record: &Record<'_>, place: Place, events: &mut Vec<Event>) {
        if !self.applications.contains(&*record.application) {
            self.meet(&record.application);
        }
        if let Some(inquiries) = &self.inquiries
            && let Some(question) = self.claims.question(record)
        {
            inquiries.ask(&question);
        }
        let geo = self.geo.as_deref();
        let address = record.client_ip.as_deref().and_then(|ip| ip.parse().ok());
        let whence = geo.zip(address);
        let country = whence.and_then(|(geo, address)| geo.country(address));
        let whereabouts = Whereabouts {
            country: country.as_ref().map(Country::as_str),
            asn: whence.and_then(|(geo, address)| geo.asn(address)),
        };
        let verdicts = self
            .detection
            .observe_from(record, whereabouts, position(place));
        for verdict in verdicts {
            let model = self.model.as_ref();
            let learnt = model.and_then(|it| learnt::vote(it, &self.detection, &verdict));
            let mut event = Event::of(verdict, self.policy_version.as_ref());
            event.votes.extend(learnt);
            if self.rejected_set.contains(&event.id) {
                self.suppressed += 1;
            } else {
                events.push(event);
            }
        }
    }

    /// Takes what people decided, or what was looked up.
    pub fn rule(&mut self, ruling: &Ruling) {
        match ruling {
            Ruling::Profiles(profiles) => self.watch(profiles),
            Ruling::Label(labelling) => self.label(labelling),
            Ruling::Crawler(it) => self.detection.confirm(it.address, &it.domain, it.at_us),
        }
    }

    fn meet(&mut self, application: &str) {
        // As many as detection tells apart; further ones share the last.
        const APPLICATIONS_MAX: usize = 256;
        if self.applications.len() < APPLICATIONS_MAX {
            self.applications.insert(application.to_owned());
            let profile = self.profile(application);
            self.detection.set_profile(application, profile);
            self.hear_claims(application);
        }
    }

    fn profiles(&mut self) -> &[DetectionProfile] {
        let text = &self.profiles;
        let read = || serde_json::from_str(text).unwrap_or_default();
        self.read_profiles.get_or_insert_with(read)
    }

    fn profile(&mut self, application: &str) -> Profile {
        profile_for(self.profiles(), application)
    }

    fn hear_claims(&mut self, application: &str) {
        if self.inquiries.is_none() {
            return;
        }
        let crawlers = entry_for(self.profiles(), application).map(|it| it.crawlers.clone());
        self.claims.set(application, &crawlers.unwrap_or_default());
    }

    fn watch(&mut self, profiles: &Profiles) {
        self.profiles = serde_json::to_string(&profiles.profiles).unwrap_or_default();
        self.read_profiles = Some(profiles.profiles.clone());
        self.policy_version.clone_from(&profiles.policy_version);
        for application in self.applications.clone() {
            let profile = self.profile(&application);
            self.detection.set_profile(&application, profile);
            self.hear_claims(&application);
        }
    }

    fn label(&mut self, labelling: &Labelling) {
        let id = &labelling.id;
        if labelling.label == Some(Label::Wrong) {
            if self.rejected_set.insert(id.clone()) {
                self.rejected.push_back(id.clone());
            }
            if self.rejected.len() > REJECTED_MAX
                && let Some(oldest) = self.rejected.pop_front()
            {
                self.rejected_set.remove(&oldest);
            }
        } else if self.rejected_set.remove(id) {
            self.rejected.retain(|known| known != id);
        } else {
            return;
        }
        // Whatever was said before, detection may say it anew.
        if let Some(session) = id.strip_prefix("session-").and_then(Hex::parse) {
            self.detection.pardon(&session);
        }
    }
}
