//! The one thread that writes the log: takes a group of batches, writes it, makes it durable
//! with one `fdatasync`, and only then answers each sender.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::disk::{Disk, SegmentFile};
use super::file::Shared;
use super::window::{Remembered, Verdict, Windows};
use super::{Appended, Batch, Refusal, WorkerKey, frame};

/// A group is closed when it has this many bytes or batches.
const GROUP_BYTES: usize = 4 << 20;
const GROUP_BATCHES: usize = 1024;
/// So long without a batch, and it is looked what else is to be done.
const IDLE: Duration = Duration::from_millis(500);

/// Whoever waits for the answer.
type Sender = oneshot::Sender<Result<Appended, Refusal>>;

/// A batch and whoever waits for the answer.
pub(super) type Request = (Batch, Sender);

pub(super) struct Writer {
    pub(super) disk: Box<dyn Disk>,
    pub(super) file: Box<dyn SegmentFile>,
    /// Position at which the open segment begins.
    pub(super) base: u64,
    /// Position after the last durable frame.
    pub(super) end: u64,
    /// The segment may hold bytes after `end`, left by a failed write.
    pub(super) untidy: bool,
    /// It was said that no segment can be begun.
    pub(super) warned: bool,
    pub(super) segment_len: u64,
    pub(super) free_min: u64,
    pub(super) windows: Windows,
    pub(super) shared: Arc<Shared>,
}

/// The batches of one write, and how to undo what they did to the windows.
#[derive(Default)]
struct Group {
    bytes: Vec<u8>,
    waiting: Vec<(Batch, Sender, Appended)>,
    before: HashMap<WorkerKey, Option<Remembered>>,
}

impl Writer {
    /// Runs until every sender is gone, and everything they sent is answered.
    pub(super) fn run(mut self, requests: &Receiver<Request>) {
        loop {
            let first = match requests.recv_timeout(IDLE) {
                Ok(first) => first,
                Err(RecvTimeoutError::Timeout) => {
                    self.look_idly();
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => break,
            };
            let mut group = Group::default();
            self.take(&mut group, first);
            while group.bytes.len() < GROUP_BYTES
                && group.waiting.len() < GROUP_BATCHES
                && let Ok(next) = requests.try_recv()
            {
                self.take(&mut group, next);
            }
            self.finish(group);
        }
        self.shared.close();
    }

    fn take(&mut self, group: &mut Group, (batch, sender): Request) {
        if let Some(sequence) = batch.sequence {
            match self.windows.check(batch.source, sequence) {
                Verdict::New => {}
                // Its first copy may be in this very group: it is answered with the group.
                Verdict::Duplicate => {
                    group.waiting.push((batch, sender, Appended::Duplicate));
                    return;
                }
                Verdict::Stale => {
                    answer(sender, Err(Refusal::Stale));
                    return;
                }
            }
        }
        if frame::write(&mut group.bytes, batch.arrived_us, &batch.body).is_none() {
            answer(
                sender,
                Err(Refusal::Unwritable("the batch is too long".into())),
            );
            return;
        }
        if let Some(sequence) = batch.sequence {
            let windows = &mut self.windows;
            let before = || windows.remembered(batch.source);
            group.before.entry(batch.source).or_insert_with(before);
            let forgotten = windows.insert(batch.source, sequence, batch.arrived_us);
            if let Some((worker, before)) = forgotten {
                group.before.entry(worker).or_insert(Some(before));
            }
        } else {
            self.windows.touch(batch.source, batch.arrived_us);
        }
        group.waiting.push((batch, sender, Appended::Stored));
    }

    fn finish(&mut self, group: Group) {
        let began = Instant::now();
        let outcome = if group.bytes.is_empty() {
            Ok(())
        } else {
            self.write_durably(&group.bytes)
        };
        match outcome {
            Ok(()) => {
                if !group.bytes.is_empty() {
                    self.shared
                        .metrics
                        .fsync_seconds
                        .observe(began.elapsed().as_secs_f64());
                    self.shared.advance(self.end);
                }
                for (_batch, sender, appended) in group.waiting {
                    answer(sender, Ok(appended));
                }
            }
            Err(error) => {
                for (worker, before) in group.before {
                    self.windows.put_back(worker, before);
                }
                // Before anyone is answered: whoever is refused finds /readyz red.
                let reason = error.to_string();
                self.shared.fail(reason.clone());
                for (_batch, sender, _) in group.waiting {
                    answer(sender, Err(Refusal::Unwritable(reason.clone())));
                }
            }
        }
    }

    fn write_durably(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.tidy()?;
        // Without room for the database, nothing could ever leave the log again.
        let free = self.disk.free()?;
        if free < self.free_min {
            let kept = self.free_min;
            return Err(io::Error::other(format!(
                "{free} bytes are free on the disk, and {kept} are kept for the database"
            )));
        }
        if self.end - self.base >= self.segment_len || self.rotates() {
            self.begin_segment()?;
        }
        self.untidy = true;
        let written = self.file.append(bytes).and_then(|()| self.file.sync());
        if written.is_ok() {
            self.untidy = false;
            self.end += bytes.len() as u64;
        } else if let Err(error) = self.tidy() {
            // The next write tries again before it appends anything.
            tracing::warn!(%error, "the log's torn end cannot be cut off yet");
        }
        written
    }

    fn rotates(&self) -> bool {
        self.end > self.base && self.shared.rotates()
    }

    fn begin_segment(&mut self) -> io::Result<()> {
        let next = self.disk.create(self.end)?;
        self.file = next;
        self.base = self.end;
        self.shared.begin_segment(self.base);
        self.shared.rotated();
        Ok(())
    }

    /// While no batches come: who was forgotten is to be gone from the log too.
    fn look_idly(&mut self) {
        if !self.rotates() {
            self.warned = false;
            return;
        }
        match self.tidy().and_then(|()| self.begin_segment()) {
            // Few files: while batches come, others delete them.
            Ok(()) => self.shared.sweep(),
            Err(error) if !self.warned => {
                self.warned = true;
                tracing::warn!(%error, "no new segment of the log can be begun; it is tried again");
            }
            Err(_) => {}
        }
    }

    /// Cuts off what a failed write left behind the last durable frame.
    fn tidy(&mut self) -> io::Result<()> {
        if self.untidy {
            self.file.cut(self.end - self.base)?;
            self.untidy = false;
        }
        Ok(())
    }
}

fn answer(sender: Sender, outcome: Result<Appended, Refusal>) {
    // A sender that has gone away will try again and be told that it is a duplicate.
    drop(sender.send(outcome));
}
