//! batch → log: what is in here is acknowledged, and survives `kill -9`.
//!
//! A position is a byte offset in the whole log; it only ever grows and orders everything that
//! comes after: sessions, detection and the store read the log and nothing else.
//!
//! [`Log`] is the seam at which NATS `JetStream` takes this place in a fleet.

mod budget;
mod disk;
mod file;
mod frame;
mod reader;
mod recover;
mod segment;
mod window;
mod writer;

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use throughline_session::wire::BootId;

pub use budget::{Budget, Room};
pub use disk::{Disk, Folder, SegmentFile};
pub use file::{FileLog, Limits};
pub use frame::BODY_LEN_MAX;
pub use window::{Remembered, Verdict, WORKERS_MAX, Window, Windows};

/// Where the segments in `folder` begin, in order.
///
/// # Errors
/// When it cannot be listed.
pub fn segments(folder: &std::path::Path) -> std::io::Result<Vec<u64>> {
    segment::list(folder)
}

/// Length of the segment in `folder` that begins at `base`.
///
/// # Errors
/// When it cannot be looked at.
pub fn segment_len(folder: &std::path::Path, base: u64) -> std::io::Result<u64> {
    Ok(segment::path(folder, base).metadata()?.len())
}

/// One filter instance: which run of which Envoy, and which worker of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WorkerKey {
    /// The run of an Envoy process.
    pub boot: BootId,
    /// The filter instance within it.
    pub worker: u32,
}

/// A batch on its way into the log.
#[derive(Debug)]
pub struct Batch {
    /// Who sent it.
    pub source: WorkerKey,
    /// Which of its batches; `None` for a heartbeat, which is never a duplicate.
    pub sequence: Option<u64>,
    /// When it arrived, microseconds since the Unix epoch, our clock.
    pub arrived_us: i64,
    /// The request body, byte for byte.
    pub body: Vec<u8>,
    /// The memory it occupies until it is on disk.
    pub room: Room,
}

/// What became of an accepted batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appended {
    /// It is on disk.
    Stored,
    /// It was on disk before; nothing was written.
    Duplicate,
}

/// Why a batch was not accepted. It is not in the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Its sequence lies so far back that nobody knows whether it was accepted.
    #[error("the sequence lies before the window in which duplicates are recognised")]
    Stale,
    /// The disk did not take it; trying again later may help.
    #[error("the log cannot be written: {0}")]
    Unwritable(String),
    /// Too much of the log waits for the database; trying again later may help.
    #[error("{waiting} bytes of the log wait for the database")]
    Backlog {
        /// Bytes between the database's position and the log's end.
        waiting: u64,
    },
    /// The process is shutting down.
    #[error("the service is shutting down")]
    Closed,
}

/// How the log stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogState {
    /// Position of the first byte that is still on disk.
    pub begin: u64,
    /// Position of the first byte of the segment that is written to.
    pub base: u64,
    /// Position after the last batch on disk.
    pub end: u64,
    /// Position up to which the database has everything.
    pub committed: u64,
    /// Why the last write failed; `None` when it did not.
    pub failing: Option<String>,
    /// Segment files on disk.
    pub segments: usize,
    /// No more batches are taken.
    pub closed: bool,
}

/// What of the log is still worked through at a stop: some seconds. More of it waits for the next start.
const LAST_BYTES: u64 = 64 << 20;

impl LogState {
    /// Whether whoever is at `position` leaves the rest to the next start.
    #[must_use]
    pub fn leaves(&self, position: u64) -> bool {
        self.closed && self.end.saturating_sub(position) > LAST_BYTES
    }
}

/// What a reader meets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A batch.
    Batch(Entry),
    /// Bytes that cannot be read: what they held is missing.
    Gap(Gap),
}

impl Item {
    /// Position after this item.
    #[must_use]
    pub fn end(&self) -> u64 {
        match self {
            Self::Batch(entry) => entry.end,
            Self::Gap(gap) => gap.end,
        }
    }
}

/// A batch as the log gives it back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where it begins.
    pub position: u64,
    /// Position after it.
    pub end: u64,
    /// When it arrived, microseconds since the Unix epoch.
    pub arrived_us: i64,
    /// The request body, byte for byte.
    pub body: Vec<u8>,
}

/// A stretch of the log that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// File that should have held it.
    pub segment: String,
    /// Where it begins.
    pub position: u64,
    /// Position after it.
    pub end: u64,
}

/// What [`Tail::next`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// The next item in log order.
    Item(Item),
    /// Nothing new within the time given.
    Nothing,
    /// The log is closed and everything in it was read.
    Closed,
}

/// Reads the log in order, from its own thread.
pub trait Tail: Send {
    /// The next item, waiting at most `patience` for one.
    ///
    /// # Errors
    /// When a file cannot be read just now; the same item is tried again by the next call.
    fn next(&mut self, patience: Duration) -> std::io::Result<Next>;
}

/// The answer to [`Log::append`], once it is known.
pub type Appending = Pin<Box<dyn Future<Output = Result<Appended, Refusal>> + Send>>;

/// An ordered, durable, deduplicating sequence of batches.
pub trait Log: Send + Sync {
    /// Resolves when `batch` is durable, was so already, or was refused.
    ///
    /// Once called, the batch may become durable even if the future is dropped: the sender
    /// tries again and is told that it is a duplicate.
    fn append(&self, batch: Batch) -> Appending;

    /// A reader that begins at `position`.
    fn tail(&self, position: u64) -> Box<dyn Tail>;

    /// Says that the store has everything below `position` for good: it may be deleted.
    fn commit(&self, position: u64);

    /// Says that a reader other than the store may begin again at `position`: what lies there is
    /// kept even when the store has it, up to a limit.
    fn keep(&self, position: u64);

    /// Has a new segment begun, by the next batch or within a second: the one before goes as soon as everybody has
    /// read it.
    fn rotate(&self);

    /// How the log stands.
    fn state(&self) -> LogState;
}
