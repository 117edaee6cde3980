//! One HTTP exchange as the filter saw it.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::hex::Hex;
use crate::shape::HeaderShape;

/// 128 bits as 32 hex digits: HMAC of the application, the namespace and the key values.
pub type SessionId = Hex<16>;
/// 64 random bits that name one run of an Envoy process.
pub type BootId = Hex<8>;
/// Keyed 64-bit hash of a whole query string.
pub type QueryHash = Hex<8>;

/// Names one record for good: which Envoy run, which worker, which batch, which line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordId {
    /// The run of an Envoy process.
    pub boot: BootId,
    /// The filter instance within it.
    pub worker: u32,
    /// The batch within (boot, worker).
    pub sequence: u64,
    /// The line within the batch, from 0.
    pub index: u32,
}

/// Written as `boot-worker-sequence-index`, e.g. `00000000000000ff-3-17-0`.
impl fmt::Display for RecordId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}-{}-{}-{}",
            self.boot, self.worker, self.sequence, self.index
        )
    }
}

/// One line of a batch. Text borrows from the line where it needs no unescaping.
///
/// Absent means: the exchange had none. Bytes that are not UTF-8 are written as U+FFFD.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record<'a> {
    /// Position in the batch, from 0; with the header line's ids this is the record id.
    pub index: u32,
    /// When the request's headers were in, microseconds since the Unix epoch, Envoy's clock.
    pub start_us: i64,
    /// The application that the host and path belong to; `default` when none was configured.
    #[serde(borrow)]
    pub application: Cow<'a, str>,
    /// `x-request-id`, at most 128 bytes.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<Cow<'a, str>>,
    /// Trace id out of `traceparent`, 32 hex digits.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<Cow<'a, str>>,
    /// Request method; absent when Envoy refused the request before the filters.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub method: Option<Cow<'a, str>>,
    /// `http` or `https`.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub scheme: Option<Cow<'a, str>>,
    /// `:authority`, lower-case, without the port, at most 255 bytes.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub host: Option<Cow<'a, str>>,
    /// Path without the query, redacted, at most 2,048 bytes; absent like `method`.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub path: Option<Cow<'a, str>>,
    /// Names of the query parameters in order, at most 64 of at most 64 bytes each.
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    pub query_names: Vec<Cow<'a, str>>,
    /// (name, value) of the query parameters that the policy names, values at most 256 bytes.
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    pub query_values: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// Keyed hash of the whole query string; absent when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query_hash: Option<QueryHash>,
    /// `HTTP/1.1`, `HTTP/2`, ….
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<Cow<'a, str>>,
    /// Response status; absent when no response was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Envoy's response flags as bits; [`super::flag_letters`] names them.
    #[serde(default, skip_serializing_if = "is_default")]
    pub flags: u64,
    /// Bytes of the request body.
    #[serde(default)]
    pub request_bytes: u64,
    /// Bytes of the response body.
    #[serde(default)]
    pub response_bytes: u64,
    /// From the request's headers to the end of the exchange, microseconds.
    #[serde(default)]
    pub duration_us: u64,
    /// What the upstream took to answer (Envoy's `response.backend_latency`), microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream_us: Option<u64>,
    /// Client address as Envoy decides it (`source.address` after its XFF rules), without port.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub client_ip: Option<Cow<'a, str>>,
    /// `user-agent`, at most 512 bytes.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<Cow<'a, str>>,
    /// Host of the `referer`, at most 255 bytes.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub referer_host: Option<Cow<'a, str>>,
    /// Hash of the set of header names that the client sent, [`crate::shape`]: names only, in any
    /// order, equal in every worker. Names that proxies add, and those that depend on what is
    /// asked for (`cookie`, `content-length`, …), are left out. Absent when no headers were seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header_shape: Option<HeaderShape>,
    /// Bit i: the request had the i-th header of [`crate::shape::MARKS`]; absent like
    /// `header_shape`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header_marks: Option<u32>,
    /// The response's `content-type` without parameters, at most 128 bytes.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<Cow<'a, str>>,
    /// Name of the key rule that found the session's value.
    #[serde(borrow)]
    pub key: Cow<'a, str>,
    /// Session known when the request's headers were in; verdicts are enforced on it.
    pub request_session: SessionId,
    /// Session at the end of the exchange.
    pub session: SessionId,
    /// Other sessions known to belong together with `session`, at most 4, and one more after a
    /// change of the policy.
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link<'a>>,
    /// Context parameters, in the policy's order.
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    pub params: Vec<Param<'a>>,
    /// (name of the key rule or parameter, why) for values that were there and could not be read,
    /// at most 8.
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    pub extract_failed: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// What session a candidate policy would have made, where this client is in its sample.
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    pub trials: Vec<Trial<'a>>,
    /// For a sampled client, while the key finder runs: (place, keyed hash of the value there), at
    /// most 64. The hashes are keyed apart from session ids.
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    pub finder: Vec<(Cow<'a, str>, Hex<8>)>,
    /// Names of the fields above that were longer than their limit and were cut.
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    pub truncated: Vec<Cow<'a, str>>,
}

/// Another session known to belong together with the record's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link<'a> {
    /// How it is known.
    pub kind: LinkKind,
    /// The other session.
    pub session: SessionId,
    /// The key rule or fallback that made it.
    #[serde(borrow)]
    pub key: Cow<'a, str>,
}

/// How two sessions are known to belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkKind {
    /// The other session asked for, or was given, this one's key: an anonymous session and the
    /// one that its login made.
    Login,
    /// One value was exchanged for another of the same namespace.
    Refresh,
    /// One request carried both keys.
    Both,
    /// The policy that was active before makes the other session of the same exchange. Written for
    /// half an hour after a change, whether or not the other session has any records.
    PolicyChange,
}

/// A context parameter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Param<'a> {
    /// Its name in the policy.
    #[serde(borrow)]
    pub name: Cow<'a, str>,
    /// The value, or what the policy lets through of it.
    #[serde(borrow)]
    pub value: Cow<'a, str>,
    /// What it says about the session; absent means `plain`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub kind: ParameterKind,
    /// The client can put there what it likes.
    #[serde(default, skip_serializing_if = "is_default")]
    pub forgeable: bool,
}

/// What a context parameter says about a session.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParameterKind {
    /// Whose session it is.
    User,
    /// What the user may do.
    Role,
    /// Anything else.
    #[default]
    Plain,
}

/// What a candidate policy would have made of the exchange.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trial<'a> {
    /// Version of the candidate policy.
    #[serde(borrow)]
    pub policy_version: Cow<'a, str>,
    /// The application under it.
    #[serde(borrow)]
    pub application: Cow<'a, str>,
    /// The key rule or fallback under it.
    #[serde(borrow)]
    pub key: Cow<'a, str>,
    /// The session under it.
    pub session: SessionId,
    /// What would have been known when the request's headers were in; absent: `session`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_session: Option<SessionId>,
    /// The links under it, at most 4.
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link<'a>>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
