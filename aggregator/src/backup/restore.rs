//! `throughline restore`: a backup → a data folder to start from.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::contents::Contents;
use crate::time;

/// Which backup, and where to.
#[derive(Debug, clap::Args)]
pub struct RestoreOptions {
    /// The backup's folder.
    #[arg(long, value_name = "FOLDER")]
    from: PathBuf,
    /// The data folder to be made: it must not be there, or be empty.
    #[arg(
        long,
        env = "THROUGHLINE_DATA",
        default_value = "data",
        value_name = "FOLDER"
    )]
    data: PathBuf,
}

/// Why nothing is restored.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The backup is not one.
    #[error("{0}: {1}")]
    Backup(PathBuf, String),
    /// There is something.
    #[error("{0} is not empty: move it away, or name another --data")]
    NotEmpty(PathBuf),
    /// The disk.
    #[error("{0}: {1}")]
    Files(PathBuf, io::Error),
}

/// Copies the backup; the result is what to print.
///
/// # Errors
/// Why it is not restored. What was copied by then is left: the folder is not empty.
pub fn run(options: &RestoreOptions) -> Result<String, RestoreError> {
    let RestoreOptions { from, data } = options;
    let contents = Contents::read(from).map_err(|what| RestoreError::Backup(from.clone(), what))?;
    let failed = |path: &Path| {
        let path = path.to_path_buf();
        |error| RestoreError::Files(path, error)
    };
    fs::create_dir_all(data).map_err(failed(data))?;
    if fs::read_dir(data).map_err(failed(data))?.next().is_some() {
        return Err(RestoreError::NotEmpty(data.clone()));
    }
    for file in &contents.files {
        let (from, to) = (from.join(&file.path), data.join(&file.path));
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder).map_err(failed(folder))?;
        }
        // A segment's file never changes; all else does, and must leave the backup alone.
        let linked = file.path.ends_with(".parquet") && fs::hard_link(&from, &to).is_ok();
        if !linked {
            fs::copy(&from, &to).map_err(failed(&to))?;
            File::open(&to)
                .and_then(|it| it.sync_all())
                .map_err(failed(&to))?;
        }
    }
    Ok(format!(
        "{}: restored as of {}: {} records, {} files, {} bytes; start it with \
         `throughline serve --data {}`",
        data.display(),
        time::text(contents.made_us),
        contents.records,
        contents.files.len(),
        contents.bytes(),
        data.display()
    ))
}
