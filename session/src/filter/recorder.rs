//! exchange → record line, without a worker around it: for exchanges that were over long ago and
//! are known from a log.

use super::Host;
use super::exchange::Exchange;
use super::live::{Active, Bootstrap};
use crate::identity::{Hasher, ShortSecret};
use crate::policy::PolicyDocument;

/// Writes the records that the filter would have written.
pub struct Recorder {
    active: Active,
    hasher: Hasher,
}

/// When an exchange ended and how large its bodies were, as far as a log says so.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Measured {
    /// Microseconds since the Unix epoch.
    pub end_us: i64,
    /// Bytes of the request's body.
    pub request_bytes: u64,
    /// Bytes of the response's body.
    pub response_bytes: u64,
}

impl Recorder {
    /// Prepares a checked policy; `version` names it where it has no name.
    ///
    /// # Errors
    /// [`ShortSecret`] when the session secret could be guessed.
    pub fn new(policy: &PolicyDocument, version: &str, secret: &[u8]) -> Result<Self, ShortSecret> {
        let bootstrap = Bootstrap {
            document: policy.clone(),
            version: version.to_owned(),
        };
        Ok(Self {
            active: Active::start(&bootstrap),
            hasher: Hasher::new(secret)?,
        })
    }

    /// Appends the record of the exchange that `host` shows, whose clock says when it began, as one
    /// line.
    ///
    /// # Errors
    /// When it cannot be written as JSON; `lines` is then as before.
    pub fn record<H: Host>(
        &self,
        host: &H,
        measured: Measured,
        index: u32,
        lines: &mut Vec<u8>,
    ) -> Result<(), serde_json::Error> {
        let exchange = Exchange::begin(host, &self.active, &self.hasher)
            .logged(measured.request_bytes, measured.response_bytes);
        exchange
            .finish(host, &self.hasher, index, measured.end_us, lines)
            .map(drop)
    }
}
