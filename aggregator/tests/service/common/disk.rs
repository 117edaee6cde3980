//! A disk that fails when it is told to.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use throughline::log::{Disk, Folder, SegmentFile};

/// What the disk does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// Writes half, then fails: no space left.
    Append,
    /// Fails to make anything durable.
    Sync,
    /// Like `Append`, and cannot even cut the torn end off.
    AppendAndCut,
    /// Makes no new files.
    Create,
    /// Has nothing left for the database.
    Full,
}

/// A folder on a disk that fails.
pub(crate) struct FaultyDisk {
    folder: Folder,
    fault: Arc<AtomicU8>,
}

struct FaultyFile {
    file: Box<dyn SegmentFile>,
    fault: Arc<AtomicU8>,
}

impl FaultyDisk {
    /// The disk, and what sets its fault.
    pub(crate) fn new(folder: PathBuf) -> (Self, impl Fn(Fault) + Clone) {
        let fault = Arc::new(AtomicU8::new(0));
        let switch = Arc::clone(&fault);
        let set = move |fault: Fault| switch.store(fault as u8, Ordering::SeqCst);
        (
            Self {
                folder: Folder(folder),
                fault,
            },
            set,
        )
    }

    fn wrap(&self, file: Box<dyn SegmentFile>) -> Box<dyn SegmentFile> {
        Box::new(FaultyFile {
            file,
            fault: Arc::clone(&self.fault),
        })
    }
}

fn failing(fault: &AtomicU8, faults: &[Fault]) -> bool {
    faults
        .iter()
        .any(|it| *it as u8 == fault.load(Ordering::SeqCst))
}

fn no_space() -> io::Error {
    io::Error::from(io::ErrorKind::StorageFull)
}

impl Disk for FaultyDisk {
    fn create(&mut self, base: u64) -> io::Result<Box<dyn SegmentFile>> {
        if failing(&self.fault, &[Fault::Create]) {
            return Err(no_space());
        }
        let file = self.folder.create(base)?;
        Ok(self.wrap(file))
    }

    fn free(&mut self) -> io::Result<u64> {
        if failing(&self.fault, &[Fault::Full]) {
            Ok(9)
        } else {
            Ok(u64::MAX)
        }
    }

    fn open(&mut self, base: u64) -> io::Result<Box<dyn SegmentFile>> {
        let file = self.folder.open(base)?;
        Ok(self.wrap(file))
    }
}

impl SegmentFile for FaultyFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if failing(&self.fault, &[Fault::Append, Fault::AppendAndCut]) {
            self.file.append(&bytes[..bytes.len() / 2])?;
            return Err(no_space());
        }
        self.file.append(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        if failing(&self.fault, &[Fault::Sync]) {
            Err(no_space())
        } else {
            self.file.sync()
        }
    }

    fn cut(&mut self, len: u64) -> io::Result<()> {
        if failing(&self.fault, &[Fault::AppendAndCut]) {
            Err(no_space())
        } else {
            self.file.cut(len)
        }
    }
}
