//! Envoy's own account of what it handled: the JSON access log of `envoy/envoy.yaml`.
//!
//! The tests hold the filter's records against it, because it is written by another hand.

use std::path::Path;

use anyhow::Context;
use serde::Deserialize;

/// One exchange as Envoy logged it. Absent where Envoy wrote `null`.
#[derive(Debug, Clone, Deserialize)]
pub struct AccessLine {
    /// `x-request-id`.
    pub request_id: Option<String>,
    /// Request method.
    pub method: Option<String>,
    /// Path without the query.
    pub path: Option<String>,
    /// `HTTP/1.1`, `HTTP/2`.
    pub protocol: Option<String>,
    /// Response status, 0 when none was sent.
    pub status: u16,
    /// Why Envoy answered so, e.g. `via_upstream`.
    pub details: Option<String>,
    /// Response flags in letters joined by commas, `-` for none.
    pub flags: String,
    /// Bytes of the request body.
    pub request_bytes: u64,
    /// Bytes of the response body.
    pub response_bytes: u64,
    /// Client address as Envoy decided it.
    pub client_ip: Option<String>,
}

impl AccessLine {
    /// The flags as a record has them: empty for none.
    #[must_use]
    pub fn flag_letters(&self) -> &str {
        self.flags.trim_start_matches('-')
    }
}

/// All whole lines of the log; a missing file has none.
///
/// # Errors
/// When a line is not such JSON.
pub fn read_access_log(path: &Path) -> anyhow::Result<Vec<AccessLine>> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).with_context(|| path.display().to_string()),
    };
    let text = String::from_utf8_lossy(&bytes);
    // Envoy may be writing the last line just now.
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    let parse = |line| serde_json::from_str(line).with_context(|| format!("access log: {line}"));
    whole.lines().map(parse).collect()
}
