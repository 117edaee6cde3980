//! What DuckDB's own file holds, as Parquet files that the child may read.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use duckdb::Connection;

use super::HOT_ROWS_MAX;
use crate::quoted::quoted_path;
use crate::store::{Database, StoreError};

/// Tables that users may see; of the first, the newest rows.
const TABLES: &[&str] = &[
    "hot_records",
    "hot_visit_parts",
    "hot_link_parts",
    "hot_param_values",
    "verdicts",
    "labels",
    "forgotten_sessions",
    "session_sums",
    "folded",
];
/// A snapshot is used again for this long, and for as many times as long as it took to make.
const FRESH: Duration = Duration::from_secs(3);
const FRESH_TIMES: u32 = 10;

/// The files, deleted with it.
#[derive(Debug)]
pub(super) struct Snapshot {
    folder: PathBuf,
    pub(super) tables: Vec<(String, PathBuf)>,
    pub(super) views: Vec<String>,
    /// The folders that the views read.
    pub(super) folders: Vec<PathBuf>,
    /// When it was made, microseconds since the Unix epoch.
    pub(super) made_us: i64,
    /// It does not hold all requests.
    pub(super) cut: bool,
    fresh_until: Instant,
    /// Closed segments that its views read are not deleted before.
    _held: Arc<()>,
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.folder) {
            tracing::debug!(%error, "a snapshot for SQL was not deleted");
        }
    }
}

impl Snapshot {
    /// For how long it may be used again.
    pub(super) fn fresh_for(&self) -> Duration {
        self.fresh_until.saturating_duration_since(Instant::now())
    }

    /// Makes one in `folder`, which must not exist yet.
    pub(super) fn make(
        database: &Database,
        folder: PathBuf,
        now_us: i64,
    ) -> Result<Self, StoreError> {
        let began = Instant::now();
        std::fs::create_dir_all(&folder)?;
        let reading = database.read()?;
        let mut snapshot = Self {
            folder: folder.clone(),
            tables: Vec::new(),
            views: Vec::new(),
            folders: vec![folder, database.segments().to_path_buf()],
            made_us: now_us,
            cut: false,
            fresh_until: began,
            _held: reading.files.clone(),
        };
        // One transaction: all files show the same moment.
        reading.connection.execute_batch("BEGIN TRANSACTION")?;
        snapshot.export(&reading.connection)?;
        reading.connection.execute_batch("COMMIT")?;
        snapshot.fresh_until = Instant::now() + FRESH.max(began.elapsed() * FRESH_TIMES);
        Ok(snapshot)
    }

    fn export(&mut self, connection: &Connection) -> Result<(), StoreError> {
        for table in TABLES {
            let mut condition = String::new();
            if *table == "hot_records" {
                condition = newest(connection, table)?;
                self.cut |= !condition.is_empty();
            }
            let file = self.folder.join(format!("{table}.parquet"));
            connection.execute_batch(&format!(
                "COPY (SELECT * FROM {table}{condition}) TO {} (FORMAT parquet)",
                quoted_path(&file)
            ))?;
            self.tables.push(((*table).to_owned(), file));
        }
        let views = "SELECT sql FROM duckdb_views() WHERE NOT internal AND NOT temporary";
        self.views = texts(connection, views)?;
        Ok(())
    }
}

/// A condition for the newest rows of `table`; none where all may stay.
fn newest(connection: &Connection, table: &str) -> Result<String, StoreError> {
    let rows = format!("SELECT count(*)::UBIGINT FROM {table}");
    let rows: u64 = connection.query_row(&rows, [], |row| row.get(0))?;
    if rows <= HOT_ROWS_MAX {
        return Ok(String::new());
    }
    let oldest = format!(
        "SELECT min(position) FROM
            (SELECT position FROM {table} ORDER BY position DESC LIMIT {HOT_ROWS_MAX})"
    );
    let oldest: u64 = connection.query_row(&oldest, [], |row| row.get(0))?;
    Ok(format!(" WHERE position > {oldest}"))
}

fn texts(connection: &Connection, sql: &str) -> Result<Vec<String>, StoreError> {
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
