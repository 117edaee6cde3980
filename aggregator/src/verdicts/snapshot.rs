//! state ↔ disk: what a restart goes on with, at the log position where it was taken.
//!
//! `[magic][length of the fingerprint, fingerprint][log position u64 LE][length u64 LE][CRC-32 u32 LE][state]`.
//! The state is only read by the very code that wrote it: anything else is built anew from the
//! log and the store.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use super::Judge;

const MAGIC: &[u8; 8] = b"TLDETECT";
/// Raised with every change to [`Judge`]; changes within detection are in its own fingerprint.
const FORMAT: u32 = 2;
const FINGERPRINT_LEN_MAX: usize = 256;

/// Why a snapshot cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// There is none.
    #[error("there is none")]
    None,
    /// It is damaged.
    #[error("it is damaged: {0}")]
    Damaged(&'static str),
    /// Another version of this program wrote it.
    #[error("another version of this program wrote it")]
    OtherVersion,
    /// It remembers as much as other options said.
    #[error("it was taken with other --detection-sessions or --detection-sources")]
    OtherLimits,
    /// The disk.
    #[error("it cannot be read: {0}")]
    Unreadable(#[from] io::Error),
}

/// Where the snapshot lies.
#[derive(Debug, Clone)]
pub struct Snapshot {
    folder: PathBuf,
}

/// Counts and sums what is written.
struct Summed<W> {
    to: W,
    crc: crc32fast::Hasher,
    bytes: u64,
}

impl<W: Write> Write for Summed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.crc.update(bytes.get(..written).unwrap_or_default());
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

fn fingerprint() -> String {
    let version = env!("CARGO_PKG_VERSION");
    format!("{FORMAT} {version} {}", throughline_detection::FINGERPRINT)
}

/// Reads up to the state: position, its length and its sum.
fn head(from: &mut impl Read) -> Result<(u64, u64, u32), SnapshotError> {
    let cut = |error: io::Error| match error.kind() {
        io::ErrorKind::UnexpectedEof => SnapshotError::Damaged("it is cut off"),
        _ => SnapshotError::Unreadable(error),
    };
    let mut magic = [0; 8];
    from.read_exact(&mut magic).map_err(cut)?;
    if magic != *MAGIC {
        return Err(SnapshotError::Damaged("it does not begin like one"));
    }
    let mut len = [0; 2];
    from.read_exact(&mut len).map_err(cut)?;
    let len = usize::from(u16::from_le_bytes(len)).min(FINGERPRINT_LEN_MAX);
    let mut found = vec![0; len];
    from.read_exact(&mut found).map_err(cut)?;
    if found != fingerprint().as_bytes() {
        return Err(SnapshotError::OtherVersion);
    }
    let (mut position, mut bytes, mut crc) = ([0; 8], [0; 8], [0; 4]);
    from.read_exact(&mut position).map_err(cut)?;
    from.read_exact(&mut bytes).map_err(cut)?;
    from.read_exact(&mut crc).map_err(cut)?;
    let (position, bytes) = (u64::from_le_bytes(position), u64::from_le_bytes(bytes));
    Ok((position, bytes, u32::from_le_bytes(crc)))
}

impl Snapshot {
    /// The snapshot in `folder`, which is made if it is not there.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn in_folder(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        Ok(Self {
            folder: folder.to_path_buf(),
        })
    }

    fn file(&self) -> PathBuf {
        self.folder.join("snapshot")
    }

    /// The log position of the snapshot, without reading the state.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub fn position(&self) -> Result<u64, SnapshotError> {
        Ok(head(&mut self.open()?)?.0)
    }

    fn open(&self) -> Result<BufReader<File>, SnapshotError> {
        match File::open(self.file()) {
            Ok(file) => Ok(BufReader::with_capacity(1 << 20, file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(SnapshotError::None),
            Err(error) => Err(error.into()),
        }
    }

    /// Reads the state.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub fn load(&self) -> Result<Judge, SnapshotError> {
        let mut file = self.open()?;
        let (position, bytes, crc) = head(&mut file)?;
        let mut state = Vec::new();
        file.read_to_end(&mut state)?;
        if state.len() as u64 != bytes {
            return Err(SnapshotError::Damaged("its length is wrong"));
        }
        if crc32fast::hash(&state) != crc {
            return Err(SnapshotError::Damaged("its sum is wrong"));
        }
        let mut judge: Judge = postcard::from_bytes(&state)
            .map_err(|_| SnapshotError::Damaged("its state makes no sense"))?;
        if judge.position() != position {
            return Err(SnapshotError::Damaged("its position is wrong"));
        }
        judge.revive();
        Ok(judge)
    }

    /// Puts the state on the disk, beside the one before; gives its bytes.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn write(&self, judge: &Judge) -> io::Result<u64> {
        let new = self.folder.join("snapshot.new");
        let mut file = File::create(&new)?;
        let fingerprint = fingerprint();
        let len = u16::try_from(fingerprint.len()).unwrap_or(0);
        file.write_all(MAGIC)?;
        file.write_all(&len.to_le_bytes())?;
        file.write_all(fingerprint.as_bytes())?;
        file.write_all(&judge.position().to_le_bytes())?;
        let place = io::Seek::stream_position(&mut file)?;
        file.write_all(&[0; 12])?;
        let mut to = Summed {
            to: BufWriter::with_capacity(1 << 20, file),
            crc: crc32fast::Hasher::new(),
            bytes: 0,
        };
        postcard::to_io(judge, &mut to).map_err(io::Error::other)?;
        to.flush()?;
        let (bytes, crc) = (to.bytes, to.crc.finalize());
        let mut file = to.to.into_inner().map_err(io::Error::from)?;
        io::Seek::seek(&mut file, io::SeekFrom::Start(place))?;
        file.write_all(&bytes.to_le_bytes())?;
        file.write_all(&crc.to_le_bytes())?;
        file.sync_all()?;
        Ok(bytes)
    }

    /// Puts what was written last in the place of the one before.
    ///
    /// To be called once the verdicts up to its position are stored: whoever begins with it does
    /// not say them again.
    ///
    /// # Errors
    /// When the disk refuses; the one before stays.
    pub fn adopt(&self) -> io::Result<()> {
        fs::rename(self.folder.join("snapshot.new"), self.file())?;
        File::open(&self.folder)?.sync_all()
    }

    /// The key of detection's hashes: made once, and the same ever after.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn seed(&self) -> io::Result<u64> {
        use std::hash::{BuildHasher as _, Hasher as _};
        let path = self.folder.join("seed");
        if let Ok(text) = fs::read_to_string(&path)
            && let Ok(seed) = text.trim().parse()
        {
            return Ok(seed);
        }
        // Keyed by the system's randomness.
        let seed = std::hash::RandomState::new().build_hasher().finish();
        let new = self.folder.join("seed.new");
        let mut file = File::create(&new)?;
        writeln!(file, "{seed}")?;
        file.sync_all()?;
        fs::rename(&new, &path)?;
        Ok(seed)
    }
}
