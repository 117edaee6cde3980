//! A log → chunks of whole lines, cut at the same places whoever reads it how often.

use std::io::{self, Read};

/// Bytes of a chunk at most.
const CHUNK_BYTES: usize = 512 * 1024;
/// Lines of a chunk at most.
const CHUNK_LINES: usize = 4096;
/// Longer lines are rejected, bytes.
pub const LINE_LEN_MAX: usize = 64 * 1024;

/// Some lines of a log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chunk {
    /// Where it begins in the log, bytes.
    pub start: u64,
    /// Number of its first line, from 1.
    pub line: u64,
    /// Its lines.
    pub bytes: Vec<u8>,
    /// It is as long as chunks are: whoever reads the log again cuts here too.
    pub full: bool,
}

impl Chunk {
    /// Where it ends in the log, bytes.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }

    /// How many lines it has.
    #[must_use]
    pub fn lines(&self) -> u64 {
        let breaks = self.bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        breaks + u64::from(self.bytes.last().is_some_and(|byte| *byte != b'\n'))
    }
}

/// Cuts what it reads.
pub struct Chunks<R> {
    from: R,
    waiting: Vec<u8>,
    start: u64,
    line: u64,
    /// A line without its end is not taken: more of it may come.
    whole_lines: bool,
}

impl<R: Read> Chunks<R> {
    /// Begins at byte `start`, which is where line `line` begins.
    pub fn new(from: R, start: u64, line: u64, whole_lines: bool) -> Self {
        Self {
            from,
            waiting: Vec::new(),
            start,
            line,
            whole_lines,
        }
    }

    /// The next chunk, which ends at byte `end` where that is given; `None` where there is nothing
    /// more for now.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn next(&mut self, end: Option<u64>) -> io::Result<Option<Chunk>> {
        let wanted = end.map(|end| usize::try_from(end.saturating_sub(self.start)).unwrap_or(0));
        let most = wanted.unwrap_or(CHUNK_BYTES).min(CHUNK_BYTES);
        while self.waiting.len() < most {
            let missing = most - self.waiting.len();
            let read = self
                .from
                .by_ref()
                .take(missing as u64)
                .read_to_end(&mut self.waiting)?;
            if read == 0 {
                break;
            }
        }
        let there = self
            .waiting
            .get(..most.min(self.waiting.len()))
            .unwrap_or_default();
        let ended = there.len() < most;
        let (len, full) = match wanted {
            // Where it was cut before.
            Some(_) => (there.len(), false),
            None => cut(there, ended, self.whole_lines),
        };
        if len == 0 {
            return Ok(None);
        }
        let bytes = self.waiting.drain(..len).collect();
        let chunk = Chunk {
            start: self.start,
            line: self.line,
            bytes,
            full,
        };
        self.start = chunk.end();
        self.line += chunk.lines();
        Ok(Some(chunk))
    }

    /// What it reads from.
    pub fn inner(&self) -> &R {
        &self.from
    }

    /// Where the next chunk begins, bytes.
    pub fn start(&self) -> u64 {
        self.start
    }
}

/// How many of these bytes make the next chunk, and whether it is cut there for its size.
fn cut(there: &[u8], ended: bool, whole_lines: bool) -> (usize, bool) {
    let breaks = there.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    let mut last = None;
    for (count, (at, _)) in breaks.enumerate() {
        last = Some(at + 1);
        if count + 1 == CHUNK_LINES {
            return (at + 1, true);
        }
    }
    match last {
        _ if ended && !whole_lines => (there.len(), false),
        Some(end) => (end, !ended),
        // One line that never ends: it is taken in pieces, which are rejected.
        None if !ended || there.len() > LINE_LEN_MAX => (there.len(), !ended),
        None => (0, false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8], whole_lines: bool) -> Vec<Chunk> {
        let mut chunks = Chunks::new(bytes, 0, 1, whole_lines);
        std::iter::from_fn(|| chunks.next(None).unwrap()).collect()
    }

    #[test]
    fn cuts_at_line_ends_by_lines_and_by_bytes() {
        let short = b"a\n".repeat(5000);
        let found = all(&short, false);
        let shape = |it: &Chunk| (it.start, it.line, it.lines(), it.full);
        let shapes: Vec<_> = found.iter().map(shape).collect();
        assert_eq!(shapes, [(0, 1, 4096, true), (8192, 4097, 904, false)]);
        let long = [b"b".repeat(200 * 1024), b"\n".to_vec()].concat().repeat(5);
        let found = all(&long, false);
        let lines: Vec<_> = found.iter().map(Chunk::lines).collect();
        assert_eq!(lines, [2, 2, 1]);
        assert_eq!(found.concat_bytes(), long);
    }

    trait Concat {
        fn concat_bytes(&self) -> Vec<u8>;
    }
    impl Concat for Vec<Chunk> {
        fn concat_bytes(&self) -> Vec<u8> {
            self.iter().flat_map(|it| it.bytes.clone()).collect()
        }
    }

    #[test]
    fn a_line_that_is_still_being_written_waits_only_where_more_may_come() {
        assert_eq!(all(b"a\nb", true).concat_bytes(), b"a\n");
        assert_eq!(all(b"a\nb", false).concat_bytes(), b"a\nb");
        assert_eq!(all(b"b", true), []);
        let endless = b"c".repeat(CHUNK_BYTES + 10);
        assert_eq!(all(&endless, true).concat_bytes().len(), CHUNK_BYTES);
    }

    #[test]
    fn goes_on_where_it_was_cut_before() {
        let text = b"a\nb\nc\nd\n";
        let mut chunks = Chunks::new(&text[2..], 2, 2, false);
        let cut = chunks.next(Some(6)).unwrap().unwrap();
        assert_eq!(
            (cut.start, cut.line, cut.bytes.as_slice()),
            (2, 2, &b"b\nc\n"[..])
        );
        let rest = chunks.next(None).unwrap().unwrap();
        assert_eq!(
            (rest.start, rest.line, rest.bytes.as_slice()),
            (6, 4, &b"d\n"[..])
        );
        assert_eq!(chunks.next(None).unwrap(), None);
    }
}
