//! One round of the traffic generator against the running stack.

use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, bail};
use demo::{Stack, binary};
use tokio::process::Command;

use crate::show;

/// Runs `traffic` to its end. The ground truth it writes is for people and tests: the aggregator
/// never sees it. Gives the file.
pub(crate) async fn play(stack: &Stack, seed: u64, seconds: u64) -> anyhow::Result<PathBuf> {
    let truth: PathBuf = stack.folder().join(format!("truth-{seed}.ndjson"));
    let log = stack.folder().join("traffic.log");
    let log_file = std::fs::File::options()
        .create(true)
        .append(true)
        .open(&log)?;
    let output = Command::new(binary("traffic")?)
        .args([
            "--target",
            &format!("http://{}", stack.ingress),
            "--host",
            "shop.example",
        ])
        .args([
            "--seed",
            &seed.to_string(),
            "--seconds",
            &seconds.to_string(),
        ])
        .arg("--truth")
        .arg(&truth)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log_file)
        // Ctrl-C ends the round, so that the last table is about a quiet Envoy.
        .kill_on_drop(true)
        .process_group(0)
        .spawn()
        .context("starting traffic")?
        .wait_with_output()
        .await?;
    let text = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        bail!(
            "traffic ended with {}; see {}\n{text}",
            output.status,
            log.display()
        );
    }
    show::line(text.lines().last().unwrap_or_default())?;
    Ok(truth)
}
