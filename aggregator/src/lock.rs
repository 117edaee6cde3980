//! One process per data folder: a lock file that names its holder.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

/// Why the data folder could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process works on it.
    #[error(
        "the data folder {folder} is in use by process {pid}; stop it, or choose another --data"
    )]
    Taken {
        /// The folder.
        folder: PathBuf,
        /// Process id of the holder, as far as its file tells.
        pid: String,
    },
    /// The lock file could not be opened, locked or written.
    #[error("cannot lock the data folder {folder}: {source}")]
    Io {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

/// Holds the data folder until dropped; the system releases it if the process dies.
#[derive(Debug)]
pub struct DataLock {
    _file: File,
}

impl DataLock {
    /// Takes `folder`, which must exist.
    ///
    /// # Errors
    /// [`LockError::Taken`] when another process holds it.
    pub fn take(folder: &Path) -> Result<Self, LockError> {
        let io = |source| LockError::Io {
            folder: folder.to_path_buf(),
            source,
        };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(folder.join("lock"))
            .map_err(io)?;
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            let mut pid = String::new();
            std::io::Read::by_ref(&mut file)
                .take(20)
                .read_to_string(&mut pid)
                .map_err(io)?;
            let pid = if pid.trim().is_empty() {
                "(unknown)"
            } else {
                pid.trim()
            }
            .to_owned();
            return Err(LockError::Taken {
                folder: folder.to_path_buf(),
                pid,
            });
        }
        file.set_len(0).map_err(io)?;
        file.rewind().map_err(io)?;
        writeln!(file, "{}", std::process::id()).map_err(io)?;
        Ok(Self { _file: file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_taker_is_told_who_holds_it() {
        let folder = tempfile::tempdir().unwrap();
        let first = DataLock::take(folder.path()).unwrap();
        let refused = DataLock::take(folder.path()).unwrap_err().to_string();
        assert!(
            refused.contains(&format!("process {};", std::process::id())),
            "{refused}"
        );
        drop(first);
        DataLock::take(folder.path()).unwrap();
    }
}
