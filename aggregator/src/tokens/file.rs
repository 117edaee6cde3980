//! `tokens.ndjson` in the data folder: every token made and revoked, one line of JSON each, and so
//! the audit log of tokens too. Secrets are not in it, only their SHA-256.
//!
//! Only `throughline token` writes it, under a lock; it grows and is never rewritten. The service
//! looks at its size before each request that brings a token, and reads it again when it changed.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use throughline_session::hex::Hex;

use super::{Grant, Role, Scope};

/// Tokens that are not revoked.
pub(super) const TOKENS_MAX: usize = 1000;
const NAME: &str = "tokens.ndjson";

/// Why the file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TokenFileError {
    /// What the system says.
    #[error("cannot use {file}: {source}")]
    Io {
        /// The file.
        file: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// A line that is no event.
    #[error(
        "{file} is damaged in line {line}: put a copy in its place, or move it away and make the \
         tokens anew; until then none of its tokens is accepted"
    )]
    Damaged {
        /// The file.
        file: PathBuf,
        /// Its line, from 1.
        line: usize,
    },
}

/// What was done with a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Change {
    /// It was made.
    Created {
        /// What it is called.
        name: String,
        /// What it is for.
        role: Role,
        /// The applications that it is limited to; empty: all.
        applications: Vec<String>,
        /// It is refused from here on, microseconds since the Unix epoch.
        expires_us: Option<i64>,
        /// Of the secret.
        sha256: Hex<32>,
    },
    /// It is refused from here on.
    Revoked,
}

/// A change, with who made it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Microseconds since the Unix epoch.
    pub at_us: i64,
    /// Who, as they call themselves.
    pub author: String,
    /// Why.
    pub comment: String,
    /// Names the token.
    pub id: Hex<4>,
    /// What.
    #[serde(flatten)]
    pub change: Change,
}

/// A token that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Names it.
    pub id: Hex<4>,
    /// What it may do.
    pub grant: Grant,
    /// When it was made, microseconds since the Unix epoch.
    pub created_us: i64,
    /// Who made it.
    pub author: String,
    /// It is refused from here on.
    pub expires_us: Option<i64>,
    /// When it was revoked.
    pub revoked_us: Option<i64>,
}

impl Stored {
    /// Whether it is still accepted.
    #[must_use]
    pub fn is_live(&self, now_us: i64) -> bool {
        self.revoked_us.is_none() && self.expires_us.is_none_or(|expires_us| now_us < expires_us)
    }
}

/// What the file says.
#[derive(Debug, Default)]
pub struct Contents {
    /// Every line, in order.
    pub events: Vec<Event>,
    /// Every token in the order in which they were made.
    pub tokens: Vec<Stored>,
    by_hash: HashMap<[u8; 32], usize>,
    /// Bytes of whole lines.
    end: u64,
}

impl Contents {
    fn parse(file: &Path, text: &[u8]) -> Result<Self, TokenFileError> {
        let mut contents = Self::default();
        for (index, line) in text.split_inclusive(|byte| *byte == b'\n').enumerate() {
            if line.last() != Some(&b'\n') {
                // Cut off while it was written: nobody was shown that token.
                break;
            }
            let event = serde_json::from_slice(line).map_err(|_| TokenFileError::Damaged {
                file: file.to_path_buf(),
                line: index + 1,
            })?;
            contents.apply(&event);
            contents.events.push(event);
            contents.end += line.len() as u64;
        }
        Ok(contents)
    }

    fn apply(&mut self, event: &Event) {
        match &event.change {
            Change::Created {
                name,
                role,
                applications,
                expires_us,
                sha256,
            } => {
                self.by_hash.insert(sha256.0, self.tokens.len());
                self.tokens.push(Stored {
                    id: event.id,
                    grant: Grant {
                        name: name.clone(),
                        role: *role,
                        scope: Scope::of(applications),
                    },
                    created_us: event.at_us,
                    author: event.author.clone(),
                    expires_us: *expires_us,
                    revoked_us: None,
                });
            }
            Change::Revoked => {
                let meant = self.tokens.iter_mut().filter(|token| token.id == event.id);
                for token in meant {
                    token.revoked_us = token.revoked_us.or(Some(event.at_us));
                }
            }
        }
    }

    /// The token whose secret has this hash, revoked or not.
    #[must_use]
    pub fn find(&self, sha256: &[u8; 32]) -> Option<&Stored> {
        self.tokens.get(*self.by_hash.get(sha256)?)
    }

    /// Whether there is a token for `needed` that is accepted.
    #[must_use]
    pub fn has(&self, needed: Role, now_us: i64) -> bool {
        let mut tokens = self.tokens.iter();
        tokens.any(|token| token.grant.role.allows(needed) && token.is_live(now_us))
    }
}

/// Size, change and inode: another file, or more of it.
type Stamp = (u64, i64, i64, u64);

/// The file, read again when it changed.
#[derive(Debug)]
pub struct TokenFile {
    path: PathBuf,
    read: Mutex<(Option<Stamp>, Arc<Contents>)>,
}

impl TokenFile {
    /// Reads the file in `data`; where there is none there are no tokens.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn open(data: &Path) -> Result<Self, TokenFileError> {
        let path = data.join(NAME);
        let stamp = stamp(&path)?;
        let contents = Arc::new(load(&path)?);
        let read = Mutex::new((stamp, contents));
        Ok(Self { path, read })
    }

    /// What it says now. Nothing while it is damaged: a revocation might be in what cannot be read.
    pub fn contents(&self) -> Arc<Contents> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let now = stamp(&self.path).unwrap_or(Some((0, 0, 0, 0)));
        if read.0 != now {
            let contents = load(&self.path).unwrap_or_else(|error| {
                tracing::error!(%error, "no token of the file is accepted");
                Contents::default()
            });
            *read = (now, Arc::new(contents));
        }
        Arc::clone(&read.1)
    }
}

fn stamp(path: &Path) -> Result<Option<Stamp>, TokenFileError> {
    match std::fs::metadata(path) {
        Ok(found) => Ok(Some((
            found.len(),
            found.mtime(),
            found.mtime_nsec(),
            found.ino(),
        ))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(TokenFileError::Io {
            file: path.to_path_buf(),
            source,
        }),
    }
}

fn load(path: &Path) -> Result<Contents, TokenFileError> {
    match std::fs::read(path) {
        Ok(text) => Contents::parse(path, &text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Contents::default()),
        Err(source) => Err(TokenFileError::Io {
            file: path.to_path_buf(),
            source,
        }),
    }
}

/// The file open for a change; nobody else changes it meanwhile.
pub(super) struct Writing {
    path: PathBuf,
    file: File,
    /// What it says.
    pub(super) contents: Contents,
}

impl Writing {
    /// Opens the file in `data` for its owner alone, or makes it; waits for another writer.
    ///
    /// # Errors
    /// When it cannot be opened or read.
    pub(super) fn open(data: &Path) -> Result<Self, TokenFileError> {
        let path = data.join(NAME);
        let read = || {
            let mut file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .mode(0o600)
                .open(&path)?;
            flock(&file, FlockOperation::LockExclusive)?;
            let mut text = Vec::new();
            file.read_to_end(&mut text)?;
            Ok((file, text))
        };
        let (file, text) = read().map_err(|source| TokenFileError::Io {
            file: path.clone(),
            source,
        })?;
        let contents = Contents::parse(&path, &text)?;
        Ok(Self {
            path,
            file,
            contents,
        })
    }

    /// Makes a change durable.
    ///
    /// # Errors
    /// When the disk refuses; a torn line counts for nothing.
    pub(super) fn append(&mut self, event: &Event) -> Result<(), TokenFileError> {
        let mut write = || {
            let mut line = serde_json::to_vec(event)?;
            line.push(b'\n');
            self.file.set_len(self.contents.end)?;
            self.file.seek(io::SeekFrom::Start(self.contents.end))?;
            self.file.write_all(&line)?;
            self.file.sync_all()?;
            if let Some(folder) = self.path.parent().filter(|it| !it.as_os_str().is_empty()) {
                File::open(folder)?.sync_all()?;
            }
            Ok(line.len() as u64)
        };
        let written = write().map_err(|source| TokenFileError::Io {
            file: self.path.clone(),
            source,
        })?;
        self.contents.end += written;
        self.contents.apply(event);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn created(id: u8, role: Role) -> Event {
        Event {
            at_us: 1,
            author: "ann".into(),
            comment: String::new(),
            id: Hex([id; 4]),
            change: Change::Created {
                name: "n".into(),
                role,
                applications: vec!["shop".into()],
                expires_us: Some(100),
                sha256: Hex([id; 32]),
            },
        }
    }

    fn revoked(id: u8) -> Event {
        Event {
            change: Change::Revoked,
            ..created(id, Role::Read)
        }
    }

    #[test]
    fn a_reader_sees_each_change_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = TokenFile::open(folder.path()).unwrap();
        let is_live = |id: u8, now_us| {
            let contents = file.contents();
            let found = contents.find(&[id; 32]);
            found.map(|token| token.is_live(now_us))
        };
        assert_eq!(is_live(1, 5), None);
        let change = |event: &Event| {
            let mut writing = Writing::open(folder.path()).unwrap();
            writing.append(event).unwrap();
        };
        change(&created(1, Role::Read));
        assert_eq!(is_live(1, 5), Some(true));
        assert_eq!(is_live(1, 100), Some(false), "it has expired");
        change(&created(2, Role::Admin));
        change(&revoked(1));
        assert_eq!((is_live(1, 5), is_live(2, 5)), (Some(false), Some(true)));
        assert!(file.contents().has(Role::Read, 5), "an admin may read");
        assert!(!file.contents().has(Role::Ingest, 5));
        let mode = std::fs::metadata(folder.path().join(NAME)).unwrap().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_torn_end_counts_for_nothing_and_damage_shuts_everyone_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(NAME);
        Writing::open(folder.path())
            .unwrap()
            .append(&created(1, Role::Read))
            .unwrap();
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, [&whole, &b"{\"at_us\":2,"[..]].concat()).unwrap();
        let file = TokenFile::open(folder.path()).unwrap();
        assert_eq!(file.contents().tokens.len(), 1);
        Writing::open(folder.path())
            .unwrap()
            .append(&created(2, Role::Read))
            .unwrap();
        assert_eq!(file.contents().tokens.len(), 2);
        std::fs::write(&path, [&b"{}\n"[..], &whole].concat()).unwrap();
        assert_eq!(file.contents().tokens.len(), 0);
        let error = TokenFile::open(folder.path()).err().unwrap().to_string();
        assert!(error.contains("damaged in line 1"), "{error}");
    }
}
