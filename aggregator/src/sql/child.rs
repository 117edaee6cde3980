//! The service's side: a snapshot, a child, and what it says.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};
use tokio::sync::{Mutex, Semaphore};

use super::snapshot::Snapshot;
use super::{ANSWER_BYTES_MAX, Column, Job, Said, THREADS, TIMES, WORKERS_MAX};
use crate::store::{Database, StoreError};

/// This program, also where its file was replaced.
const PROGRAM: &str = "/proc/self/exe";
/// How long a statement waits for its turn.
const TURN: Duration = Duration::from_secs(10);

/// Why there are no rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SqlError {
    /// Others run.
    Busy,
    /// This time was over.
    Timeout(Duration),
    /// What DuckDB says against it.
    Refused(String),
    /// The child ended without a word: of memory or time, mostly.
    Ended(String),
    /// The service failed.
    Failed(String),
    /// The service's database has too little memory to show what is hot.
    OutOfMemory(String),
}

impl From<StoreError> for SqlError {
    fn from(error: StoreError) -> Self {
        if error.is_out_of_memory() {
            Self::OutOfMemory(error.to_string())
        } else {
            Self::Failed(error.to_string())
        }
    }
}

/// The rows of a statement.
#[derive(Debug)]
pub struct Answer {
    /// What they consist of.
    pub columns: Vec<Column>,
    /// JSON arrays, separated by commas.
    pub rows: Vec<u8>,
    /// How many.
    pub count: u64,
    /// There were more.
    pub cut: bool,
    /// What they show is of this time, microseconds since the Unix epoch.
    pub as_of_us: i64,
    /// Not all requests were there to be looked at, only the newest.
    pub partial: bool,
}

/// Runs statements.
pub struct Sql {
    database: Arc<Database>,
    folder: PathBuf,
    snapshot: Arc<Mutex<Option<Arc<Snapshot>>>>,
    snapshots: AtomicU64,
    places: Semaphore,
    time: Duration,
}

impl Sql {
    /// Statements over `database`, each for [`TIMES`] times `query_timeout` at most. What an earlier run left behind is deleted.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn new(database: Arc<Database>, query_timeout: Duration) -> std::io::Result<Self> {
        let folder = database.snapshots();
        if folder.exists() {
            std::fs::remove_dir_all(&folder)?;
        }
        Ok(Self {
            folder: std::path::absolute(folder)?,
            database,
            snapshot: Arc::default(),
            snapshots: AtomicU64::new(0),
            places: Semaphore::new(WORKERS_MAX),
            time: query_timeout * TIMES,
        })
    }

    /// The rows of `sql`, at most `rows_max`. Dropping the future kills the child.
    ///
    /// # Errors
    /// Why there are none.
    pub async fn ask(&self, sql: &str, rows_max: u64, now_us: i64) -> Result<Answer, SqlError> {
        let place = tokio::time::timeout(TURN, self.places.acquire()).await;
        let Ok(Ok(_place)) = place else {
            return Err(SqlError::Busy);
        };
        let snapshot = self.snapshot(now_us).await?;
        let cpu_s = self.time.as_secs().saturating_mul(THREADS) + 1;
        let job = job(&snapshot, sql, rows_max, cpu_s);
        let asked = Instant::now();
        let said = tokio::time::timeout(self.time, run(&job)).await;
        tracing::info!(took_ms = asked.elapsed().as_millis(), sql, "SQL");
        let mut answer = read(&said.map_err(|_| SqlError::Timeout(self.time))??)?;
        answer.as_of_us = snapshot.made_us;
        answer.partial = snapshot.cut;
        Ok(answer)
    }

    /// How long a statement may take.
    #[must_use]
    pub fn patience(&self) -> Duration {
        self.time
    }

    /// The last snapshot, or a new one; others wait for it meanwhile.
    pub(super) async fn snapshot(&self, now_us: i64) -> Result<Arc<Snapshot>, SqlError> {
        let mut current = self.snapshot.lock().await;
        if let Some(snapshot) = current.as_ref() {
            return Ok(Arc::clone(snapshot));
        }
        let number = self.snapshots.fetch_add(1, Ordering::Relaxed);
        let folder = self.folder.join(number.to_string());
        let database = Arc::clone(&self.database);
        let made = tokio::task::spawn_blocking(move || Snapshot::make(&database, folder, now_us));
        let made = made
            .await
            .map_err(|error| SqlError::Failed(error.to_string()))?;
        let snapshot = Arc::new(made?);
        *current = Some(Arc::clone(&snapshot));
        // What is to be forgotten must not stay in a file because nobody asks any more.
        let (held, fresh) = (Arc::clone(&self.snapshot), snapshot.fresh_for());
        drop(tokio::spawn(async move {
            tokio::time::sleep(fresh).await;
            *held.lock().await = None;
        }));
        Ok(snapshot)
    }
}

/// What a child is told.
pub(super) fn job(snapshot: &Snapshot, sql: &str, rows_max: u64, cpu_s: u64) -> Job {
    Job {
        sql: sql.to_owned(),
        rows_max,
        service: std::process::id(),
        cpu_s,
        tables: snapshot.tables.clone(),
        views: snapshot.views.clone(),
        folders: snapshot.folders.clone(),
        copy: None,
    }
}

/// A child that was told its job; what it says on its standard error goes to `errors`.
pub(super) async fn start(job: &Job, errors: Stdio) -> Result<Child, SqlError> {
    let failed = |error: std::io::Error| SqlError::Failed(error.to_string());
    let mut child = Command::new(PROGRAM)
        .arg("sql-worker")
        .env_clear()
        .current_dir(Path::new("/"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(errors)
        .kill_on_drop(true)
        .spawn()
        .map_err(failed)?;
    let job = serde_json::to_vec(job).map_err(|error| SqlError::Failed(error.to_string()))?;
    if let Some(mut input) = child.stdin.take() {
        // Where it ended already, its exit says why.
        drop(input.write_all(&job).await);
    }
    Ok(child)
}

/// Everything that the child writes.
async fn run(job: &Job) -> Result<Vec<u8>, SqlError> {
    let failed = |error: std::io::Error| SqlError::Failed(error.to_string());
    let mut child = start(job, Stdio::null()).await?;
    let mut said = Vec::new();
    if let Some(output) = child.stdout.take() {
        let most = ANSWER_BYTES_MAX + (1 << 20);
        output
            .take(most)
            .read_to_end(&mut said)
            .await
            .map_err(failed)?;
    }
    let status = child.wait().await.map_err(failed)?;
    if status.success() {
        Ok(said)
    } else {
        Err(SqlError::Ended(status.to_string()))
    }
}

/// Understands what the child wrote.
fn read(said: &[u8]) -> Result<Answer, SqlError> {
    let incomplete = || SqlError::Ended("its answer is incomplete".into());
    let mut lines = said.split_inclusive(|byte| *byte == b'\n');
    let parse = |line: Option<&[u8]>| -> Option<Said> { serde_json::from_slice(line?).ok() };
    let columns = match parse(lines.next()).ok_or_else(incomplete)? {
        Said::Columns(columns) => columns,
        Said::Refused(message) => return Err(SqlError::Refused(message)),
        Said::End { .. } => return Err(incomplete()),
    };
    let cut = match parse(lines.next_back()).ok_or_else(incomplete)? {
        Said::End { cut } => cut,
        Said::Refused(message) => return Err(SqlError::Refused(message)),
        Said::Columns(_) => return Err(incomplete()),
    };
    let mut rows = Vec::with_capacity(said.len());
    let mut count = 0;
    for line in lines {
        if count > 0 {
            rows.push(b',');
        }
        rows.extend_from_slice(line.trim_ascii_end());
        count += 1;
    }
    Ok(Answer {
        columns,
        rows,
        count,
        cut,
        as_of_us: 0,
        partial: false,
    })
}
