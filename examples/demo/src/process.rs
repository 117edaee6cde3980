//! One child process: its log, its end, its restart.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use rustix::process::{Pid, Signal, kill_process};

use crate::wait::eventually;

/// How much of a log's end an error shows, bytes.
const TAIL_BYTES: u64 = 3_000;

/// A program with its arguments, and the running child when there is one. Dropping it kills it.
#[derive(Debug)]
pub struct Process {
    name: &'static str,
    program: PathBuf,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    log: PathBuf,
    child: Option<Child>,
}

impl Process {
    /// Not started yet; output goes to `<folder>/<name>.log`.
    #[must_use]
    pub fn new(name: &'static str, program: PathBuf, folder: &Path) -> Self {
        let log = folder.join(format!("{name}.log"));
        let (arguments, environment) = (Vec::new(), Vec::new());
        Self {
            name,
            program,
            arguments,
            environment,
            log,
            child: None,
        }
    }

    /// Adds arguments.
    #[must_use]
    pub fn arguments(mut self, arguments: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Adds an environment variable.
    #[must_use]
    pub fn environment(mut self, name: &str, value: impl Into<String>) -> Self {
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    /// The file that stdout and stderr go to; a restart appends.
    #[must_use]
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// Process id while it runs.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Starts it, in the repository's root and in a process group of its own: a Ctrl-C in the
    /// terminal reaches the demo alone, which then ends the others in order.
    ///
    /// # Errors
    /// When it runs already or cannot be started.
    pub fn start(&mut self) -> anyhow::Result<()> {
        if self.child.is_some() {
            bail!("{} runs already", self.name);
        }
        let log = File::options().create(true).append(true).open(&self.log);
        let log = log.with_context(|| format!("log file {}", self.log.display()))?;
        let mut command = Command::new(&self.program);
        // The tests decide which secrets Envoy sees, not the shell they were started from.
        command
            .env_remove("THROUGHLINE_SESSION_SECRET")
            .env_remove("THROUGHLINE_INGEST_TOKEN");
        command
            .args(&self.arguments)
            .envs(self.environment.iter().cloned());
        command.current_dir(crate::repository()).process_group(0);
        command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        let child = command.spawn();
        self.child = Some(child.with_context(|| format!("starting {}", self.program.display()))?);
        Ok(())
    }

    /// Waits until `ready` says yes.
    ///
    /// # Errors
    /// When the process ended or `limit` passed; with the last lines of its log.
    pub async fn wait_ready<F>(
        &mut self,
        limit: Duration,
        mut ready: impl FnMut() -> F,
    ) -> anyhow::Result<()>
    where
        F: Future<Output = bool>,
    {
        let deadline = Instant::now() + limit;
        while !ready().await {
            if let Some(status) = self.ended()? {
                return Err(self.complaint(&format!("ended early with {status}")));
            }
            if Instant::now() >= deadline {
                return Err(self.complaint(&format!("not ready within {} s", limit.as_secs())));
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        Ok(())
    }

    /// The exit status once it has ended by itself.
    ///
    /// # Errors
    /// When the operating system does not tell.
    pub fn ended(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        match &mut self.child {
            Some(child) => Ok(child.try_wait()?),
            None => bail!("{} does not run", self.name),
        }
    }

    /// `kill -9`, and waits for the end.
    ///
    /// # Errors
    /// When it does not run.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        let mut child = self
            .child
            .take()
            .with_context(|| format!("{} does not run", self.name))?;
        child.kill()?;
        child.wait()?;
        Ok(())
    }

    /// `kill -TERM`, and waits for the end.
    ///
    /// # Errors
    /// When it does not run, or not end within `limit`; it is killed then.
    pub async fn terminate(&mut self, limit: Duration) -> anyhow::Result<ExitStatus> {
        let child = self
            .child
            .as_ref()
            .with_context(|| format!("{} does not run", self.name))?;
        let pid = Pid::from_child(child);
        kill_process(pid, Signal::TERM)?;
        let child = &mut self.child;
        let ended = eventually("ends after SIGTERM", limit, || {
            let status = child
                .as_mut()
                .and_then(|child| child.try_wait().ok().flatten());
            std::future::ready(status)
        })
        .await;
        let Ok(status) = ended else {
            self.kill()?;
            return Err(self.complaint(&format!("ignored SIGTERM for {} s", limit.as_secs())));
        };
        self.child = None;
        Ok(status)
    }

    /// The log so far.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read_log(&self) -> anyhow::Result<String> {
        let bytes = std::fs::read(&self.log).with_context(|| self.log.display().to_string())?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn complaint(&self, what: &str) -> anyhow::Error {
        let tail = tail(&self.log).unwrap_or_else(|error| format!("({error})"));
        anyhow!(
            "{} {what}; the end of {}:\n{tail}",
            self.name,
            self.log.display()
        )
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // Already gone is fine; there is nobody to tell anything else.
            drop(child.kill());
            drop(child.wait());
        }
    }
}

fn tail(log: &Path) -> std::io::Result<String> {
    let mut file = File::open(log)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
