//! Why a log is not imported, and what helps.

use std::path::PathBuf;

use throughline_session::identity::ShortSecret;

use crate::client::ClientError;
use crate::import::{RulesError, SESSION_SECRET};

/// Why an import ended before its end.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// No secret.
    #[error(
        "{SESSION_SECRET} is not set: give the one that Envoy has, so that a client has the same \
         session here and there, or make one (`openssl rand -hex 32`) and keep it"
    )]
    NoSecret,
    /// A secret that could be guessed.
    #[error("{SESSION_SECRET}: {0}")]
    ShortSecret(#[from] ShortSecret),
    /// No rules.
    #[error(transparent)]
    Rules(#[from] RulesError),
    /// The log cannot be read.
    #[error("cannot read {0}: {1}")]
    Read(PathBuf, std::io::Error),
    /// How far it was imported cannot be read or kept.
    #[error("{0}: {1}; how far the log was imported is kept there: --state names another folder")]
    State(PathBuf, std::io::Error),
    /// Another log under the same name.
    #[error(
        "{0} begins like a log that was imported before, and is another log or shorter now: where \
         it is to be imported all the same, delete {1}"
    )]
    Other(PathBuf, PathBuf),
    /// In no format that is known.
    #[error("{file}: the first line is in no format that is known: {line}: --format names one")]
    Format {
        /// The log.
        file: PathBuf,
        /// How its first line begins.
        line: String,
    },
    /// No line made a record.
    #[error("none of {0} lines made a record: the reasons stand above; --format names a format")]
    Nothing(u64),
    /// What is compressed.
    #[error("{0} is compressed: zcat {0} | throughline import -")]
    Compressed(String),
    /// The service does not want it.
    #[error("the service refuses the records: {0}")]
    Refused(String),
    /// The service takes nothing.
    #[error(
        "the service took nothing for {0} s: {1}; the same command goes on where this one ended"
    )]
    GivenUp(u64, String),
    /// The service cannot be asked.
    #[error(transparent)]
    Client(#[from] Box<ClientError>),
    /// Nobody reads what is said.
    #[error("cannot print: {0}")]
    Output(std::io::Error),
}
