//! One HTTP exchange as the filter saw it.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::hex::Hex;

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
    #[serde(default, skip_serializing_if = "is_zero")]
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
    /// Names of the fields above that were longer than their limit and were cut.
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    pub truncated: Vec<Cow<'a, str>>,
}

// Where a pointer has 32 bits the lint has nothing to say.
#[cfg_attr(
    target_pointer_width = "64",
    expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")
)]
fn is_zero(value: &u64) -> bool {
    *value == 0
}
