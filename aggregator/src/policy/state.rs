//! changes → what is so now.

use std::collections::VecDeque;

use serde_json::Value;

use super::journal::{Change, Event};

/// Candidates at a time: what a filter computes beside the policy.
pub const CANDIDATES_MAX: usize = 4;
/// Versions kept in memory, and so answered; the journal has them all.
const VERSIONS_MAX: usize = 1_000;
/// Changes kept in memory, and so answered.
const AUDIT_MAX: usize = 10_000;

/// A version of the policy.
#[derive(Debug, Clone, PartialEq)]
pub struct Version {
    /// From 1.
    pub version: u64,
    /// Microseconds since the Unix epoch.
    pub at_us: i64,
    /// Who, as they call themselves.
    pub author: String,
    /// Why.
    pub comment: String,
    /// The version whose document this is again.
    pub rollback_to: Option<u64>,
    /// The policy.
    pub document: Value,
}

impl Version {
    /// Its name on records.
    #[must_use]
    pub fn name(&self) -> String {
        format!("v{}", self.version)
    }
}

/// A policy that is tried.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Its name.
    pub name: String,
    /// Its name on records: another one after each change, so that trials are not mixed.
    pub id: String,
    /// The policy.
    pub document: Value,
    /// For how many clients in a million.
    pub clients_ppm: u32,
    /// Since when, microseconds since the Unix epoch.
    pub since_us: i64,
    /// Until when, microseconds since the Unix epoch.
    pub until_us: i64,
    /// Who, as they call themselves.
    pub author: String,
}

/// A run of the key finder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finder {
    /// For how many clients in a million.
    pub clients_ppm: u32,
    /// Since when, microseconds since the Unix epoch.
    pub since_us: i64,
    /// Until when, microseconds since the Unix epoch.
    pub until_us: i64,
}

#[derive(Default)]
pub(super) struct State {
    /// Changes ever made.
    pub(super) events: u64,
    pub(super) versions: Vec<Version>,
    /// In the order of their names.
    pub(super) candidates: Vec<Candidate>,
    pub(super) finder: Option<Finder>,
    /// Without documents.
    pub(super) audit: VecDeque<Event>,
}

impl State {
    pub(super) fn version(&self, number: u64) -> Option<&Version> {
        self.versions.iter().find(|it| it.version == number)
    }

    pub(super) fn candidate(&self, name: &str) -> Option<&Candidate> {
        self.candidates.iter().find(|it| it.name == name)
    }

    pub(super) fn apply(&mut self, mut event: Event) {
        self.events = event.number;
        let (at_us, author) = (event.at_us, event.author.clone());
        let comment = event.comment.clone();
        let mut add = |version: u64, rollback_to, document: &mut Value| {
            if self.versions.len() >= VERSIONS_MAX {
                self.versions.remove(0);
            }
            self.versions.push(Version {
                version,
                at_us,
                author: author.clone(),
                comment: comment.clone(),
                rollback_to,
                document: document.take(),
            });
        };
        match &mut event.change {
            Change::Policy { version, document } => add(*version, None, document),
            Change::Rollback {
                version,
                to,
                document,
            } => add(*version, Some(*to), document),
            Change::Candidate {
                name,
                document,
                clients_ppm,
                until_us,
            } => {
                self.candidates.retain(|known| known.name != *name);
                self.candidates.push(Candidate {
                    name: name.clone(),
                    id: format!("candidate-{name}-{}", event.number),
                    document: document.take(),
                    clients_ppm: *clients_ppm,
                    since_us: at_us,
                    until_us: *until_us,
                    author,
                });
                self.candidates.sort_by(|one, two| one.name.cmp(&two.name));
            }
            Change::CandidateDeleted { name } => {
                self.candidates.retain(|known| known.name != *name);
            }
            Change::Finder {
                clients_ppm,
                until_us,
            } => {
                self.finder = Some(Finder {
                    clients_ppm: *clients_ppm,
                    since_us: at_us,
                    until_us: *until_us,
                });
            }
            Change::FinderStopped => {
                if let Some(finder) = &mut self.finder {
                    finder.until_us = finder.until_us.min(at_us);
                }
            }
        }
        if self.audit.len() >= AUDIT_MAX {
            self.audit.pop_front();
        }
        self.audit.push_back(event);
    }
}
