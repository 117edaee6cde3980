//! request → (allowed in?): who asks, what they may do, and with which applications.
//!
//! The environment's tokens (`secret`) are for the first start. Others are made and revoked by
//! `throughline token` (`cli`) in a file of the data folder (`file`), which a running service
//! follows. `gate` holds a request against both.

mod cli;
mod file;
mod gate;
mod secret;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use cli::{TokenCommand, run};
pub use file::{Change, Event, TokenFile, TokenFileError};
pub use gate::{Denied, Gate};
pub use secret::{TOKEN_LEN_MIN, Token};

/// What a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Sends batches and fetches the live policy: for filters.
    Ingest,
    /// Reads.
    Read,
    /// Reads, and changes the policy, labels, pins and views.
    Admin,
}

impl Role {
    /// Its word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::Read => "read",
            Self::Admin => "admin",
        }
    }

    /// Whether a token of this role may do what `needed` is for.
    #[must_use]
    pub fn allows(self, needed: Self) -> bool {
        self == needed || (self == Self::Admin && needed == Self::Read)
    }
}

/// Which applications a token is for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Scope {
    /// All of them.
    #[default]
    All,
    /// Only these.
    Only(Arc<[String]>),
}

impl Scope {
    /// No names stand for all applications.
    #[must_use]
    pub fn of(applications: &[String]) -> Self {
        if applications.is_empty() {
            Self::All
        } else {
            Self::Only(applications.into())
        }
    }

    /// Whether `application` is one of them.
    #[must_use]
    pub fn covers(&self, application: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(names) => names.iter().any(|name| name == application),
        }
    }
}

/// What whoever asks may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The token's name, for messages and the audit log; a variable's name for the environment's.
    pub name: String,
    /// What it is for.
    pub role: Role,
    /// With which applications.
    pub scope: Scope,
}

impl Grant {
    /// Whoever asks what is open to all: nothing of any application.
    #[must_use]
    pub fn nobody() -> Self {
        Self {
            name: "nobody".into(),
            role: Role::Read,
            scope: Scope::Only(Arc::new([])),
        }
    }
}
