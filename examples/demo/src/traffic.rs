//! The traffic generator against the running stack: one play, from its start to its last line.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};

use crate::{Stack, binary};

/// Who plays, and for how long.
#[derive(Debug, Clone)]
pub struct Play {
    /// Makes every client's choices.
    pub seed: u64,
    /// Real seconds.
    pub seconds: u64,
    /// Further arguments of `traffic`.
    pub arguments: Vec<String>,
}

/// A play under way. Dropping it kills it.
#[derive(Debug)]
pub struct Traffic {
    child: Child,
    truth: PathBuf,
    log: PathBuf,
}

impl Traffic {
    /// Starts `traffic`. The ground truth it writes is for people and tests: the aggregator never
    /// sees it.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(stack: &Stack, play: &Play) -> anyhow::Result<Self> {
        let truth = stack.folder().join(format!("truth-{}.ndjson", play.seed));
        let log = stack.folder().join("traffic.log");
        let log_file = std::fs::File::options()
            .create(true)
            .append(true)
            .open(&log)?;
        let target = format!("http://{}", stack.ingress);
        let child = Command::new(binary("traffic")?)
            .args(["--target", &target, "--host", "shop.example"])
            .args(["--seed", &play.seed.to_string()])
            .args(["--seconds", &play.seconds.to_string()])
            .args(&play.arguments)
            .arg("--truth")
            .arg(&truth)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log_file)
            // Ctrl-C ends the play, so that the last table is about a quiet Envoy.
            .kill_on_drop(true)
            .process_group(0)
            .spawn()
            .context("starting traffic")?;
        Ok(Self { child, truth, log })
    }

    /// Has everybody hold their breath, so that what is under way can be counted to the end; does
    /// nothing once the play is over.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub fn hold(&mut self) -> anyhow::Result<()> {
        self.tell(Signal::STOP)
    }

    /// Lets everybody go on after [`Traffic::hold`].
    ///
    /// # Errors
    /// When the operating system refuses.
    pub fn go_on(&mut self) -> anyhow::Result<()> {
        self.tell(Signal::CONT)
    }

    fn tell(&mut self, signal: Signal) -> anyhow::Result<()> {
        // Asked first: a number that nobody waits for any more may be another process's.
        if self.child.try_wait()?.is_some() {
            return Ok(());
        }
        let id = self.child.id().and_then(|id| i32::try_from(id).ok());
        if let Some(pid) = id.and_then(Pid::from_raw) {
            kill_process(pid, signal)?;
        }
        Ok(())
    }

    /// Waits for the end; gives the last line.
    ///
    /// # Errors
    /// When it failed; with the place of its log.
    pub async fn finish(self) -> anyhow::Result<(String, PathBuf)> {
        let output = self.child.wait_with_output().await?;
        let text = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() {
            bail!(
                "traffic ended with {}; see {}\n{text}",
                output.status,
                self.log.display()
            );
        }
        let last = text.lines().last().unwrap_or_default().to_owned();
        Ok((last, self.truth))
    }

    /// Where the truth is written; complete after the end.
    #[must_use]
    pub fn truth(&self) -> &Path {
        &self.truth
    }
}
