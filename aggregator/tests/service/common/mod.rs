//! What the tests share: batches, a service in this process, and the real binary.

mod batch;
mod disk;
pub(crate) mod load;
mod program;
mod service;
pub(crate) mod shop;

use std::time::{Duration, Instant};

pub(crate) use batch::{Batch, line, session_id};
pub(crate) use disk::{Fault, FaultyDisk};
pub(crate) use program::{Client, Program};
pub(crate) use service::{Answer, Setup, TestService};

pub(crate) const INGEST_TOKEN: &str = "ingest-token-of-the-tests";
pub(crate) const ADMIN_TOKEN: &str = "admin-token-of-the-tests";
pub(crate) const SESSION_SECRET: &str = "session-secret-of-the-tests";
pub(crate) const READ_TOKEN: &str = "read-token-of-the-tests";

/// 2026-01-01T00:00:00Z, microseconds since the Unix epoch.
pub(crate) const START_US: i64 = 1_767_225_600_000_000;

/// Waits until `condition` holds, and fails the test when it does not within a
/// minute: the compactor looks every ten seconds, and machines are busy.
pub(crate) async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !condition().await {
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "still not: {what}"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
