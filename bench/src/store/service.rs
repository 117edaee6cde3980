//! The real `throughline serve` over a copy of a filled store.

use std::path::Path;
use std::time::{Duration, Instant};

use bytes::Bytes;
use demo::{Http, Process, binary, free_port};
use http::Method;

/// Secret of the sender.
pub(crate) const TOKEN: &str = "an ingest token of the benchmark";
const START_MAX: Duration = Duration::from_secs(300);
const STOP_MAX: Duration = Duration::from_secs(1800);

pub(crate) struct Service {
    process: Process,
    pub(crate) http: Http,
}

/// Seconds from the start.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Start {
    /// Until a batch was on disk.
    pub(crate) accepts_s: f64,
    /// Until `/readyz` was green.
    pub(crate) ready_s: f64,
}

impl Service {
    pub(crate) async fn start(data: &Path) -> anyhow::Result<(Self, Start)> {
        let port = free_port()?;
        let mut process = Process::new("throughline", binary("throughline")?, data)
            .arguments(["serve", "--development", "--retention", "3650d"])
            .arguments(["--listen", &format!("127.0.0.1:{port}"), "--data"])
            .arguments([data.display().to_string()])
            .environment("THROUGHLINE_INGEST_TOKEN", TOKEN);
        process.start()?;
        let began = Instant::now();
        let http = Http::new(format!("http://127.0.0.1:{port}"));
        let mut start = Start::default();
        process
            .wait_ready(START_MAX, async || heartbeat(&http).await)
            .await?;
        start.accepts_s = began.elapsed().as_secs_f64();
        process
            .wait_ready(
                START_MAX,
                async || matches!(http.get("/readyz").await, Ok((status, _)) if status == 200),
            )
            .await?;
        start.ready_s = began.elapsed().as_secs_f64();
        Ok((Self { process, http }, start))
    }

    pub(crate) fn id(&self) -> Option<u32> {
        self.process.id()
    }

    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        self.process.terminate(STOP_MAX).await?;
        Ok(())
    }
}

/// Whether a batch without records is taken, which is on disk then.
async fn heartbeat(http: &Http) -> bool {
    let body = Bytes::from(super::sender::header(0, None, 0, 0));
    let token = format!("Bearer {TOKEN}");
    let headers = [("authorization", token.as_str())];
    let sent = http.send(Method::POST, "/v1/ingest", &headers, body).await;
    matches!(sent, Ok((status, _)) if status == 200)
}
