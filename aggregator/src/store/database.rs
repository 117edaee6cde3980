//! The DuckDB file: opened once, shared by one writing thread and a few readers.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};
use std::time::{Duration, Instant};

use duckdb::{Config, Connection};

use super::rollup;
use super::segments::{Folder, Retired, make_views, sweep};
use super::sightings::Relied;
use crate::geo::{self, Geo};
use crate::quoted::quoted_path;

/// Version of the tables; raised with every change to `schema.sql`.
pub const SCHEMA_VERSION: i64 = 17;
const SCHEMA: &str = include_str!("schema.sql");
/// Views over tables that are never closed.
pub(super) const VERDICT_VIEWS: &str = include_str!("verdict_views.sql");
/// (version, what brings the version before to it), in order.
const MIGRATIONS: &[(i64, &str)] = &[
    (2, include_str!("migrate_2.sql")),
    (3, include_str!("migrate_3.sql")),
    (4, include_str!("migrate_4.sql")),
    (5, include_str!("migrate_5.sql")),
    (6, include_str!("migrate_6.sql")),
    (7, include_str!("migrate_7.sql")),
    (8, include_str!("migrate_8.sql")),
    (9, include_str!("migrate_9.sql")),
    (10, include_str!("migrate_10.sql")),
    (11, include_str!("migrate_11.sql")),
    (12, include_str!("migrate_12.sql")),
    (13, include_str!("migrate_13.sql")),
    (14, include_str!("migrate_14.sql")),
    (15, include_str!("migrate_15.sql")),
    (16, include_str!("migrate_16.sql")),
    (17, include_str!("migrate_17.sql")),
];
/// Queries may put this many times the memory of the buffers on the disk; DuckDB's default, 90 %
/// of what is free, would leave the log no room.
const SPILL: u64 = 4;

/// For so long nothing is written for the sake of a checkpoint.
const PATIENCE: Duration = Duration::from_secs(3);

/// Why the database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// What DuckDB says.
    #[error("{0}")]
    Duck(#[from] duckdb::Error),
    /// Made by a newer version.
    #[error(
        "{file} has schema version {found}, and this throughline knows versions up to \
         {SCHEMA_VERSION}: start the newer throughline that made it, or choose another --data"
    )]
    Newer {
        /// The database file.
        file: PathBuf,
        /// Its version.
        found: i64,
    },
    /// The rows cannot be put into columns.
    #[error("rows cannot be put into columns: {0}")]
    Arrow(#[from] duckdb::arrow::error::ArrowError),
    /// The log cannot be read.
    #[error("the log cannot be read: {0}")]
    Log(std::io::Error),
    /// A file of the store cannot be read or written.
    #[error("the store's files: {0}")]
    Files(#[from] std::io::Error),
    /// Sessions as they were at a log position cannot be told any more.
    #[error("segments were closed since, and sum what came before and after")]
    Passed,
    /// Nobody can be forgotten of whom something may come yet that was acknowledged.
    #[error("{bytes} bytes of the log are not stored yet")]
    Behind {
        /// So many.
        bytes: u64,
    },
    /// The database is being opened again after a failure.
    #[error("the database is not open")]
    NotOpen,
}

impl StoreError {
    /// Whether DuckDB has not as much memory as was asked of it.
    #[must_use]
    pub fn is_out_of_memory(&self) -> bool {
        self.to_string().starts_with("Out of Memory Error")
    }
}

/// What DuckDB may take.
#[derive(Debug, Clone, Copy)]
pub struct Resources {
    /// Bytes of its buffers.
    pub memory_bytes: u64,
    /// Threads that one statement is worked on by.
    pub threads: usize,
}

impl Resources {
    /// So much memory, and half of the processors, from one to four: with all of them, two questions at once
    /// and ingest take turns on each, and whoever asked waits in a loop for what another thread does.
    #[must_use]
    pub fn of(memory_bytes: u64) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            memory_bytes,
            threads: (processors / 2).clamp(1, 4),
        }
    }
}

/// The open database file.
pub struct Database {
    file: PathBuf,
    /// Where closed segments are.
    pub(super) folder: Folder,
    resources: Resources,
    /// What `country_of` asks.
    geo: Option<Arc<Geo>>,
    /// Taken before `open` by whoever takes both.
    writer: Mutex<Option<Connection>>,
    /// Which hot rows the storing thread relies on.
    relied: Arc<Relied>,
    /// Files that go when nobody reads them any more.
    pub(super) retired: Retired,
    /// Readers hold the lock for as long as they use a connection, so that [`Database::reopen`]
    /// finds nobody.
    open: RwLock<Mutex<Option<Connection>>>,
}

/// A connection for one query.
pub struct Reading<'a> {
    /// The connection. Declared first: it is closed before the lock is released.
    pub connection: Connection,
    /// Keeps the files that this connection may have found in its views.
    pub(crate) files: Arc<()>,
    _open: RwLockReadGuard<'a, Mutex<Option<Connection>>>,
}

/// The writing thread's connection.
pub struct Writing<'a>(MutexGuard<'a, Option<Connection>>);

impl Writing<'_> {
    /// The connection.
    ///
    /// # Errors
    /// Never: there is one for as long as this lives.
    pub fn connection(&self) -> Result<&Connection, StoreError> {
        self.0.as_ref().ok_or(StoreError::NotOpen)
    }
}

impl Database {
    /// Opens `file`, or makes it. DuckDB's buffers may take `memory_bytes`.
    ///
    /// # Errors
    /// When it cannot be opened, or was made by a newer version.
    pub fn open(file: &Path, memory_bytes: u64) -> Result<Self, StoreError> {
        Self::open_with(file, Resources::of(memory_bytes), None)
    }

    /// The same, with databases that know where addresses are.
    ///
    /// # Errors
    /// As [`Database::open`].
    pub fn open_with(
        file: &Path,
        resources: Resources,
        geo: Option<Arc<Geo>>,
    ) -> Result<Self, StoreError> {
        let folder = file.with_file_name("segments");
        std::fs::create_dir_all(&folder)?;
        let folder = Folder::new(folder.canonicalize()?);
        let connection = connect(file, &folder, resources, geo.as_ref())?;
        let orphans = sweep(&connection, &folder)?;
        if orphans > 0 {
            tracing::info!(
                files = orphans,
                "deleted what a crash left of unfinished segments"
            );
        }
        Ok(Self {
            file: file.to_path_buf(),
            folder,
            resources,
            geo,
            writer: Mutex::default(),
            relied: Arc::default(),
            retired: Retired::default(),
            open: RwLock::new(Mutex::new(Some(connection))),
        })
    }

    /// The folder that snapshots for SQL are written to: nothing else may be written by a query.
    #[must_use]
    pub fn snapshots(&self) -> PathBuf {
        snapshots(&self.file)
    }

    /// The folder of the closed segments.
    #[must_use]
    pub fn segments(&self) -> &Path {
        &self.folder.path
    }

    /// When DuckDB's file was last written, which checkpoints do: microseconds since the Unix epoch.
    #[must_use]
    pub fn checkpointed_us(&self) -> Option<i64> {
        let written = self.file.metadata().ok()?.modified().ok()?;
        let since = written.duration_since(std::time::UNIX_EPOCH).ok()?;
        i64::try_from(since.as_micros()).ok()
    }

    /// Bytes that the next checkpoint moves into it.
    #[must_use]
    pub fn wal_bytes(&self) -> u64 {
        let wal = self.file.with_extension("duckdb.wal");
        wal.metadata().map_or(0, |it| it.len())
    }

    /// Which hot rows the storing thread relies on.
    pub(super) fn relied(&self) -> Arc<Relied> {
        Arc::clone(&self.relied)
    }

    /// A position in the log below which all closed records started before `since_us`, microseconds
    /// since the Unix epoch.
    #[must_use]
    pub fn position_since(&self, since_us: i64) -> u64 {
        self.folder.position_since(since_us)
    }

    /// Another connection, for as long as the result lives.
    ///
    /// # Errors
    /// When DuckDB refuses.
    pub fn read(&self) -> Result<Reading<'_>, StoreError> {
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        let files = self.retired.hold();
        let connection = match open.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
            Some(connection) => connection.try_clone()?,
            None => return Err(StoreError::NotOpen),
        };
        Ok(Reading {
            connection,
            files,
            _open: open,
        })
    }

    /// The connection of the writing thread, for as long as the result lives; opens the file again
    /// where it is not open.
    ///
    /// # Errors
    /// When DuckDB refuses.
    pub fn write(&self) -> Result<Writing<'_>, StoreError> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        if writer.is_none() {
            let connection = match self.read() {
                Ok(reading) => reading.connection.try_clone()?,
                Err(_) => {
                    self.exchange(|| Ok(()))?;
                    self.read()?.connection.try_clone()?
                }
            };
            *writer = Some(connection);
        }
        Ok(Writing(writer))
    }

    /// Closes the file and opens it again: after some errors DuckDB refuses everything until
    /// this is done. Waits for the queries that run.
    ///
    /// # Errors
    /// When it cannot be opened; to be tried again.
    pub fn reopen(&self) -> Result<(), StoreError> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        drop(writer.take());
        self.exchange(|| Ok(()))
    }

    /// Writes what is in DuckDB's log into its file, and makes the blocks free that hold nothing any more. DuckDB refuses
    /// while somebody updates, or reads what was before an update: so whoever wants to write waits, and those who read
    /// have [`PATIENCE`] to end. Without any checkpoint the rows of closed segments would fill memory, and then what
    /// queries may put on the disk.
    ///
    /// To be called by nobody who holds a [`Reading`]: `reopen` waits for those.
    ///
    /// # Errors
    /// When DuckDB refuses all that time.
    pub(super) fn checkpoint(&self) -> Result<(), StoreError> {
        let _writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let reading = self.read()?;
        let _turn = self.folder.turn();
        let began = Instant::now();
        loop {
            match reading.connection.execute_batch("CHECKPOINT") {
                Err(error) if is_in_use(&error) && began.elapsed() < PATIENCE => {
                    std::thread::sleep(Duration::from_millis(2));
                }
                done => {
                    let seconds = began.elapsed().as_secs_f64();
                    tracing::debug!(seconds, ?done, "checkpoint");
                    return Ok(done?);
                }
            }
        }
    }

    /// What DuckDB may take.
    pub(super) fn resources(&self) -> Resources {
        self.resources
    }

    /// Writes the file anew without its free blocks, which still hold what was deleted. Everybody
    /// waits meanwhile; what arrives is in the log.
    ///
    /// # Errors
    /// When the disk is full, for example; the file is as it was then.
    pub(super) fn rewrite(&self) -> Result<(), StoreError> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        drop(writer.take());
        self.exchange(|| rewrite(&self.file))
    }

    /// Copies the file to `to`, while nothing is written to it: what arrives is in the log.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(crate) fn copy(&self, to: &Path) -> Result<(), StoreError> {
        let _writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let _turn = self.folder.turn();
        std::fs::copy(&self.file, to)?;
        let wal = self.file.with_extension("duckdb.wal");
        if wal.exists() {
            std::fs::copy(&wal, to.with_extension("duckdb.wal"))?;
        }
        Ok(())
    }

    /// Does `work` while the file is closed, and opens it again, whatever came of it.
    fn exchange(&self, work: impl FnOnce() -> Result<(), StoreError>) -> Result<(), StoreError> {
        let open = self.open.write().unwrap_or_else(PoisonError::into_inner);
        let mut connection = open.lock().unwrap_or_else(PoisonError::into_inner);
        drop(connection.take());
        let done = work();
        *connection = Some(connect(
            &self.file,
            &self.folder,
            self.resources,
            self.geo.as_ref(),
        )?);
        done
    }

    /// Closes the file for good, once the queries that run are over.
    pub fn close(&self) {
        drop(
            self.writer
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
        let open = self.open.write().unwrap_or_else(PoisonError::into_inner);
        drop(open.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

/// Whether a checkpoint was refused for the sake of others.
fn is_in_use(error: &duckdb::Error) -> bool {
    error.to_string().contains("other write transactions")
}

fn snapshots(file: &Path) -> PathBuf {
    file.with_file_name("sql")
}

fn connect(
    file: &Path,
    folder: &Folder,
    resources: Resources,
    geo: Option<&Arc<Geo>>,
) -> Result<Connection, StoreError> {
    let Resources {
        memory_bytes,
        threads,
    } = resources;
    let config = Config::default()
        .max_memory(&format!("{}KiB", memory_bytes / 1024))?
        .threads(i64::try_from(threads).unwrap_or(1))?
        .enable_autoload_extension(false)?;
    let mut connection = Connection::open_with_flags(file, config)?;
    // These optimizers find rows by `rowid` in a second look, and a checkpoint between the two changes it.
    // The default checkpoints every 16 MiB, which stalls the writer twice as much.
    let spill_kib = memory_bytes.saturating_mul(SPILL) / 1024;
    connection.execute_batch(&format!(
        "SET wal_autocheckpoint = '256MB'; SET autoinstall_known_extensions = false;
         SET preserve_insertion_order = false;
         SET disabled_optimizers = 'late_materialization,top_n_window_elimination'; SET max_temp_directory_size = '{spill_kib}KiB';
         SET validate_external_file_cache = 'NO_VALIDATION';
         SET allowed_directories = [{}, {}];
         SET enable_external_access = false; SET lock_configuration = true;",
        quoted_path(&folder.path),
        quoted_path(&snapshots(file))
    ))?;
    geo::register(&connection, geo)?;
    migrate(&mut connection, file)?;
    connection.execute_batch(&rollup::view())?;
    // Anew at each start: the folder may have moved, and files may be gone.
    let missing = make_views(&connection, folder)?;
    for path in &missing {
        tracing::error!(path = %path.display(), "a file of a closed segment is gone or was cut: what it held is missing");
    }
    rollup::restore(&connection, missing.is_empty())?;
    Ok(connection)
}

/// Copies what `file` holds into a new file, which takes its place.
fn rewrite(file: &Path) -> Result<(), StoreError> {
    let new = file.with_extension("duckdb.new");
    let wal = file.with_extension("duckdb.wal");
    for path in [&new, &new.with_extension("new.wal")] {
        if path.exists() {
            std::fs::remove_file(path)?;
        }
    }
    let copying = Connection::open_in_memory()?;
    copying.execute_batch(&format!(
        "ATTACH {} AS hot; ATTACH {} AS fresh; COPY FROM DATABASE hot TO fresh;
         CHECKPOINT hot; CHECKPOINT fresh; DETACH hot; DETACH fresh;",
        quoted_path(file),
        quoted_path(&new)
    ))?;
    drop(copying);
    // A log that is left would be played again, into a file that has it already.
    if wal.exists() {
        return Err(std::io::Error::other("DuckDB left a log behind").into());
    }
    std::fs::File::open(&new)?.sync_all()?;
    std::fs::rename(&new, file)?;
    let folder = file.parent().unwrap_or(Path::new("."));
    Ok(std::fs::File::open(folder)?.sync_all()?)
}

fn migrate(connection: &mut Connection, file: &Path) -> Result<(), StoreError> {
    let known = "SELECT count(*) FROM duckdb_tables() WHERE table_name = 'schema_version'";
    let tables: i64 = connection.query_row(known, [], |row| row.get(0))?;
    if tables == 0 {
        let transaction = connection.transaction()?;
        transaction.execute_batch(SCHEMA)?;
        transaction.execute_batch(VERDICT_VIEWS)?;
        transaction.execute("INSERT INTO schema_version VALUES (?)", [SCHEMA_VERSION])?;
        transaction.execute("INSERT INTO log_position VALUES (0, 0)", [])?;
        transaction.commit()?;
        return Ok(());
    }
    let version = "SELECT max(version) FROM schema_version";
    let found: i64 = connection.query_row(version, [], |row| row.get(0))?;
    if found > SCHEMA_VERSION {
        return Err(StoreError::Newer {
            file: file.to_path_buf(),
            found,
        });
    }
    if found == SCHEMA_VERSION {
        return Ok(());
    }
    // All or nothing: a migration that is cut short leaves the version before.
    let transaction = connection.transaction()?;
    for (version, sql) in MIGRATIONS.iter().filter(|(version, _)| *version > found) {
        transaction.execute_batch(sql)?;
        tracing::info!(version, file = %file.display(), "migrated the database");
    }
    transaction.execute_batch(VERDICT_VIEWS)?;
    transaction.execute("UPDATE schema_version SET version = ?", [SCHEMA_VERSION])?;
    Ok(transaction.commit()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_holds_for_those_who_read() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("hot.duckdb"), 64 << 20).unwrap();
        let reading = database.read().unwrap();
        for (setting, expected) in [
            ("parquet_metadata_cache", "false"),
            ("validate_external_file_cache", "NO_VALIDATION"),
            ("preserve_insertion_order", "false"),
            (
                "disabled_optimizers",
                "late_materialization,top_n_window_elimination",
            ),
            ("wal_autocheckpoint", "244.1 MiB"),
            ("enable_external_access", "false"),
        ] {
            let sql = format!("SELECT current_setting('{setting}')::VARCHAR");
            let found: String = reading
                .connection
                .query_row(&sql, [], |row| row.get(0))
                .unwrap();
            assert_eq!(found, expected, "{setting}");
        }
    }

    #[test]
    fn a_checkpoint_waits_for_whoever_writes_and_reads_what_was_before() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("hot.duckdb"), 64 << 20).unwrap();
        let (began, begun) = std::sync::mpsc::channel();
        std::thread::scope(|threads| {
            threads.spawn(|| {
                let reading = database.read().unwrap();
                let sql = "BEGIN TRANSACTION; FROM log_position";
                reading.connection.execute_batch(sql).unwrap();
                let writing = database.write().unwrap();
                let connection = writing.connection().unwrap();
                let sql = "BEGIN TRANSACTION; UPDATE log_position SET position = 1";
                connection.execute_batch(sql).unwrap();
                began.send(()).unwrap();
                std::thread::sleep(Duration::from_millis(200));
                connection.execute_batch("COMMIT").unwrap();
                drop(writing);
                began.send(()).unwrap();
                std::thread::sleep(Duration::from_millis(200));
                reading.connection.execute_batch("COMMIT").unwrap();
            });
            // Whoever does not wait is refused, first for the one who writes, then for the one who reads.
            for _ in 0..2 {
                begun.recv().unwrap();
                let reading = database.read().unwrap();
                let refused = reading.connection.execute_batch("CHECKPOINT").unwrap_err();
                assert!(is_in_use(&refused), "{refused}");
            }
            assert!(database.wal_bytes() > 0);
            database.checkpoint().unwrap();
            assert_eq!(database.wal_bytes(), 0);
        });
    }

    #[test]
    fn a_query_that_needs_too_much_memory_is_told_from_others() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("hot.duckdb"), 32 << 20).unwrap();
        let reading = database.read().unwrap();
        for (sql, expected) in [
            (
                "SELECT length(list(range::VARCHAR)) FROM range(20000000)",
                true,
            ),
            ("SELECT nothing", false),
        ] {
            let read = reading.connection.query_row(sql, [], |row| row.get(0));
            let error = StoreError::from(read.map(|_: u64| ()).unwrap_err());
            assert_eq!(error.is_out_of_memory(), expected, "{error}");
        }
    }

    #[test]
    fn a_newer_schema_is_refused_and_the_file_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("hot.duckdb");
        let open = || Database::open(&file, 64 << 20);
        let database = open().unwrap();
        let writer = database.read().unwrap().connection;
        let newer = SCHEMA_VERSION + 1;
        writer
            .execute("UPDATE schema_version SET version = ?", [newer])
            .unwrap();
        drop(writer);
        database.close();
        let refused = open().err().unwrap().to_string();
        let found = format!("schema version {newer},");
        assert!(refused.contains(&found), "{refused}");
        let known = format!("up to {SCHEMA_VERSION}");
        assert!(refused.contains(&known), "{refused}");
    }

    #[test]
    fn the_outside_is_out_of_reach() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("hot.duckdb"), 64 << 20).unwrap();
        let reading = database.read().unwrap();
        for sql in [
            "SELECT * FROM read_text('/etc/hostname')",
            "SET memory_limit = '9GB'",
        ] {
            assert!(reading.connection.execute_batch(sql).is_err(), "{sql}");
        }
    }

    #[test]
    fn a_query_cannot_fill_the_disk() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("hot.duckdb"), 16 << 20).unwrap();
        let spill = || -> duckdb::Result<String> {
            let reading = database.read().unwrap();
            let setting = "SELECT current_setting('max_temp_directory_size')";
            reading.connection.query_row(setting, [], |row| row.get(0))
        };
        assert_eq!(spill().unwrap(), "64.0 MiB");
        database.reopen().unwrap();
        assert_eq!(spill().unwrap(), "64.0 MiB");
        let all = "SELECT count(DISTINCT md5(range::VARCHAR)) FROM range(5_000_000)";
        let refused = database.read().unwrap().connection.execute_batch(all);
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains("max_temp_directory_size"), "{refused}");
    }

    #[test]
    fn reopens_with_everything_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("hot.duckdb"), 64 << 20).unwrap();
        let writing = database.write().unwrap();
        let set = "UPDATE log_position SET position = 7";
        writing.connection().unwrap().execute(set, []).unwrap();
        drop(writing);
        database.reopen().unwrap();
        let reading = database.read().unwrap();
        let position = "SELECT position FROM log_position";
        let found: u64 = reading
            .connection
            .query_row(position, [], |row| row.get(0))
            .unwrap();
        assert_eq!(found, 7);
    }
}
