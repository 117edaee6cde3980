//! The seam between the log's writer and the disk, so that tests can make the disk fail.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::PathBuf;

use super::segment;

/// Makes segment files.
pub trait Disk: Send + 'static {
    /// A new, empty segment that begins at `base`, and that a crash does not forget.
    ///
    /// # Errors
    /// What the system says; an empty file may be left behind.
    fn create(&mut self, base: u64) -> io::Result<Box<dyn SegmentFile>>;

    /// Bytes that may still be written.
    ///
    /// # Errors
    /// What the system says.
    fn free(&mut self) -> io::Result<u64>;

    /// The existing segment that begins at `base`, to append to.
    ///
    /// # Errors
    /// What the system says.
    fn open(&mut self, base: u64) -> io::Result<Box<dyn SegmentFile>>;
}

/// A segment being written.
pub trait SegmentFile: Send {
    /// Appends `bytes`.
    ///
    /// # Errors
    /// What the system says; a part of `bytes` may have been written.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Returns when everything appended is on the disk.
    ///
    /// # Errors
    /// What the system says; nothing is known then about what was appended since the last call.
    fn sync(&mut self) -> io::Result<()>;

    /// Cuts the file to its first `len` bytes.
    ///
    /// # Errors
    /// What the system says.
    fn cut(&mut self, len: u64) -> io::Result<()>;
}

/// Segments in a folder.
#[derive(Debug)]
pub struct Folder(pub PathBuf);

impl Disk for Folder {
    fn create(&mut self, base: u64) -> io::Result<Box<dyn SegmentFile>> {
        // A file of that name is what an earlier, failed try left behind: nothing acknowledged.
        let file = OpenOptions::new()
            .append(true)
            .create(true)
            .open(segment::path(&self.0, base))?;
        file.set_len(0)?;
        File::open(&self.0)?.sync_all()?;
        Ok(Box::new(file))
    }

    fn free(&mut self) -> io::Result<u64> {
        let disk = rustix::fs::statvfs(&self.0)?;
        Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
    }

    fn open(&mut self, base: u64) -> io::Result<Box<dyn SegmentFile>> {
        let file = OpenOptions::new()
            .append(true)
            .open(segment::path(&self.0, base))?;
        Ok(Box::new(file))
    }
}

impl SegmentFile for File {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }

    fn cut(&mut self, len: u64) -> io::Result<()> {
        self.set_len(len)
    }
}
