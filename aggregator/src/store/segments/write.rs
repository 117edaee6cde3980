//! rows → files: one segment, durable before anybody hears of it.

use std::fs::File;
use std::path::Path;
use std::time::Instant;

use duckdb::Connection;

use super::layout::{ALL, From, Kind, TOLD, TOLD_MAX};
use super::manifest::{Folder, Segment};
use crate::filters::Told;
use crate::quoted::quoted_path;
use crate::store::database::StoreError;

/// Writes the files of `segment`; `source` gives what the rows of a kind are read from, `None`
/// where there are none, or where they are made of the segment's other files. Kinds without rows get
/// no file.
pub(super) fn write(
    connection: &Connection,
    folder: &Folder,
    segment: &mut Segment,
    source: &dyn Fn(&Kind) -> Option<String>,
) -> Result<(), StoreError> {
    std::fs::create_dir_all(&folder.path)?;
    for kind in ALL {
        if segment.has(kind) {
            continue;
        }
        if let Some(select) = select_of(kind, folder, segment, source) {
            write_kind(connection, folder, segment, kind, &select)?;
        }
    }
    Ok(folder.sync()?)
}

/// Writes the file of a kind, of the rows of a SELECT.
pub(super) fn write_kind(
    connection: &Connection,
    folder: &Folder,
    segment: &mut Segment,
    kind: &Kind,
    select: &str,
) -> Result<(), StoreError> {
    let path = folder.path(segment, kind);
    let began = Instant::now();
    let Some(Written { rows, bytes }) = copy(connection, kind, select, &path)? else {
        return Ok(());
    };
    let seconds = began.elapsed().as_secs_f64();
    tracing::debug!(kind = kind.name, rows, bytes, seconds, "wrote a file");
    segment.add_file(kind, bytes);
    match kind.name {
        "records" => segment.records = rows,
        "visit_parts" => {
            segment.arrived_us = arrived(connection, &path)?;
            segment.applications = applications(connection, &path)?;
        }
        "shapes" => {
            segment.sampled_out = requests(connection, &path)?.saturating_sub(segment.records);
            segment.told = told(connection, &path)?;
        }
        _ => {}
    }
    Ok(())
}

/// The SELECT of `kind` with its sources put in.
fn select_of(
    kind: &Kind,
    folder: &Folder,
    segment: &Segment,
    source: &dyn Fn(&Kind) -> Option<String>,
) -> Option<String> {
    let file = |kind: &Kind| folder.source(segment, kind);
    let named = |kind: &Kind| format!("{{{}}}", kind.name);
    // Without records there is nothing to be found in them.
    let records = || {
        ALL.iter()
            .find(|kind| kind.name == "records")
            .and_then(file)
    };
    let rows = match (source(kind), kind.from, kind.of_records()) {
        (Some(given), ..) => given,
        (None, From::Files(select), _) => {
            let mut select = select.to_owned();
            for other in ALL.iter().filter(|it| !matches!(it.from, From::Files(_))) {
                let none = || format!("(FROM {} LIMIT 0)", other.name);
                select = select.replace(&named(other), &file(other).unwrap_or_else(none));
            }
            records().map(|_| format!("({select})"))?
        }
        (None, _, Some(select)) => format!("({})", select.replace("{records}", &records()?)),
        (None, ..) => return None,
    };
    let group = match kind.group {
        "" => String::new(),
        columns => format!(" GROUP BY {columns}"),
    };
    Some(kind.select.replace("{source}", &rows) + &group)
}

/// A file.
pub(super) struct Written {
    pub(super) rows: u64,
    pub(super) bytes: u64,
}

/// Writes a file, durable; where there are no rows, none.
pub(super) fn copy(
    connection: &Connection,
    kind: &Kind,
    select: &str,
    path: &Path,
) -> Result<Option<Written>, StoreError> {
    // Bloom filters: DuckDB 1.5.5 makes wrong ones for BLOB columns, and finds nothing.
    let sql = format!(
        "COPY ({select} ORDER BY {}) TO {} (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1,
            PARQUET_VERSION v2, ROW_GROUP_SIZE {}, WRITE_BLOOM_FILTER false)",
        kind.order,
        quoted_path(path),
        kind.rows,
    );
    let rows = match connection.execute(&sql, []) {
        Ok(rows) => rows as u64,
        Err(error) => {
            // There may be none yet.
            drop(std::fs::remove_file(path));
            return Err(error.into());
        }
    };
    if rows == 0 {
        std::fs::remove_file(path)?;
        return Ok(None);
    }
    File::open(path)?.sync_all()?;
    let bytes = path.metadata()?.len();
    Ok(Some(Written { rows, bytes }))
}

/// How many requests shapes know of.
fn requests(connection: &Connection, path: &Path) -> Result<u64, StoreError> {
    let sql = format!(
        "SELECT sum(requests)::UBIGINT FROM read_parquet({})",
        quoted_path(path)
    );
    Ok(connection.query_row(&sql, [], |row| row.get(0))?)
}

/// What shapes have in columns with few values, as JSON.
fn told(connection: &Connection, path: &Path) -> Result<String, StoreError> {
    let path = quoted_path(path);
    let mut told = Told::new();
    for (name, values) in TOLD {
        let sql = format!(
            "SELECT value::VARCHAR FROM (SELECT {values} AS value FROM read_parquet({path}))
             WHERE value IS NOT NULL LIMIT {}",
            TOLD_MAX + 1
        );
        let mut statement = connection.prepare(&sql)?;
        let values = statement.query_map([], |row| row.get(0))?;
        let mut values: Vec<String> = values.collect::<Result<_, _>>()?;
        if values.len() <= TOLD_MAX {
            values.sort();
            told.insert(name.into(), values);
        }
    }
    Ok(serde_json::to_string(&told).unwrap_or_else(|_| "{}".into()))
}

fn arrived(connection: &Connection, path: &Path) -> Result<(i64, i64), StoreError> {
    let sql = format!(
        "SELECT epoch_us(min(arrived)), epoch_us(max(arrived)) FROM read_parquet({})",
        quoted_path(path)
    );
    Ok(connection.query_row(&sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?)
}

fn applications(connection: &Connection, path: &Path) -> Result<Vec<String>, StoreError> {
    let sql = format!(
        "SELECT DISTINCT application FROM read_parquet({}) ORDER BY 1",
        quoted_path(path)
    );
    let mut statement = connection.prepare(&sql)?;
    let names = statement.query_map([], |row| row.get(0))?;
    Ok(names.collect::<Result<_, _>>()?)
}
