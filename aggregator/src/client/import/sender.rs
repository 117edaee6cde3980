//! Batches → the service: in order, one at a time, and again until it has them.

use std::time::{Duration, Instant};

use http::{Method, StatusCode};
use serde_json::Value;

use super::ImportError;
use crate::client::http::Http;

/// A service that takes nothing for so long is given up, where the import is not to go on for good.
const PATIENCE: Duration = Duration::from_secs(300);
const PAUSE_MIN: Duration = Duration::from_millis(200);
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// Sends batches.
pub(super) struct Sender {
    pub(super) http: Http,
    /// Never gives up.
    pub(super) for_good: bool,
}

/// What became of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sent {
    Stored,
    /// It was there before.
    Again,
}

impl Sender {
    pub(super) async fn send(&self, body: Vec<u8>) -> Result<Sent, ImportError> {
        let began = Instant::now();
        let mut pause = PAUSE_MIN;
        let body = bytes::Bytes::from(body);
        loop {
            let why = match self
                .http
                .raw(Method::POST, "/v1/ingest", body.clone())
                .await
            {
                Ok((StatusCode::OK, answer)) => {
                    let again = answer["duplicate"] == true;
                    return Ok(if again { Sent::Again } else { Sent::Stored });
                }
                // Batches go in order: one that lies so far back was taken.
                Ok((StatusCode::CONFLICT, _)) => return Ok(Sent::Again),
                Ok((status, answer)) if status.as_u16() < 500 => {
                    return Err(ImportError::Refused(told(&answer)));
                }
                Ok((_, answer)) => told(&answer),
                Err(error) => error.to_string(),
            };
            if !self.for_good && began.elapsed() >= PATIENCE {
                return Err(ImportError::GivenUp(PATIENCE.as_secs(), why));
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }
}

/// What a problem says.
fn told(answer: &Value) -> String {
    let word = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
    match (word("detail"), word("remedy")) {
        (detail, remedy) if remedy.is_empty() => detail,
        (detail, remedy) => format!("{detail}; {remedy}"),
    }
}
