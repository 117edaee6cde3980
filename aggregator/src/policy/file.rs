//! A policy that is a file: for teams that keep it in git. Nobody changes it through the API.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use anyhow::Context as _;
use serde_json::Value;

use super::document::{Format, Refused, read};
use super::{DOCUMENT_BYTES_MAX, hash};

/// How the file stands.
#[derive(Debug, Clone, PartialEq)]
pub struct FileStatus {
    /// The file.
    pub path: PathBuf,
    /// Name of its content on records: `file-` and a hash.
    pub version: String,
    /// The policy that was read last.
    pub document: Value,
    /// Why what stands in it now is not used; `None` when it is.
    pub failing: Option<String>,
}

pub(super) struct PolicyFile {
    path: PathBuf,
    inner: Mutex<Inner>,
}

struct Inner {
    version: String,
    document: Value,
    failing: Option<String>,
    stamp: Option<(SystemTime, u64)>,
}

impl PolicyFile {
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        let stamp = stamp(path);
        let (version, document) = load(path)
            .with_context(|| format!("--policy-file {} cannot be used", path.display()))?;
        Ok(Self {
            path: path.to_path_buf(),
            inner: Mutex::new(Inner {
                version,
                document,
                failing: None,
                stamp,
            }),
        })
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn status(&self) -> FileStatus {
        let inner = self.inner();
        FileStatus {
            path: self.path.clone(),
            version: inner.version.clone(),
            document: inner.document.clone(),
            failing: inner.failing.clone(),
        }
    }

    /// Reads the file again if it has changed; whether the policy did. What cannot be used does
    /// not replace what could.
    pub(super) fn look(&self) -> bool {
        let stamp = stamp(&self.path);
        let mut inner = self.inner();
        if stamp == inner.stamp {
            return false;
        }
        inner.stamp = stamp;
        match load(&self.path) {
            Ok((version, document)) => {
                let changed = version != inner.version;
                if changed {
                    tracing::info!(version, "the policy file has changed");
                }
                (inner.version, inner.document) = (version, document);
                inner.failing = None;
                changed
            }
            Err(error) => {
                tracing::error!(
                    error = format!("{error:#}"),
                    file = %self.path.display(),
                    "the policy file cannot be used; the policy before stays"
                );
                inner.failing = Some(format!("{error:#}"));
                false
            }
        }
    }
}

fn stamp(path: &Path) -> Option<(SystemTime, u64)> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

/// The format that a file's name says.
#[must_use]
pub fn format_of(path: &Path) -> Format {
    let is_json = path
        .extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("json"));
    if is_json { Format::Json } else { Format::Yaml }
}

fn load(path: &Path) -> anyhow::Result<(String, Value)> {
    let size = std::fs::metadata(path)?.len();
    if size > DOCUMENT_BYTES_MAX {
        let problem =
            format!("the file has {size} bytes; a policy has at most {DOCUMENT_BYTES_MAX}");
        return Err(Refused::whole(problem).into());
    }
    let read = read(&std::fs::read(path)?, format_of(path))?;
    let version = format!("file-{}", hash(read.value.to_string().as_bytes()));
    Ok((version, read.value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_file_does_not_replace_a_good_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("policy.yaml");
        std::fs::write(&path, "keyz: []").unwrap();
        let error = PolicyFile::open(&path).err().unwrap();
        assert!(
            format!("{error:#}").contains("keyz: unknown field"),
            "{error:#}"
        );
        std::fs::write(&path, "fallback: ip").unwrap();
        let file = PolicyFile::open(&path).unwrap();
        let first = file.status();
        assert!(!file.look());
        std::fs::write(&path, "fallback: nobody").unwrap();
        assert!(!file.look());
        let broken = file.status();
        assert_eq!(broken.version, first.version);
        assert!(
            broken
                .failing
                .unwrap()
                .contains("fallback: unknown variant")
        );
        std::fs::write(&path, "fallback: ip_prefix").unwrap();
        assert!(file.look());
        assert_ne!(file.status().version, first.version);
        assert_eq!(file.status().failing, None);
    }
}
