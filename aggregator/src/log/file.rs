//! The log in segment files: opening, appending, deleting what the store has.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::disk::Disk;
use super::reader::Reader;
use super::recover::{self, Recovered};
use super::window::Windows;
use super::writer::{Request, Writer};
use super::{Appending, Batch, Log, LogState, Refusal, Tail, segment};
use crate::metrics::Metrics;

/// How large things may get.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes after which a segment is closed.
    pub segment_len: u64,
    /// Bytes that may wait for the store; above it batches are refused.
    pub backlog_max: u64,
    /// Bytes that stay free on the disk, for the store; below it batches are refused.
    pub free_min: u64,
}

/// The log in a folder of segment files.
pub struct FileLog {
    shared: Arc<Shared>,
    sender: Mutex<Option<Sender<Request>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
    backlog_max: u64,
}

/// What the writer, the readers and everyone who asks have in common.
pub(super) struct Shared {
    pub(super) folder: PathBuf,
    pub(super) metrics: Arc<Metrics>,
    end: Mutex<End>,
    moved: Condvar,
    committed: AtomicU64,
    /// Where another reader than the store may begin again.
    kept: AtomicU64,
    bases: Mutex<BTreeSet<u64>>,
    /// The next write, or the next idle moment, begins a new segment.
    rotate: AtomicBool,
    failing: Mutex<Option<Failure>>,
}

/// Why the log could not be written, when it was last tried.
struct Failure {
    reason: String,
    at: Instant,
}

/// What is kept below the store's position for a reader that may begin again there: beyond it, it
/// has to read the store.
const KEPT_BYTES_MAX: u64 = 1 << 30;

/// For how long a failure speaks for the log. Filters try again within this time; a balancer that
/// sends nothing to a service that is not ready would otherwise never learn that it is again.
const FAILURE_TIME: Duration = Duration::from_secs(10);

/// How far the log is durable.
#[derive(Debug, Clone, Copy)]
pub(super) struct End {
    pub(super) position: u64,
    pub(super) closed: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    /// Everything below `position` is durable: tells the readers.
    pub(super) fn advance(&self, position: u64) {
        lock(&self.end).position = position;
        self.moved.notify_all();
        if lock(&self.failing).take().is_some() {
            tracing::info!("the log can be written again");
        }
    }

    pub(super) fn fail(&self, reason: String) {
        let mut failing = lock(&self.failing);
        if failing.is_none() {
            tracing::error!(
                reason,
                "the log cannot be written: batches are refused until it can"
            );
        }
        *failing = Some(Failure {
            reason,
            at: Instant::now(),
        });
    }

    pub(super) fn rotates(&self) -> bool {
        self.rotate.load(Ordering::Acquire)
    }

    pub(super) fn rotated(&self) {
        self.rotate.store(false, Ordering::Release);
    }

    pub(super) fn begin_segment(&self, base: u64) {
        lock(&self.bases).insert(base);
    }

    pub(super) fn close(&self) {
        lock(&self.end).closed = true;
        self.moved.notify_all();
    }

    /// The durable end, once it is beyond `position`, or closed, or `patience` is over.
    pub(super) fn wait(&self, position: u64, patience: Duration) -> End {
        let end = lock(&self.end);
        let waiting = |end: &mut End| end.position <= position && !end.closed;
        let (end, _) = self
            .moved
            .wait_timeout_while(end, patience, waiting)
            .unwrap_or_else(PoisonError::into_inner);
        *end
    }

    /// Where the segment that holds `position` begins and, unless it is the last, ends.
    pub(super) fn around(&self, position: u64) -> (Option<u64>, Option<u64>) {
        let bases = lock(&self.bases);
        let base = bases.range(..=position).next_back().copied();
        let next = position
            .checked_add(1)
            .and_then(|it| bases.range(it..).next().copied());
        (base, next)
    }

    /// Deletes the segments that nobody needs any more.
    pub(super) fn sweep(&self) {
        let committed = self.committed.load(Ordering::Acquire);
        let kept = self.kept.load(Ordering::Acquire).min(committed);
        let bound = kept.max(committed.saturating_sub(KEPT_BYTES_MAX));
        // Deleted after the lock is released: a large file takes its time, and readers and the
        // writer look segments up here.
        let done: Vec<u64> = {
            let bases = lock(&self.bases);
            let ends = bases.iter().skip(1);
            let stored = bases.iter().zip(ends).take_while(|(_, end)| **end <= bound);
            stored.map(|(base, _)| *base).collect()
        };
        for base in done {
            let path = segment::path(&self.folder, base);
            if let Err(error) = std::fs::remove_file(&path)
                && error.kind() != io::ErrorKind::NotFound
            {
                tracing::warn!(%error, path = %path.display(), "cannot delete a segment");
                break;
            }
            lock(&self.bases).remove(&base);
        }
    }
}

impl FileLog {
    /// Opens the log in `folder` (created if absent) and starts its writer.
    ///
    /// `committed` is the store's position, `windows` what the store knows of the batches below
    /// it; what lies above is read here, so that no batch is taken twice.
    ///
    /// # Errors
    /// When the folder cannot be read or written.
    pub fn open(
        folder: &Path,
        mut disk: Box<dyn Disk>,
        limits: Limits,
        committed: u64,
        mut windows: Windows,
        metrics: Arc<Metrics>,
    ) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let Recovered { base, end } = recover::last_segment(folder, disk.as_mut(), committed)?;
        let shared = Arc::new(Shared {
            folder: folder.to_path_buf(),
            metrics,
            end: Mutex::new(End {
                position: end,
                closed: false,
            }),
            moved: Condvar::new(),
            committed: AtomicU64::new(committed),
            kept: AtomicU64::new(u64::MAX),
            bases: Mutex::new(segment::list(folder)?.into_iter().collect()),
            rotate: AtomicBool::new(false),
            failing: Mutex::default(),
        });
        recover::windows(&shared, committed, end, &mut windows)?;
        let file = disk.open(base)?;
        let Limits {
            segment_len,
            free_min,
            ..
        } = limits;
        let writer = Writer {
            disk,
            file,
            base,
            end,
            untidy: false,
            warned: false,
            segment_len,
            free_min,
            windows,
            shared: Arc::clone(&shared),
        };
        let (sender, requests) = channel();
        let thread = std::thread::Builder::new()
            .name("log".into())
            .spawn(move || writer.run(&requests))?;
        Ok(Self {
            shared,
            sender: Mutex::new(Some(sender)),
            writer: Mutex::new(Some(thread)),
            backlog_max: limits.backlog_max,
        })
    }

    /// Takes no more batches, and returns when those taken are durable and answered.
    pub fn close(&self) {
        drop(lock(&self.sender).take());
        if let Some(writer) = lock(&self.writer).take()
            && writer.join().is_err()
        {
            tracing::error!("the log's writer panicked");
        }
    }
}

impl Drop for FileLog {
    fn drop(&mut self) {
        self.close();
    }
}

impl Log for FileLog {
    fn append(&self, batch: Batch) -> Appending {
        // Not `state()`: this runs for every batch, and must not wait for files to be deleted.
        let end = lock(&self.shared.end).position;
        let committed = self.shared.committed.load(Ordering::Acquire);
        let waiting = end.saturating_sub(committed);
        if waiting > self.backlog_max {
            return Box::pin(async move { Err(Refusal::Backlog { waiting }) });
        }
        let (sender, answer) = oneshot::channel();
        let sent = match lock(&self.sender).as_ref() {
            Some(writer) => writer.send((batch, sender)).is_ok(),
            None => false,
        };
        Box::pin(async move {
            if !sent {
                return Err(Refusal::Closed);
            }
            answer.await.unwrap_or(Err(Refusal::Closed))
        })
    }

    fn tail(&self, position: u64) -> Box<dyn Tail> {
        Box::new(Reader::new(Arc::clone(&self.shared), position))
    }

    fn commit(&self, position: u64) {
        self.shared.committed.store(position, Ordering::Release);
        self.shared.sweep();
    }

    fn keep(&self, position: u64) {
        self.shared.kept.store(position, Ordering::Release);
        self.shared.sweep();
    }

    fn rotate(&self) {
        self.shared.rotate.store(true, Ordering::Release);
    }

    fn state(&self) -> LogState {
        let end = *lock(&self.shared.end);
        let bases = lock(&self.shared.bases);
        let (begin, base) = (bases.first().copied(), bases.last().copied());
        let segments = bases.len();
        drop(bases);
        LogState {
            begin: begin.unwrap_or(end.position),
            base: base.unwrap_or(end.position),
            end: end.position,
            closed: end.closed,
            committed: self.shared.committed.load(Ordering::Acquire),
            failing: lock(&self.shared.failing)
                .as_ref()
                .filter(|failure| failure.at.elapsed() < FAILURE_TIME)
                .map(|failure| failure.reason.clone()),
            segments,
        }
    }
}
