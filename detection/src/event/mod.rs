//! record → event: an exchange in the small form that features are computed from.
//!
//! An [`Exchange`] borrows its text from a record or a log line; [`Event`] holds hashes, numbers
//! and enums only. What an exchange means to its application (its endpoint, whether a referer is
//! the application's own) is decided in `state::application`.

pub mod access_log;
mod address;
mod browser;
mod claim;
mod exchange;
mod kind;
mod template;
mod words;

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use throughline_session::wire::SessionId;

pub(crate) use address::{parse as address, prefix};
pub(crate) use browser::{Browser, Family};
pub use claim::Claim;
pub use exchange::{Exchange, LINKS_MAX, Named, Whereabouts};
pub(crate) use exchange::{method, outcome, protocol, served};
pub use kind::Kind;
pub(crate) use template::Parameter;
pub use template::Templates;
pub(crate) use words::{is_login, is_probe};

/// Where in the log a record stands; grows with every record and orders everything.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct LogPosition {
    /// Byte offset of the record's batch in the log, or any other number that grows; the default
    /// position (0, 0) stands for 'none'.
    pub offset: u64,
    /// The record's place within that batch.
    pub index: u32,
}

/// The request method, as far as features tell them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    Get,
    Head,
    Options,
    /// POST, PUT, PATCH, DELETE.
    Write,
    Other,
}

/// The HTTP version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// HTTP/1.0 and older: no browser of this century.
    Http10,
    Http11,
    /// HTTP/2 and later.
    Http2,
    Unknown,
}

/// Whose answer it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The application's.
    Answered,
    /// Ours or Envoy's: a 403 or 429 that the upstream never saw. Feeds no feature, or a verdict
    /// would be its own evidence.
    Refused,
    /// The upstream was not there. Feeds no feature, or an outage would look like an attack.
    Outage,
}

/// Where the request says that it came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Referer {
    None,
    /// The application's own pages.
    Own,
    Foreign,
}

/// One exchange, interned and classified.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) position: LogPosition,
    /// Microseconds since the Unix epoch.
    pub(crate) at_us: i64,
    pub(crate) session: SessionId,
    /// The session before the exchange, when it is another one: a login or a refresh.
    pub(crate) came_from: Option<SessionId>,
    /// The session was found by a key of the client's own, not by its address.
    pub(crate) keyed: bool,
    pub(crate) address: Option<IpAddr>,
    /// /24 or /64.
    pub(crate) subnet: Option<IpAddr>,
    pub(crate) user_agent: Option<u64>,
    pub(crate) claim: Claim,
    pub(crate) browser: Option<Browser>,
    /// Where the address is, by hash.
    pub(crate) country: Option<u64>,
    pub(crate) asn: Option<u32>,
    /// Of the client's TLS, by hash.
    pub(crate) fingerprint: Option<u64>,
    /// Fingerprint of the set of header names.
    pub(crate) header_shape: Option<u64>,
    /// Telling header names.
    pub(crate) header_marks: Option<u32>,
    /// The sessions that links lead to.
    pub(crate) links: [Option<SessionId>; LINKS_MAX],
    /// The session that the policy before would have made of it.
    pub(crate) before_change: Option<SessionId>,
    /// The user the session belongs to.
    pub(crate) user: Option<u64>,
    /// Anyone can claim to be that user.
    pub(crate) user_forgeable: bool,
    /// The account that a login tried.
    pub(crate) account: Option<u64>,
    pub(crate) method: Method,
    pub(crate) protocol: Protocol,
    pub(crate) kind: Kind,
    /// A login or the like, by path and method.
    pub(crate) login: bool,
    /// A path that only scanners ask for.
    pub(crate) probe: bool,
    /// Of the path, without the query.
    pub(crate) path: u64,
    /// The template, a small number per application.
    pub(crate) endpoint: u32,
    pub(crate) parameter: Option<Parameter>,
    pub(crate) depth: u8,
    /// First segment.
    pub(crate) root: u64,
    /// Hash of the whole query.
    pub(crate) query: Option<u64>,
    pub(crate) query_names: u8,
    /// 0: no response.
    pub(crate) status: u16,
    pub(crate) outcome: Outcome,
    pub(crate) request_bytes: u64,
    pub(crate) response_bytes: u64,
    /// What the upstream took; `None` when unknown.
    pub(crate) upstream_us: Option<u64>,
    pub(crate) referer: Referer,
    /// The page that the referer names, by the hash of its path; records do not carry it.
    pub(crate) referer_path: Option<u64>,
}

impl Event {
    /// 401, 404, 403, 410: the client asked for what is not there or not for it.
    pub(crate) fn missed(&self) -> bool {
        matches!(self.status, 401 | 403 | 404 | 410)
    }

    /// 2xx, 304 and other redirects.
    pub(crate) fn succeeded(&self) -> bool {
        (200..400).contains(&self.status)
    }

    /// A login that the application turned down.
    pub(crate) fn login_failed(&self) -> bool {
        self.login && matches!(self.status, 400 | 401 | 403 | 404 | 422 | 423)
    }

    /// A login that the application accepted.
    pub(crate) fn login_succeeded(&self) -> bool {
        self.login && self.succeeded()
    }
}
