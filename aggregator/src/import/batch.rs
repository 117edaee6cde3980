//! chunk → batch: the records of its lines, and the lines that make none.

use std::borrow::Cow;

use throughline_session::filter::Recorder;
use throughline_session::identity::ShortSecret;
use throughline_session::wire::{BatchHeader, BootId, Dropped, Ledger, WIRE_VERSION};

use super::{CAPTURE_POINT, Chunk, Format, LINE_LEN_MAX, Rules};

/// Lines whose reason is kept, of each chunk.
const REJECTS_KEPT: usize = 20;
/// What is shown of a line, characters.
const SHOWN_LEN_MAX: usize = 120;

/// A line that makes no record.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct Reject {
    /// Its number, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub reason: String,
    /// How it begins.
    pub text: String,
}

/// What became of a chunk.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Built {
    /// One line per record.
    pub lines: Vec<u8>,
    /// How many.
    pub records: u32,
    /// Lines that make none.
    pub rejected: u64,
    /// The first of them.
    pub rejects: Vec<Reject>,
}

/// Makes records of chunks; one per thread.
pub struct Batcher {
    recorder: Recorder,
    format: &'static Format,
    host: Option<String>,
}

impl Batcher {
    /// Sessions are found by `rules`; `host` stands for the host that lines do not name.
    ///
    /// # Errors
    /// When the secret could be guessed.
    pub fn new(
        format: &'static Format,
        rules: &Rules,
        secret: &[u8],
        host: Option<String>,
    ) -> Result<Self, ShortSecret> {
        Ok(Self {
            recorder: Recorder::new(&rules.document, &rules.version, secret)?,
            format,
            host,
        })
    }

    /// Reads a chunk's lines.
    #[must_use]
    pub fn build(&self, chunk: &Chunk) -> Built {
        let mut built = Built {
            lines: Vec::with_capacity(chunk.bytes.len() * 3),
            ..Built::default()
        };
        let bytes = chunk.bytes.strip_suffix(b"\n").unwrap_or(&chunk.bytes);
        for (number, line) in (chunk.line..).zip(bytes.split(|byte| *byte == b'\n')) {
            let line = line.trim_ascii_end();
            if line.is_empty() {
                continue;
            }
            if let Err(reason) = self.line(line, &mut built) {
                built.rejected += 1;
                if built.rejects.len() < REJECTS_KEPT {
                    let text = String::from_utf8_lossy(line.get(..1024).unwrap_or(line));
                    built.rejects.push(Reject {
                        line: number,
                        reason: reason.to_owned(),
                        text: text.chars().take(SHOWN_LEN_MAX).collect(),
                    });
                }
            }
        }
        built
    }

    fn line(&self, line: &[u8], built: &mut Built) -> Result<(), &'static str> {
        if line.len() > LINE_LEN_MAX {
            return Err("longer than 64 KiB");
        }
        // Clients put any bytes into a log.
        let text = String::from_utf8_lossy(line);
        let mut exchanged = (self.format.read)(&text)?;
        if !(0..=crate::ingest::TIME_MAX_US).contains(&exchanged.start_us) {
            return Err("its time lies outside of 1970 to 9999");
        }
        if let Some(host) = self.host.as_deref().filter(|_| !exchanged.has_host()) {
            exchanged.header(":authority", host);
        }
        let measured = exchanged.measured();
        let written = self
            .recorder
            .record(&exchanged, measured, built.records, &mut built.lines);
        written.map_err(|_| "its record cannot be written")?;
        built.records += 1;
        Ok(())
    }
}

/// The body of batch `sequence` of the import `boot`, or of a heartbeat; `books` have this batch in
/// them.
#[must_use]
pub fn body(
    built: &Built,
    boot: BootId,
    sequence: Option<u64>,
    policy_version: &str,
    books: Books,
    now_us: i64,
) -> Vec<u8> {
    let header = BatchHeader {
        throughline: WIRE_VERSION,
        boot,
        worker: 0,
        sequence,
        records: built.records,
        closed_us: now_us,
        capture_point: Cow::Borrowed(CAPTURE_POINT),
        node: Cow::Borrowed("import"),
        policy_version: Cow::Borrowed(policy_version),
        filter_version: Cow::Borrowed(env!("CARGO_PKG_VERSION")),
        ledger: books.wire(),
        shares: Vec::new(),
        refused: None,
    };
    let mut body = serde_json::to_vec(&header).unwrap_or_default();
    body.reserve(built.lines.len() + 1);
    body.push(b'\n');
    body.extend_from_slice(&built.lines);
    body
}

/// What an import has done so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Books {
    /// Records made of lines.
    pub records: u64,
    /// Records that the service has.
    pub acknowledged: u64,
    /// Lines that make none.
    pub rejected: u64,
}

impl Books {
    /// As the loss ledger has it: a rejected line is a record that could not be written.
    fn wire(self) -> Ledger {
        Ledger {
            seen: self.records.saturating_add(self.rejected),
            acknowledged: self.acknowledged,
            dropped: Dropped {
                unwritable: self.rejected,
                ..Dropped::default()
            },
        }
    }
}
