//! address → name → address: is a client the search engine that its user agent says?
//!
//! [`Judge`](crate::verdicts::Judge) sees who claims to be a crawler that the policy names, and puts a
//! [`Question`] in the queue of [`Inquiries`]; [`verify`] asks a DNS server ([`Names`]) in the background.
//! Nobody waits for it. What it confirms is written into the log as a
//! [`Ruling`](crate::verdicts::Ruling), and detection learns it from there: whatever reads the log again
//! asks nobody, and gives the same verdicts.

mod claims;
mod inquiries;
mod message;
mod names;
mod verify;

use std::net::IpAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use claims::Claims;
pub use inquiries::Inquiries;
pub use names::{Names, NamesError};
pub use verify::verify;

/// Whether an address lies in one of some domains, by its name and back.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Question {
    /// The client's.
    pub address: IpAddr,
    /// In lower case, without a dot at either end.
    pub domains: Arc<[String]>,
}

/// What came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It lies in this domain.
    Confirmed(String),
    /// It has no name there, or none that leads back to it.
    Refuted,
    /// No server said anything of use: nothing is known.
    Silent,
}

impl Answer {
    /// Its word in figures.
    fn name(&self) -> &'static str {
        match self {
            Self::Confirmed(_) => "confirmed",
            Self::Refuted => "refuted",
            Self::Silent => "silent",
        }
    }
}

/// What was confirmed, as it stands in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    /// Which address.
    pub address: IpAddr,
    /// In which domain of the policy it lies.
    pub domain: String,
    /// When, microseconds since the Unix epoch.
    pub at_us: i64,
}
