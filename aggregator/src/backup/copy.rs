//! Makes a backup; runs in the compactor's thread.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::contents::{Contents, Copied};
use crate::store::{Database, StoreError};

/// In the data folder: names of the log's segments, which keep them while they are copied.
const HELD: &str = "backup-log";
/// What is about this process, or made anew at each start.
const LEFT_OUT: &[&str] = &["lock", "sql", "merging", "log", "segments", HELD];
const DATABASE: &str = "hot.duckdb";

/// Why there is no backup.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// Not where it is to go.
    #[error("{0} is there already: name a folder that is not")]
    Exists(PathBuf),
    /// Not where it is to go.
    #[error("{0} lies in the data folder: name a folder elsewhere, on another disk at best")]
    Inside(PathBuf),
    /// The disk.
    #[error("{what}: {source}")]
    Files {
        /// What could not be done, with the path.
        what: String,
        /// Why.
        source: io::Error,
    },
    /// The database.
    #[error("the database cannot be copied: {0}")]
    Store(#[from] StoreError),
    /// The database's copy.
    #[error("the database's copy cannot be opened: {0}")]
    Copy(duckdb::Error),
}

fn failed(what: impl Into<String>) -> impl FnOnce(io::Error) -> BackupError {
    let what = what.into();
    |source| BackupError::Files { what, source }
}

/// Copies what `data` holds into the new folder `to`. Nothing may make or delete segments meanwhile.
///
/// # Errors
/// Why there is none; what was copied is deleted.
pub fn make(
    database: &Database,
    data: &Path,
    to: &Path,
    now_us: i64,
) -> Result<Contents, BackupError> {
    if to.exists() {
        return Err(BackupError::Exists(to.to_path_buf()));
    }
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    if absolute(to).starts_with(absolute(data)) {
        return Err(BackupError::Inside(to.to_path_buf()));
    }
    let mut name = to.as_os_str().to_owned();
    name.push(".partial");
    let partial = PathBuf::from(name);
    let copy = Copy {
        data,
        to: &partial,
        files: Vec::new(),
    };
    let made = copy.run(database, now_us).and_then(|contents| {
        fs::rename(&partial, to).map_err(failed(format!("cannot name {}", to.display())))?;
        Ok(contents)
    });
    drop(fs::remove_dir_all(data.join(HELD)));
    if made.is_err() {
        drop(fs::remove_dir_all(&partial));
    }
    made
}

struct Copy<'a> {
    data: &'a Path,
    to: &'a Path,
    files: Vec<Copied>,
}

impl Copy<'_> {
    fn run(mut self, database: &Database, now_us: i64) -> Result<Contents, BackupError> {
        let made = |error| failed(format!("cannot make {}", self.to.display()))(error);
        if self.to.exists() {
            fs::remove_dir_all(self.to).map_err(made)?;
        }
        fs::create_dir_all(self.to).map_err(made)?;
        // Its segments stay from here on, also those that nobody will need any more.
        self.hold_log()?;
        let others: Vec<_> = list(self.data)?
            .into_iter()
            .filter(|name| !LEFT_OUT.contains(&name.as_str()) && !name.starts_with(DATABASE))
            .collect();
        for name in others {
            self.tree(&name)?;
        }
        for name in list(&self.data.join("segments"))? {
            self.segment(&format!("segments/{name}"))?;
        }
        database.copy(&self.to.join(DATABASE))?;
        let (position, records) = check(&self.to.join(DATABASE))?;
        self.note(DATABASE)?;
        // What came since the first time.
        self.hold_log()?;
        self.make_folder("log")?;
        for name in list(&self.data.join(HELD))? {
            self.copy(&self.data.join(HELD).join(&name), &format!("log/{name}"))?;
        }
        let contents = Contents::new(now_us, position, records, self.files);
        contents
            .write(self.to)
            .map_err(failed("cannot write backup.json"))?;
        Ok(contents)
    }

    /// Gives all segments of the log a second name.
    fn hold_log(&self) -> Result<(), BackupError> {
        let (log, held) = (self.data.join("log"), self.data.join(HELD));
        fs::create_dir_all(&held).map_err(failed(format!("cannot make {}", held.display())))?;
        for name in list(&log)? {
            let (from, to) = (log.join(&name), held.join(&name));
            match fs::hard_link(&from, &to) {
                Ok(()) => {}
                // Held already, or deleted since it was listed: nobody needed it.
                Err(error) if to.exists() || error.kind() == io::ErrorKind::NotFound => {}
                Err(source) => {
                    let what = format!("cannot link {}", from.display());
                    return Err(BackupError::Files { what, source });
                }
            }
        }
        Ok(())
    }

    fn make_folder(&self, name: &str) -> Result<(), BackupError> {
        let folder = self.to.join(name);
        let what = format!("cannot make {}", folder.display());
        fs::create_dir_all(&folder).map_err(failed(what))
    }

    /// Copies a file, or a folder with what is in it.
    fn tree(&mut self, name: &str) -> Result<(), BackupError> {
        let from = self.data.join(name);
        if !from.is_dir() {
            return match self.copy(&from, name) {
                // A file that was being written has its name now.
                Err(BackupError::Files { source, .. })
                    if source.kind() == io::ErrorKind::NotFound && !from.exists() =>
                {
                    Ok(())
                }
                copied => copied,
            };
        }
        self.make_folder(name)?;
        for inner in list(&from)? {
            self.tree(&format!("{name}/{inner}"))?;
        }
        Ok(())
    }

    /// A closed segment's file never changes: a second name is a copy, on the same disk.
    fn segment(&mut self, name: &str) -> Result<(), BackupError> {
        self.make_folder("segments")?;
        let (from, to) = (self.data.join(name), self.to.join(name));
        if !name.ends_with(".parquet") || fs::hard_link(&from, &to).is_err() {
            return self.copy(&from, name);
        }
        self.note(name)
    }

    fn copy(&mut self, from: &Path, name: &str) -> Result<(), BackupError> {
        let to = self.to.join(name);
        let copied = fs::copy(from, &to).and_then(|_| File::open(&to)?.sync_all());
        copied.map_err(failed(format!("cannot copy {}", from.display())))?;
        self.note(name)
    }

    fn note(&mut self, name: &str) -> Result<(), BackupError> {
        let path = self.to.join(name);
        let metadata = path.metadata();
        let metadata = metadata.map_err(failed(format!("cannot read {}", path.display())))?;
        self.files.push(Copied {
            path: name.to_owned(),
            bytes: metadata.len(),
        });
        Ok(())
    }
}

fn list(folder: &Path) -> Result<Vec<String>, BackupError> {
    let read = || -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(folder)? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        names.sort();
        Ok(names)
    };
    match read() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        read => read.map_err(failed(format!("cannot list {}", folder.display()))),
    }
}

/// Opens the copy, which takes its log in; up to where it has the service's.
fn check(file: &Path) -> Result<(u64, u64), BackupError> {
    let connection = duckdb::Connection::open(file).map_err(BackupError::Copy)?;
    let sql = "SELECT position, ordinal FROM log_position";
    let read = |row: &duckdb::Row<'_>| Ok((row.get(0)?, row.get(1)?));
    let found = connection
        .query_row(sql, [], read)
        .map_err(BackupError::Copy)?;
    connection
        .execute_batch("CHECKPOINT")
        .map_err(BackupError::Copy)?;
    drop(connection);
    let synced = File::open(file).and_then(|file| file.sync_all());
    synced.map_err(failed("cannot make the database's copy durable"))?;
    Ok(found)
}
