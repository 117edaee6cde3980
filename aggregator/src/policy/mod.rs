//! policy → filter: the versions of the policy, what is tried beside it, and what filters are told.
//!
//! Architecture invariant: every change is one line of the journal, durable before it takes
//! effect. Filters get only documents that the session crate's own checks have passed.

mod cli;
pub mod detection;
mod diff;
mod document;
#[cfg(test)]
mod examples;
mod file;
pub mod finder;
pub mod flows;
mod journal;
pub mod schema;

mod state;
pub mod visits;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use throughline_session::hex::Hex;

pub use cli::{PolicyCommand, run};
pub use diff::{Difference, difference};
pub use document::{Format, Read, Refused, read};
pub use file::{FileStatus, format_of};
pub use journal::{Change, Event};
pub use state::{CANDIDATES_MAX, Candidate, Finder, Version};

use file::PolicyFile;
use journal::Journal;
use state::State;

use crate::verdicts::Profiles;

/// Longest policy that is taken, bytes: with four candidates still within what a filter reads.
pub const DOCUMENT_BYTES_MAX: u64 = 128 * 1024;

/// Why a change was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// The policy is a file.
    #[error("the policy is the file {}", .0.display())]
    ReadOnly(PathBuf),
    /// Someone else was faster.
    #[error("the current version is {current}")]
    Changed {
        /// Number of the current version; 0 when there is none.
        current: u64,
    },
    /// No such version.
    #[error("there is no version {0}")]
    UnknownVersion(u64),
    /// No such candidate.
    #[error("there is no candidate `{0}`")]
    UnknownCandidate(String),
    /// The limit of candidates.
    #[error("there are {CANDIDATES_MAX} candidates")]
    TooManyCandidates,
    /// The disk.
    #[error("the change could not be written: {0}")]
    Unwritable(String),
}

/// Who changes something, when, and why.
#[derive(Debug, Clone, Default)]
pub struct By {
    /// As they call themselves: the token alone says that they may.
    pub author: String,
    /// Why.
    pub comment: String,
    /// Microseconds since the Unix epoch.
    pub now_us: i64,
}

/// What filters are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    /// Changes with every change of the document.
    pub version: String,
    /// Version of the policy on records; `None` while filters run the one of their configuration.
    pub policy_version: Option<String>,
    /// The document.
    pub json: String,
    /// Until when it stays as it is, microseconds since the Unix epoch.
    until_us: i64,
}

/// The policy with its past, and what is tried beside it.
pub struct Policies {
    inner: Mutex<Inner>,
    file: Option<PolicyFile>,
}

struct Inner {
    journal: Journal,
    state: State,
    live: Option<Arc<Live>>,
}

impl Policies {
    /// Reads the journal `folder/policy.ndjson`, and the policy file where there is one.
    ///
    /// # Errors
    /// When either cannot be read, in words for the operator.
    pub fn open(folder: &Path, policy_file: Option<&Path>) -> anyhow::Result<Self> {
        let (journal, events) = Journal::open(&folder.join("policy.ndjson"))?;
        let mut state = State::default();
        for event in events {
            state.apply(event);
        }
        let file = policy_file.map(PolicyFile::open).transpose()?;
        let inner = Inner {
            journal,
            state,
            live: None,
        };
        Ok(Self {
            inner: Mutex::new(inner),
            file,
        })
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The file that is the policy, where it is one.
    #[must_use]
    pub fn file(&self) -> Option<FileStatus> {
        self.file.as_ref().map(PolicyFile::status)
    }

    /// Looks whether the policy file has changed. Reads the disk.
    pub fn look(&self) {
        if self.file.as_ref().is_some_and(PolicyFile::look) {
            self.inner().live = None;
        }
    }

    /// The latest version stored here.
    #[must_use]
    pub fn current(&self) -> Option<Version> {
        self.inner().state.versions.last().cloned()
    }

    /// The versions kept, the newest first.
    #[must_use]
    pub fn versions(&self) -> Vec<Version> {
        self.inner().state.versions.iter().rev().cloned().collect()
    }

    /// A version.
    ///
    /// # Errors
    /// When there is none of this number.
    pub fn version(&self, number: u64) -> Result<Version, PolicyError> {
        let inner = self.inner();
        let found = inner.state.version(number).cloned();
        found.ok_or(PolicyError::UnknownVersion(number))
    }

    /// The latest changes, the newest first.
    #[must_use]
    pub fn audit(&self) -> Vec<Event> {
        self.inner().state.audit.iter().rev().cloned().collect()
    }

    /// The candidates by name.
    #[must_use]
    pub fn candidates(&self) -> Vec<Candidate> {
        self.inner().state.candidates.clone()
    }

    /// A candidate.
    ///
    /// # Errors
    /// When there is none of this name.
    pub fn candidate(&self, name: &str) -> Result<Candidate, PolicyError> {
        let inner = self.inner();
        let found = inner.state.candidate(name).cloned();
        found.ok_or_else(|| PolicyError::UnknownCandidate(name.to_owned()))
    }

    /// The key finder's last run.
    #[must_use]
    pub fn finder(&self) -> Option<Finder> {
        self.inner().state.finder
    }

    /// Makes a checked document the policy, if the current version is `expected`.
    ///
    /// # Errors
    /// When it is another, the policy is a file, or the disk refuses.
    pub fn put(
        &self,
        document: Value,
        expected: Option<u64>,
        by: By,
    ) -> Result<Version, PolicyError> {
        self.writable()?;
        let mut inner = self.inner();
        let version = inner.next(expected)?;
        inner.change(Change::Policy { version, document }, by)?;
        inner.newest()
    }

    /// Makes the document of version `to` the policy again, as a new version.
    ///
    /// # Errors
    /// As with [`Self::put`], or when there is no such version.
    pub fn roll_back(
        &self,
        to: u64,
        expected: Option<u64>,
        by: By,
    ) -> Result<Version, PolicyError> {
        self.writable()?;
        let mut inner = self.inner();
        let document = match inner.state.version(to) {
            Some(version) => version.document.clone(),
            None => return Err(PolicyError::UnknownVersion(to)),
        };
        let version = inner.next(expected)?;
        let change = Change::Rollback {
            version,
            to,
            document,
        };
        inner.change(change, by)?;
        inner.newest()
    }

    fn writable(&self) -> Result<(), PolicyError> {
        match &self.file {
            Some(file) => Err(PolicyError::ReadOnly(file.path().to_path_buf())),
            None => Ok(()),
        }
    }

    /// Tries a checked document beside the policy.
    ///
    /// # Errors
    /// When there are too many, or the disk refuses.
    pub fn put_candidate(
        &self,
        name: &str,
        document: Value,
        clients_ppm: u32,
        until_us: i64,
        by: By,
    ) -> Result<Candidate, PolicyError> {
        let mut inner = self.inner();
        let known = inner.state.candidate(name).is_some();
        if !known && inner.state.candidates.len() >= CANDIDATES_MAX {
            return Err(PolicyError::TooManyCandidates);
        }
        let change = Change::Candidate {
            name: name.to_owned(),
            document,
            clients_ppm,
            until_us,
        };
        inner.change(change, by)?;
        let found = inner.state.candidate(name).cloned();
        found.ok_or_else(|| PolicyError::UnknownCandidate(name.to_owned()))
    }

    /// Ends a candidate.
    ///
    /// # Errors
    /// When there is none of this name, or the disk refuses.
    pub fn delete_candidate(&self, name: &str, by: By) -> Result<(), PolicyError> {
        let mut inner = self.inner();
        if inner.state.candidate(name).is_none() {
            return Err(PolicyError::UnknownCandidate(name.to_owned()));
        }
        let name = name.to_owned();
        inner.change(Change::CandidateDeleted { name }, by)
    }

    /// Starts the key finder, or starts it anew.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn start_finder(&self, clients_ppm: u32, until_us: i64, by: By) -> Result<(), PolicyError> {
        let change = Change::Finder {
            clients_ppm,
            until_us,
        };
        self.inner().change(change, by)
    }

    /// Stops the key finder; what it found stays.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn stop_finder(&self, by: By) -> Result<(), PolicyError> {
        self.inner().change(Change::FinderStopped, by)
    }

    /// How applications are watched for bots, and when their visits end, by the policy that holds
    /// now.
    #[must_use]
    pub fn profiles(&self) -> Profiles {
        let Some((policy_version, document)) = self.current_document() else {
            return Profiles::default();
        };
        Profiles {
            policy_version: Some(policy_version),
            profiles: detection::profiles(&document),
            visits: visits::rules(&document),
        }
    }

    /// What people come to do, by the policy that holds now.
    #[must_use]
    pub fn flows(&self) -> Vec<flows::Flow> {
        let document = self.current_document();
        document.map_or_else(Vec::new, |(_, document)| flows::flows(&document))
    }

    /// The policy that holds now, with its version.
    fn current_document(&self) -> Option<(String, Value)> {
        if let Some(file) = &self.file {
            let status = file.status();
            return Some((status.version, status.document));
        }
        let inner = self.inner();
        let newest = inner.state.versions.last();
        newest.map(|version| (version.name(), version.document.clone()))
    }

    /// What filters are told at this time; `None` while nothing was ever set here.
    #[must_use]
    pub fn live(&self, now_us: i64) -> Option<Arc<Live>> {
        let mut inner = self.inner();
        if let Some(live) = inner.live.as_ref().filter(|live| now_us < live.until_us) {
            return Some(Arc::clone(live));
        }
        let policy = match &self.file {
            Some(file) => {
                let status = file.status();
                Some((status.version, status.document))
            }
            None if inner.state.audit.is_empty() => return None,
            None => inner
                .state
                .versions
                .last()
                .map(|version| (version.name(), version.document.clone())),
        };
        let live = Arc::new(live(&inner.state, policy.as_ref(), now_us));
        inner.live = Some(Arc::clone(&live));
        Some(live)
    }
}

impl Inner {
    fn next(&self, expected: Option<u64>) -> Result<u64, PolicyError> {
        let current = self.state.versions.last().map_or(0, |last| last.version);
        match expected {
            Some(expected) if expected != current => Err(PolicyError::Changed { current }),
            _ => Ok(current + 1),
        }
    }

    fn newest(&self) -> Result<Version, PolicyError> {
        let newest = self.state.versions.last().cloned();
        newest.ok_or(PolicyError::UnknownVersion(0))
    }

    fn change(&mut self, change: Change, by: By) -> Result<(), PolicyError> {
        let event = Event {
            number: self.state.events + 1,
            at_us: by.now_us,
            author: by.author,
            comment: by.comment,
            change,
        };
        self.journal
            .append(&event)
            .map_err(|error| PolicyError::Unwritable(error.to_string()))?;
        tracing::info!(
            author = event.author,
            action = event.change.action(),
            "policy"
        );
        self.state.apply(event);
        self.live = None;
        Ok(())
    }
}

/// `document` with its version replaced: records must name what was handed out.
fn named(document: &Value, version: &str) -> Value {
    let mut document = document.clone();
    if let Value::Object(fields) = &mut document {
        fields.insert("version".into(), version.into());
        // No filter's affair, and older ones would refuse it.
        fields.remove("detection");
        fields.remove("flows");
        fields.remove("visits");
    }
    document
}

fn live(state: &State, policy: Option<&(String, Value)>, now_us: i64) -> Live {
    let running = |until_us: i64| now_us < until_us;
    let mut until_us = i64::MAX;
    let mut candidates = Vec::new();
    for candidate in state.candidates.iter().filter(|it| running(it.until_us)) {
        until_us = until_us.min(candidate.until_us);
        candidates.push(json!({
            "policy": named(&candidate.document, &candidate.id),
            "sample": {"clients_ppm": candidate.clients_ppm, "until_us": candidate.until_us},
        }));
    }
    let mut document = json!({ "candidates": candidates });
    let policy_version = policy.map(|(version, _)| version.clone());
    if let Some((version, policy)) = policy {
        document["policy"] = named(policy, version);
    }
    if let Some(finder) = state.finder.filter(|finder| running(finder.until_us)) {
        until_us = until_us.min(finder.until_us);
        document["finder"] =
            json!({"clients_ppm": finder.clients_ppm, "until_us": finder.until_us});
    }
    let version = hash(document.to_string().as_bytes());
    document["live_version"] = version.clone().into();
    Live {
        version,
        policy_version,
        json: document.to_string(),
        until_us,
    }
}

/// The first 12 hex digits of SHA-256: names a document.
fn hash(bytes: &[u8]) -> String {
    let digest: [u8; 32] = Sha256::digest(bytes).into();
    let short = digest.first_chunk::<6>().copied().unwrap_or_default();
    Hex(short).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use throughline_session::policy::LiveDocument;

    fn by(now_us: i64) -> By {
        By {
            author: "ann".into(),
            comment: String::new(),
            now_us,
        }
    }

    #[test]
    fn what_is_handed_out_is_what_filters_read_and_survives_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Policies::open(folder.path(), None).unwrap();
        let policies = open();
        assert_eq!(policies.live(0), None);
        let document = json!({"version": "mine", "keys": [{"name": "a", "from": {"cookie": "s"}}]});
        policies.put(document.clone(), Some(0), by(1)).unwrap();
        let candidate = policies.put_candidate("try", json!({}), 100_000, 50, by(2));
        assert_eq!(candidate.unwrap().id, "candidate-try-2");
        policies.start_finder(1000, 80, by(3)).unwrap();
        let first = policies.live(10).unwrap();
        let live = LiveDocument::parse(first.json.as_bytes()).unwrap();
        assert_eq!(live.live_version, first.version);
        assert_eq!(live.policy.unwrap().version.as_deref(), Some("v1"));
        let candidate = &live.candidates[0];
        assert_eq!(candidate.policy.version.as_deref(), Some("candidate-try-2"));
        assert_eq!(
            (candidate.sample.clients_ppm, candidate.sample.until_us),
            (100_000, 50)
        );
        assert_eq!(live.finder.unwrap().until_us, 80);
        assert_eq!(open().live(10), Some(Arc::clone(&first)));
        // The end of a candidate and of the finder changes what is told.
        let second = policies.live(60).unwrap();
        let third = policies.live(90).unwrap();
        assert!(first.version != second.version && second.version != third.version);
        assert!(!third.json.contains("finder"));
        // Without changes nothing changes.
        assert_eq!(policies.live(95), Some(third));
    }

    #[test]
    fn only_whoever_knows_the_current_version_replaces_it() {
        let folder = tempfile::tempdir().unwrap();
        let policies = Policies::open(folder.path(), None).unwrap();
        policies.put(json!({}), Some(0), by(1)).unwrap();
        let late = policies.put(json!({}), Some(0), by(2));
        assert_eq!(late, Err(PolicyError::Changed { current: 1 }));
        policies
            .put(json!({"fallback": "ip"}), None, by(3))
            .unwrap();
        let back = policies.roll_back(1, Some(2), by(4)).unwrap();
        assert_eq!(
            (back.version, back.rollback_to, back.document),
            (3, Some(1), json!({}))
        );
        let unknown = policies.roll_back(9, None, by(5));
        assert_eq!(unknown, Err(PolicyError::UnknownVersion(9)));
        assert_eq!(policies.audit().len(), 3);
    }
}
