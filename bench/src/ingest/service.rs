//! `throughline serve` as anyone runs it, and what it takes: memory, disk.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use demo::Http;
use demo::Process;
use serde_json::Value;

pub(crate) const TOKEN: &str = "ingest-token-of-the-benchmark";
/// For everything that must come to an end.
const TIME_MAX: Duration = Duration::from_secs(600);

pub(crate) struct Service {
    process: Process,
    pub(crate) address: String,
    http: Http,
    data: PathBuf,
}

impl Service {
    pub(crate) async fn start(folder: &Path, name: &str) -> anyhow::Result<Self> {
        let data = folder.join(name);
        let address = format!("127.0.0.1:{}", demo::free_port()?);
        let mut process = Process::new("throughline", demo::binary("throughline")?, folder)
            .arguments(["serve", "--development", "--listen", &address, "--data"])
            .arguments([data.to_string_lossy()])
            .environment("THROUGHLINE_INGEST_TOKEN", TOKEN);
        process.start()?;
        let http = Http::new(format!("http://{address}"));
        let asking = http.clone();
        process
            .wait_ready(Duration::from_secs(30), || {
                let http = asking.clone();
                async move {
                    http.get("/readyz")
                        .await
                        .is_ok_and(|(status, _)| status == 200)
                }
            })
            .await?;
        Ok(Self {
            process,
            address,
            http,
            data,
        })
    }

    /// Waits until `records` are in the database.
    pub(crate) async fn stored(&self, records: u64) -> anyhow::Result<()> {
        let began = Instant::now();
        loop {
            let status: Value = self.http.json("/v1/status").await?;
            let stored = status.pointer("/totals/stored").and_then(Value::as_u64);
            if stored.context("no totals.stored")? >= records {
                return Ok(());
            }
            if began.elapsed() > TIME_MAX {
                bail!("{stored:?} of {records} records are stored");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Resident memory, MiB.
    pub(crate) fn rss_mib(&self) -> anyhow::Result<f64> {
        let pid = self.process.id().context("it does not run")?;
        let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
        let kib: f64 = kib.context("no VmRSS")?.trim().parse()?;
        Ok(kib / 1024.0)
    }

    /// Ends it; gives the data folder.
    pub(crate) async fn stop(mut self) -> anyhow::Result<PathBuf> {
        let status = self.process.terminate(TIME_MAX).await?;
        if !status.success() {
            bail!(
                "it ended with {status}; see {}",
                self.process.log().display()
            );
        }
        Ok(self.data)
    }
}

/// Bytes of the files in `folder`, those below included.
pub(crate) fn bytes(folder: &Path) -> anyhow::Result<u64> {
    let mut total = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let about = entry.metadata()?;
        total += if about.is_dir() {
            bytes(&entry.path())?
        } else {
            about.len()
        };
    }
    Ok(total)
}
