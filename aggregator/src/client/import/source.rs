//! A log file, or standard input: read to its end, or followed through rotation and truncation.

use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Between two looks at a log that is followed.
pub(super) const LOOK: Duration = Duration::from_millis(250);
/// Bytes that a log's first line is looked for in.
const HEAD_LEN_MAX: u64 = 128 * 1024;

/// One file under a log's name.
pub(super) struct Source {
    path: PathBuf,
    file: Input,
}

enum Input {
    File(File),
    /// What was read of it to see what it is, and the rest.
    Stdin(io::Chain<io::Cursor<Vec<u8>>, io::Stdin>),
}

/// What has become of a file that is followed, once it was read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It may grow.
    Grows,
    /// Another one has its name now.
    Rotated,
    /// It is shorter than it was: it begins anew.
    Truncated,
}

impl Source {
    /// Opens `path`, `-` for standard input; gives its beginning too.
    pub(super) fn open(path: &Path) -> io::Result<(Self, Vec<u8>)> {
        let mut head = Vec::new();
        let file = if path == Path::new("-") {
            io::stdin().take(HEAD_LEN_MAX).read_to_end(&mut head)?;
            Input::Stdin(io::Cursor::new(head.clone()).chain(io::stdin()))
        } else {
            let file = File::open(path)?;
            (&file).take(HEAD_LEN_MAX).read_to_end(&mut head)?;
            Input::File(file)
        };
        let path = path.to_path_buf();
        Ok((Self { path, file }, head))
    }

    /// Goes to byte `offset`.
    pub(super) fn seek(&mut self, offset: u64) -> io::Result<()> {
        if let Input::File(file) = &mut self.file {
            file.seek(SeekFrom::Start(offset))?;
        }
        Ok(())
    }

    /// How many bytes there are; `None` where nobody knows.
    pub(super) fn len(&self) -> Option<u64> {
        match &self.file {
            Input::File(file) => file.metadata().ok().map(|it| it.len()),
            Input::Stdin(_) => None,
        }
    }

    /// What has become of it, where it was read up to `offset`.
    pub(super) fn fate(&self, offset: u64) -> Fate {
        let Input::File(file) = &self.file else {
            return Fate::Grows;
        };
        let (Ok(own), named) = (file.metadata(), std::fs::metadata(&self.path)) else {
            return Fate::Grows;
        };
        if own.len() < offset {
            return Fate::Truncated;
        }
        match named {
            Ok(named) if (named.dev(), named.ino()) != (own.dev(), own.ino()) => Fate::Rotated,
            // Between two files of that name, or the same.
            _ => Fate::Grows,
        }
    }
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.file {
            Input::File(file) => file.read(buffer),
            Input::Stdin(stdin) => stdin.read(buffer),
        }
    }
}

/// The first line of `head` that is not empty; `None` where it has not ended.
pub(super) fn first_line(head: &[u8], whole: bool) -> Option<&[u8]> {
    let mut lines = head.split_inclusive(|byte| *byte == b'\n');
    let first = lines.find(|line| !line.trim_ascii().is_empty())?;
    (whole || first.ends_with(b"\n")).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sees_rotation_and_truncation() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("a.log");
        std::fs::write(&log, "one\ntwo\n").unwrap();
        let (source, head) = Source::open(&log).unwrap();
        assert_eq!(first_line(&head, false), Some(&b"one\n"[..]));
        assert_eq!(source.fate(8), Fate::Grows);
        std::fs::write(&log, "x").unwrap();
        assert_eq!(source.fate(8), Fate::Truncated);
        std::fs::rename(&log, folder.path().join("a.log.1")).unwrap();
        assert_eq!(source.fate(1), Fate::Grows, "there is no other yet");
        std::fs::write(&log, "new\n").unwrap();
        assert_eq!(source.fate(1), Fate::Rotated);
        assert_eq!(first_line(b"\n\nhalf", false), None);
        assert_eq!(first_line(b"\n\nhalf", true), Some(&b"half"[..]));
    }
}
