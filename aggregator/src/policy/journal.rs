//! Every change to the policy, one line of JSON each, on disk before it takes effect.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::Path;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What was changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Change {
    /// A new policy.
    Policy {
        /// Its number.
        version: u64,
        /// The policy.
        document: Value,
    },
    /// An old policy, again.
    Rollback {
        /// Its new number.
        version: u64,
        /// Its old one.
        to: u64,
        /// The policy.
        document: Value,
    },
    /// A policy to be tried, new or replaced.
    Candidate {
        /// Its name.
        name: String,
        /// The policy.
        document: Value,
        /// For how many clients in a million.
        clients_ppm: u32,
        /// Until when, microseconds since the Unix epoch.
        until_us: i64,
    },
    /// A candidate was taken away.
    CandidateDeleted {
        /// Its name.
        name: String,
    },
    /// The key finder was started.
    Finder {
        /// For how many clients in a million.
        clients_ppm: u32,
        /// Until when, microseconds since the Unix epoch.
        until_us: i64,
    },
    /// The key finder was stopped.
    FinderStopped,
}

impl Change {
    /// The word for it.
    #[must_use]
    pub fn action(&self) -> &'static str {
        match self {
            Self::Policy { .. } => "policy",
            Self::Rollback { .. } => "rollback",
            Self::Candidate { .. } => "candidate",
            Self::CandidateDeleted { .. } => "candidate_deleted",
            Self::Finder { .. } => "finder",
            Self::FinderStopped => "finder_stopped",
        }
    }
}

/// A change, with who made it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// From 1, without gaps.
    pub number: u64,
    /// Microseconds since the Unix epoch.
    pub at_us: i64,
    /// Who, as they call themselves.
    pub author: String,
    /// Why.
    pub comment: String,
    /// What.
    #[serde(flatten)]
    pub change: Change,
}

/// The file.
pub(super) struct Journal {
    file: File,
    end: u64,
}

impl Journal {
    /// Opens `path`, or makes it. A last line that was cut off is no change: nobody was told so.
    pub(super) fn open(path: &Path) -> anyhow::Result<(Self, Vec<Event>)> {
        let about = || format!("cannot open {}", path.display());
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .with_context(about)?;
        let mut text = Vec::new();
        file.read_to_end(&mut text).with_context(about)?;
        let mut events = Vec::new();
        let mut end = 0;
        for (index, line) in text.split_inclusive(|byte| *byte == b'\n').enumerate() {
            if line.last() != Some(&b'\n') {
                tracing::warn!(
                    bytes = line.len(),
                    "cut the torn end of the policy's journal off"
                );
                break;
            }
            let event = serde_json::from_slice(line).with_context(|| {
                format!(
                    "{} is damaged in line {}: put a copy in its place, or move it away to start \
                     without policy versions",
                    path.display(),
                    index + 1
                )
            })?;
            events.push(event);
            end += line.len() as u64;
        }
        let mut journal = Self { file, end };
        journal.cut().with_context(about)?;
        if let Some(folder) = path.parent().filter(|it| !it.as_os_str().is_empty()) {
            File::open(folder)
                .and_then(|folder| folder.sync_all())
                .with_context(about)?;
        }
        Ok((journal, events))
    }

    /// Makes a change durable, or leaves the file as it was.
    pub(super) fn append(&mut self, event: &Event) -> io::Result<()> {
        let mut line = serde_json::to_vec(event)?;
        line.push(b'\n');
        // What an earlier failure left behind must not be read as a change.
        self.cut()?;
        let written = self
            .file
            .write_all(&line)
            .and_then(|()| self.file.sync_all());
        match written {
            Ok(()) => {
                self.end += line.len() as u64;
                Ok(())
            }
            Err(error) => {
                if let Err(error) = self.cut() {
                    tracing::error!(%error, "the policy's journal has a torn end");
                }
                Err(error)
            }
        }
    }

    fn cut(&mut self) -> io::Result<()> {
        self.file.set_len(self.end)?;
        self.file.seek(io::SeekFrom::Start(self.end)).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(number: u64) -> Event {
        Event {
            number,
            at_us: 1,
            author: "ann".into(),
            comment: "line\nbreak".into(),
            change: Change::FinderStopped,
        }
    }

    #[test]
    fn a_torn_end_is_cut_and_damage_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("policy.ndjson");
        let (mut journal, events) = Journal::open(&path).unwrap();
        assert_eq!(events, []);
        journal.append(&event(1)).unwrap();
        std::fs::write(
            &path,
            [std::fs::read(&path).unwrap(), b"{\"number\":2,".to_vec()].concat(),
        )
        .unwrap();
        let (mut journal, events) = Journal::open(&path).unwrap();
        assert_eq!(events, [event(1)]);
        journal.append(&event(2)).unwrap();
        assert_eq!(Journal::open(&path).unwrap().1, [event(1), event(2)]);
        std::fs::write(&path, b"{}\n").unwrap();
        let error = Journal::open(&path).err().unwrap().to_string();
        assert!(error.contains("damaged in line 1"), "{error}");
    }
}
