//! Files → text, and what is wrong with them.

use std::borrow::Cow;
use std::fmt::Display;
use std::io::Read as _;
use std::path::Path;

use throughline_detection::evaluate::AccessLog;

/// A file is read into memory; this is the most, bytes.
const FILE_LEN_MAX: u64 = 4 << 30;
/// Of a log's lines, one in so many may be in another format: real logs have a few.
const UNREAD_ONE_IN: usize = 100;

/// A file that cannot be used: which, where, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// It cannot be read.
    #[error("cannot read {file}: {source}")]
    Read {
        /// Which.
        file: String,
        /// Why.
        source: std::io::Error,
    },
    /// It is too large.
    #[error("{file} has more than {} GiB: split it by time", FILE_LEN_MAX >> 30)]
    TooLong {
        /// Which.
        file: String,
    },
    /// It is compressed.
    #[error("{file} is compressed: unpack it first (gunzip, unzstd)")]
    Compressed {
        /// Which.
        file: String,
    },
    /// Nothing in it.
    #[error("{file} is empty")]
    Empty {
        /// Which.
        file: String,
    },
    /// Something in it.
    #[error("{file}, {what}")]
    Line {
        /// Which.
        file: String,
        /// `line N: …`, with the remedy.
        what: String,
    },
}

/// What a file of traffic holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Log,
    Records,
    /// Records when it begins with `{`.
    Either,
}

/// A file in memory.
pub(super) struct Text {
    pub(super) file: String,
    pub(super) bytes: Vec<u8>,
}

impl Text {
    pub(super) fn read(path: &Path) -> Result<Self, InputError> {
        let file = path.display().to_string();
        let mut bytes = Vec::new();
        let read = std::fs::File::open(path)
            .and_then(|it| it.take(FILE_LEN_MAX + 1).read_to_end(&mut bytes));
        match read {
            Err(source) => Err(InputError::Read { file, source }),
            Ok(_) if bytes.len() as u64 > FILE_LEN_MAX => Err(InputError::TooLong { file }),
            Ok(_)
                if bytes.starts_with(&[0x1f, 0x8b])
                    || bytes.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) =>
            {
                Err(InputError::Compressed { file })
            }
            Ok(_) if bytes.trim_ascii().is_empty() => Err(InputError::Empty { file }),
            Ok(_) => Ok(Self { file, bytes }),
        }
    }

    /// Clients put any bytes into a log; those that are not UTF-8 become U+FFFD.
    pub(super) fn lossy(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.bytes)
    }

    pub(super) fn is_ndjson(&self) -> bool {
        self.bytes.trim_ascii_start().starts_with(b"{")
    }

    /// `what` begins with the line.
    pub(super) fn error(&self, what: impl Display) -> InputError {
        InputError::Line {
            file: self.file.clone(),
            what: what.to_string(),
        }
    }
}

/// A log in another format is refused, not scored on the few lines that happen to fit.
pub(super) fn check_log(text: &Text, log: &AccessLog<'_>) -> Result<(), InputError> {
    use throughline_detection::evaluate::Traffic as _;
    let mut unread = log.unread();
    let Some(first) = unread.next() else {
        return Ok(());
    };
    let (count, lines) = (unread.count() + 1, log.lines());
    if count.saturating_mul(UNREAD_ONE_IN) > lines {
        let remedy = if text.is_ndjson() {
            "records are given with --records"
        } else {
            "convert it, or remove such lines and number the labels anew"
        };
        return Err(text.error(format!(
            "line {first}: neither common nor combined log format, like {count} of {lines} lines: \
             {remedy}"
        )));
    }
    tracing::warn!(
        file = text.file,
        first,
        count,
        "lines left out: not in the log's format"
    );
    Ok(())
}
