//! What a backup consists of, as its file `backup.json` says: written last, so that what has one is
//! complete.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Component, Path};

use serde::{Deserialize, Serialize};

/// The list's name in the backup.
const NAME: &str = "backup.json";
/// Raised with every change to what a backup consists of.
const FORMAT: u32 = 1;

/// A file of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copied {
    /// Where it is, from the backup's folder.
    pub path: String,
    /// How long it is.
    pub bytes: u64,
}

/// What a backup consists of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contents {
    format: u32,
    /// Version of the program that made it.
    pub version: String,
    /// When, microseconds since the Unix epoch.
    pub made_us: i64,
    /// Position up to which its database has the log.
    pub position: u64,
    /// Records ever stored until then.
    pub records: u64,
    /// Its files.
    pub files: Vec<Copied>,
}

impl Contents {
    pub(super) fn new(made_us: i64, position: u64, records: u64, files: Vec<Copied>) -> Self {
        Self {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            made_us,
            position,
            records,
            files,
        }
    }

    /// Bytes of all files.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    pub(super) fn write(&self, folder: &Path) -> io::Result<()> {
        let mut file = File::create(folder.join(NAME))?;
        file.write_all(&serde_json::to_vec_pretty(self)?)?;
        file.sync_all()
    }

    /// Reads the list of the backup in `folder`, and looks whether everything is there.
    pub(super) fn read(folder: &Path) -> Result<Self, String> {
        let list = folder.join(NAME);
        let text = std::fs::read(&list).map_err(|error| {
            format!(
                "{} cannot be read ({error}): it is no complete backup",
                list.display()
            )
        })?;
        let contents: Self = serde_json::from_slice(&text)
            .map_err(|error| format!("{}: {error}", list.display()))?;
        if contents.format != FORMAT {
            return Err(format!(
                "it is in format {}, and this program knows format {FORMAT}: use throughline {}",
                contents.format, contents.version
            ));
        }
        for file in &contents.files {
            let inside = |part: Component<'_>| matches!(part, Component::Normal(_));
            if !Path::new(&file.path).components().all(inside) {
                return Err(format!("`{}` is no file of a backup", file.path));
            }
            let path = folder.join(&file.path);
            let bytes = path.metadata().map_or(0, |it| it.len());
            if bytes != file.bytes || !path.is_file() {
                return Err(format!(
                    "{} should have {} bytes and has {bytes}: the backup is damaged, take another",
                    path.display(),
                    file.bytes
                ));
            }
        }
        Ok(contents)
    }
}
