//! Bodies of `POST /v1/ingest`.

use serde_json::{Value, json};

use super::START_US;

/// A batch in the making.
#[derive(Clone)]
pub(crate) struct Batch {
    pub(crate) header: Value,
    pub(crate) lines: Vec<Vec<u8>>,
}

/// The id of the session with this number.
pub(crate) fn session_id(number: u64) -> String {
    format!("{number:032x}")
}

/// A record of session `session` that starts `start_ms` after [`START_US`]; index 0.
pub(crate) fn line(session: u64, start_ms: i64) -> Value {
    json!({
        "index": 0,
        "start_us": START_US + start_ms * 1000,
        "application": "shop",
        "method": "GET",
        "scheme": "http",
        "host": "shop.example",
        "path": "/api/products",
        "status": 200,
        "response_bytes": 100,
        "duration_us": 1500,
        "client_ip": "10.0.0.1",
        "user_agent": "Mozilla/5.0",
        "key": "cookie",
        "request_session": session_id(session),
        "session": session_id(session),
    })
}

impl Batch {
    /// Batch `sequence` of worker 0 of boot ff, without records.
    pub(crate) fn new(sequence: u64) -> Self {
        let header = json!({
            "throughline": 1,
            "boot": "00000000000000ff",
            "worker": 0,
            "sequence": sequence,
            "records": 0,
            "closed_us": START_US + 3_600_000_000_i64,
            "capture_point": "gateway",
            "node": "envoy-1",
            "policy_version": "p1",
            "filter_version": "0.1.0",
            "ledger": {
                "seen": 0,
                "acknowledged": 0,
                "dropped": {"buffer_full": 0, "rejected": 0, "unwritable": 0},
            },
        });
        Self {
            header,
            lines: Vec::new(),
        }
    }

    /// A heartbeat of worker 0 of boot ff.
    pub(crate) fn heartbeat() -> Self {
        let mut batch = Self::new(0);
        batch.header.as_object_mut().unwrap().remove("sequence");
        batch
    }

    /// Another value in the header, by JSON pointer.
    pub(crate) fn with(mut self, pointer: &str, value: impl Into<Value>) -> Self {
        let parts = pointer.trim_start_matches('/').split('/');
        let slot = parts.fold(&mut self.header, |value, part| &mut value[part]);
        *slot = value.into();
        self
    }

    pub(crate) fn worker(self, worker: u32) -> Self {
        self.with("/worker", worker)
    }

    pub(crate) fn seen(self, seen: u64) -> Self {
        self.with("/ledger/seen", seen)
    }

    /// Another record, which gets the right index.
    pub(crate) fn record(mut self, mut line: Value) -> Self {
        line["index"] = self.lines.len().into();
        self.lines.push(serde_json::to_vec(&line).unwrap());
        self
    }

    pub(crate) fn records(self, lines: impl IntoIterator<Item = Value>) -> Self {
        lines.into_iter().fold(self, Self::record)
    }

    /// Another line, as it is.
    pub(crate) fn raw(mut self, line: &[u8]) -> Self {
        self.lines.push(line.to_vec());
        self
    }

    /// The body; `records` of the header is set unless the test set it.
    pub(crate) fn body(mut self) -> Vec<u8> {
        if self.header["records"] == 0 {
            self.header["records"] = self.lines.len().into();
        }
        let mut body = serde_json::to_vec(&self.header).unwrap();
        for line in self.lines {
            body.push(b'\n');
            body.extend(line);
        }
        body.push(b'\n');
        body
    }
}
