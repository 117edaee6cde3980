//! Segment files: their names, and which of them holds a position.

use std::io;
use std::path::{Path, PathBuf};

/// Name of the segment that begins at `base`: 20 digits, so that names sort like positions.
pub(super) fn name(base: u64) -> String {
    format!("{base:020}.seg")
}

/// Path of the segment that begins at `base`.
pub(super) fn path(folder: &Path, base: u64) -> PathBuf {
    folder.join(name(base))
}

/// Where the segments in `folder` begin, in order; other files are left alone.
pub(super) fn list(folder: &Path) -> io::Result<Vec<u64>> {
    let mut bases = Vec::new();
    for file in std::fs::read_dir(folder)? {
        let file = file?.file_name();
        let digits = file.to_str().and_then(|name| name.strip_suffix(".seg"));
        if let Some(base) = digits
            .filter(|it| it.len() == 20)
            .and_then(|it| it.parse().ok())
        {
            bases.push(base);
        }
    }
    bases.sort_unstable();
    Ok(bases)
}
