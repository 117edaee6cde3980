//! How far a log was imported: a small file, so that an import goes on where it was cut off.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use throughline_session::hex::Hex;
use throughline_session::wire::BootId;

use super::ImportError;
use crate::import::Books;

/// The folder beside a log that states are in, where no other is given.
const FOLDER: &str = ".throughline-import";
/// Bytes at the beginning of a log that tell it from others.
const PREFIX_LEN_MAX: u64 = 64 * 1024;

/// How far a log was imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    /// Names the import, 16 hex digits.
    boot: String,
    /// Byte after the last line that the service has.
    pub(super) offset: u64,
    /// Number of the line that begins there, from 1.
    pub(super) line: u64,
    /// Sequence of the batch that begins there.
    pub(super) sequence: u64,
    /// Byte at which that batch ends, where it was sent and is not known to be there: it is sent
    /// again with the same lines.
    pub(super) planned: Option<u64>,
    /// What was done so far.
    pub(super) books: Books,
    /// Bytes at the beginning that were looked at, and their SHA-256.
    prefix: (u64, String),
}

impl State {
    /// Nothing was imported.
    pub(super) fn new(boot: BootId) -> Self {
        Self {
            boot: boot.to_string(),
            offset: 0,
            line: 1,
            sequence: 0,
            planned: None,
            books: Books::default(),
            prefix: (0, String::new()),
        }
    }
}

/// Where the state of one log is kept.
pub(super) struct Keeper {
    file: PathBuf,
    log: PathBuf,
}

impl Keeper {
    /// The state of the import `boot` of `log`, in `folder` or beside the log.
    pub(super) fn new(
        log: &Path,
        boot: BootId,
        folder: Option<&Path>,
    ) -> Result<Self, ImportError> {
        let beside = log.parent().unwrap_or(Path::new(".")).join(FOLDER);
        let folder = folder.map_or(beside, Path::to_path_buf);
        std::fs::create_dir_all(&folder)
            .map_err(|error| ImportError::State(folder.clone(), error))?;
        Ok(Self {
            file: folder.join(format!("{boot}.json")),
            log: log.to_path_buf(),
        })
    }

    fn failed(&self, error: io::Error) -> ImportError {
        ImportError::State(self.file.clone(), error)
    }

    /// What was kept; nothing was imported where there is none.
    pub(super) fn load(&self, boot: BootId) -> Result<State, ImportError> {
        let text = match std::fs::read(&self.file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(State::new(boot)),
            read => read.map_err(|error| self.failed(error))?,
        };
        let state: State =
            serde_json::from_slice(&text).map_err(|error| self.failed(io::Error::other(error)))?;
        let len = std::fs::metadata(&self.log).map_or(0, |it| it.len());
        if len < state.offset || self.prefix(state.prefix.0)? != state.prefix {
            return Err(ImportError::Other(self.log.clone(), self.file.clone()));
        }
        Ok(state)
    }

    /// Keeps `state`: whole, whenever this process ends.
    pub(super) fn save(&self, state: &mut State) -> Result<(), ImportError> {
        if state.prefix.0 < PREFIX_LEN_MAX {
            state.prefix = self.prefix(state.offset.min(PREFIX_LEN_MAX))?;
        }
        let new = self.file.with_extension("new");
        let write = || {
            let mut file = File::create(&new)?;
            file.write_all(&serde_json::to_vec(state)?)?;
            file.sync_data()?;
            std::fs::rename(&new, &self.file)
        };
        write().map_err(|error| self.failed(error))
    }

    fn prefix(&self, len: u64) -> Result<(u64, String), ImportError> {
        let read = || {
            let mut bytes = Vec::new();
            File::open(&self.log)?.take(len).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        let bytes = read().map_err(|error| ImportError::Read(self.log.clone(), error))?;
        let hash: [u8; 32] = Sha256::digest(&bytes).into();
        Ok((bytes.len() as u64, Hex(hash).to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOOT: BootId = Hex([1; 8]);

    #[test]
    fn goes_on_with_the_same_log_and_with_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("access.log");
        std::fs::write(&log, "one\ntwo\n").unwrap();
        let keeper = Keeper::new(&log, BOOT, None).unwrap();
        let mut state = keeper.load(BOOT).unwrap();
        assert_eq!(state, State::new(BOOT));
        state.offset = 4;
        state.planned = Some(8);
        keeper.save(&mut state).unwrap();
        assert_eq!(keeper.load(BOOT).unwrap(), state);
        std::fs::write(&log, "one\ntwo\nthree\n").unwrap();
        assert_eq!(keeper.load(BOOT).unwrap(), state, "it has grown");
        for other in ["on", "ONE\ntwo\n"] {
            std::fs::write(&log, other).unwrap();
            let refused = keeper.load(BOOT).unwrap_err().to_string();
            assert!(refused.contains("another log"), "{refused}");
        }
    }
}
