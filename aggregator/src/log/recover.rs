//! What a crash left behind: cuts a torn end off, and finds out which batches are in the log.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::disk::Disk;
use super::file::Shared;
use super::frame::{self, Probe};
use super::reader::Reader;
use super::window::Windows;
use super::{Item, Next, Tail as _, WorkerKey, segment};
use crate::ingest::header;

/// Where the writer goes on.
pub(super) struct Recovered {
    /// Where the last segment begins.
    pub(super) base: u64,
    /// Position after its last whole frame.
    pub(super) end: u64,
}

/// Makes the last segment in `folder` fit to be appended to, at or after `committed`.
pub(super) fn last_segment(
    folder: &Path,
    disk: &mut dyn Disk,
    committed: u64,
) -> io::Result<Recovered> {
    if let Some(base) = segment::list(folder)?.last().copied() {
        let (at, found) = tidy_end(folder, base, committed.saturating_sub(base))?;
        let end = base + at;
        if end >= committed {
            // What cannot be read stays where it is: the reader reports it as a gap.
            if found == End::Damaged {
                drop(disk.create(end)?);
                return Ok(Recovered { base: end, end });
            }
            return Ok(Recovered { base, end });
        }
        // Positions never go back: what was written again below `committed` would be skipped.
        tracing::error!(
            end,
            committed,
            "the log ends before the database's position: segments were removed or replaced"
        );
    }
    drop(disk.create(committed)?);
    Ok(Recovered {
        base: committed,
        end: committed,
    })
}

/// What a segment ends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// A whole frame.
    Whole,
    /// Something that cannot be read, with a whole frame behind it.
    Damaged,
}

/// Cuts off what follows the last whole frame; returns the length that is left.
///
/// What lies before `from` is in the database: damage there is no reason to cut. Where a damaged
/// length hides whole frames they were acknowledged, and nothing is cut.
fn tidy_end(folder: &Path, base: u64, from: u64) -> io::Result<(u64, End)> {
    let path = segment::path(folder, base);
    let file = OpenOptions::new().read(true).write(true).open(&path)?;
    let len = file.metadata()?.len();
    let end = whole_until(&file, from.min(len), len)?;
    if end < len && frame::any_whole(&file, end + 1, len)? {
        return Ok((len, End::Damaged));
    }
    if end < len {
        file.set_len(end)?;
        file.sync_all()?;
        tracing::warn!(
            segment = segment::name(base),
            bytes = len - end,
            position = base + end,
            "cut a torn end off the log: unless the disk is damaged, it was never acknowledged"
        );
    }
    Ok((end, End::Whole))
}

fn whole_until(file: &File, mut at: u64, len: u64) -> io::Result<u64> {
    loop {
        at = match frame::probe(file, at, len)? {
            Probe::Whole { end, .. } => end,
            // Damaged, but not the end: the reader reports it as a gap.
            Probe::Broken { next: Some(next) } => next,
            Probe::Broken { next: None } => return Ok(at),
        };
    }
}

/// Adds to `windows` the batches between `committed` and `end`.
pub(super) fn windows(
    shared: &Arc<Shared>,
    committed: u64,
    end: u64,
    windows: &mut Windows,
) -> io::Result<()> {
    let mut reader = Reader::new(Arc::clone(shared), committed);
    let mut batches = 0_u64;
    while let Next::Item(item) = reader.next(Duration::ZERO)? {
        match &item {
            Item::Batch(entry) => {
                batches += 1;
                if let Ok(header) = header::read(&entry.body) {
                    let worker = WorkerKey {
                        boot: header.boot,
                        worker: header.worker,
                    };
                    match header.sequence {
                        Some(sequence) => {
                            windows.insert(worker, sequence, entry.arrived_us);
                        }
                        None => windows.touch(worker, entry.arrived_us),
                    }
                }
            }
            Item::Gap(gap) => tracing::error!(
                segment = gap.segment,
                position = gap.position,
                bytes = gap.end - gap.position,
                "a part of the log is missing or damaged: its records are lost"
            ),
        }
        if item.end() >= end {
            break;
        }
    }
    tracing::info!(
        position = end,
        waiting_bytes = end - committed,
        batches,
        "opened the log"
    );
    Ok(())
}
