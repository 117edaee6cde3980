//! The ground truth: one line of JSON per request and one per client.

use std::io::{self, Write};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

/// Where the truth is written; the shop, Envoy and the aggregator never see it.
pub struct Truth {
    sink: Mutex<Sink>,
}

struct Sink {
    writer: Box<dyn Write + Send>,
    /// The first failure; everything after it is lost as well.
    failed: Option<io::Error>,
}

/// One request that was sent.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct RequestLine {
    /// Always `request`.
    pub(crate) r#type: &'static str,
    pub(crate) client: String,
    pub(crate) class: &'static str,
    pub(crate) actor: &'static str,
    pub(crate) request_id: String,
    /// Place of the request in its client's plan, from 0.
    pub(crate) seq: u64,
    /// Microseconds since 1970.
    pub(crate) start_us: u64,
    pub(crate) method: &'static str,
    pub(crate) path: String,
    /// 0 when no full response came.
    pub(crate) status: u16,
    pub(crate) ip: IpAddr,
    /// Whose bearer token was sent.
    pub(crate) user: Option<String>,
    /// Which key value was sent, hashed: `bearer:…`, `sid:…` or `none`.
    pub(crate) session_hint: String,
}

/// One client that sent at least one request.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ClientLine {
    /// Always `client`.
    pub(crate) r#type: &'static str,
    pub(crate) client: String,
    pub(crate) class: &'static str,
    pub(crate) actor: &'static str,
    pub(crate) requests: u64,
    /// Accounts it logged in to.
    pub(crate) accounts: Vec<String>,
    pub(crate) ips: Vec<IpAddr>,
}

impl std::fmt::Debug for Truth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Truth").finish_non_exhaustive()
    }
}

impl Truth {
    /// Writes to `writer`.
    #[must_use]
    pub fn new(writer: Box<dyn Write + Send>) -> Self {
        let sink = Sink {
            writer,
            failed: None,
        };
        Self {
            sink: Mutex::new(sink),
        }
    }

    pub(crate) fn write(&self, line: &impl Serialize) {
        let mut sink = self.sink.lock().unwrap_or_else(PoisonError::into_inner);
        if sink.failed.is_some() {
            return;
        }
        let text = serde_json::to_string(line).map_err(io::Error::other);
        if let Err(error) = text.and_then(|text| writeln!(sink.writer, "{text}")) {
            sink.failed = Some(error);
        }
    }

    /// Flushes.
    ///
    /// # Errors
    /// The first failure of the writer, at any time.
    pub fn finish(self) -> io::Result<()> {
        let mut sink = self
            .sink
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        sink.failed.map_or(Ok(()), Err)?;
        sink.writer.flush()
    }
}
