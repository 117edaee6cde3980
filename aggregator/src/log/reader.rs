//! log → store: reads frames in order, up to the durable end and never beyond.

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::file::Shared;
use super::frame::{self, Probe};
use super::{Entry, Gap, Item, Next, Tail, segment};

/// Reads a [`super::FileLog`].
pub(super) struct Reader {
    shared: Arc<Shared>,
    position: u64,
    /// The open segment and where it begins.
    open: Option<(u64, File)>,
}

impl Reader {
    pub(super) fn new(shared: Arc<Shared>, position: u64) -> Self {
        Self {
            shared,
            position,
            open: None,
        }
    }

    fn gap(&self, base: u64, end: u64) -> Item {
        Item::Gap(Gap {
            segment: segment::name(base),
            position: self.position,
            end,
        })
    }

    /// The item at `self.position`, which is below `end`.
    fn read(&mut self, end: u64) -> io::Result<Item> {
        let (base, next) = self.shared.around(self.position);
        let limit = next.unwrap_or(end);
        let Some(base) = base else {
            return Ok(self.gap(self.position, limit));
        };
        if self.open.as_ref().is_none_or(|(open, _)| *open != base) {
            match File::open(segment::path(&self.shared.folder, base)) {
                Ok(file) => self.open = Some((base, file)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    return Ok(self.gap(base, limit));
                }
                Err(error) => return Err(error),
            }
        }
        let Some((_, file)) = &self.open else {
            return Ok(self.gap(base, limit));
        };
        let len = file.metadata()?.len().min(limit - base);
        let at = self.position - base;
        Ok(match frame::probe(file, at, len)? {
            Probe::Whole {
                arrived_us,
                body,
                end,
            } => Item::Batch(Entry {
                position: self.position,
                end: base + end,
                arrived_us,
                body,
            }),
            Probe::Broken { next } => self.gap(base, next.map_or(limit, |next| base + next)),
        })
    }
}

impl Tail for Reader {
    fn next(&mut self, patience: Duration) -> io::Result<Next> {
        let end = self.shared.wait(self.position, patience);
        if self.position >= end.position {
            return Ok(if end.closed {
                Next::Closed
            } else {
                Next::Nothing
            });
        }
        let item = self.read(end.position)?;
        self.position = item.end();
        Ok(Next::Item(item))
    }
}
