//! The files of a service that does not run. Nothing is changed: the database is opened to read.

use std::path::Path;

use duckdb::{AccessMode, Config, Connection};

use super::Finding;
use crate::lock::{DataLock, LockError};
use crate::quoted::quoted_path;
use crate::store::{MERGED_SINCE, SCHEMA_VERSION, segment_files};

/// Less free space is too little, bytes: what the log leaves to the database.
const FREE_MIN: u64 = 256 << 20;
/// Files that are looked at one by one.
const FILES_MAX: usize = 100_000;

pub(super) fn examine(data: &Path) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !data.join("hot.duckdb").exists() && !data.join("log").exists() {
        findings.push(Finding::error(
            "files",
            format!("{} is no data folder", data.display()),
            "name the one that `throughline serve --data` has",
        ));
        return findings;
    }
    findings.push(space(data));
    let _lock = match DataLock::take(data) {
        Ok(lock) => lock,
        Err(error @ LockError::Taken { .. }) => {
            findings.push(Finding::warning(
                "files",
                error.to_string(),
                "ask the running service: throughline doctor --url http://127.0.0.1:8470",
            ));
            return findings;
        }
        Err(error) => {
            let remedy = "give this user the right to write there";
            findings.push(Finding::error("files", error.to_string(), remedy));
            return findings;
        }
    };
    match open(&data.join("hot.duckdb")) {
        Ok(connection) => {
            let outcome = database(&connection, data, &mut findings);
            findings.extend(outcome.err().map(|error| unreadable(&error)));
        }
        Err(error) => findings.push(unreadable(&error)),
    }
    findings
}

fn unreadable(error: &duckdb::Error) -> Finding {
    Finding::error(
        "database",
        format!("it cannot be read: {error}"),
        "move hot.duckdb and hot.duckdb.wal away and restore a backup; closed segments can be read \
         without it (docs/storage.md)",
    )
}

fn open(file: &Path) -> duckdb::Result<Connection> {
    let config = Config::default().access_mode(AccessMode::ReadOnly)?;
    Connection::open_with_flags(file, config)
}

fn space(data: &Path) -> Finding {
    match rustix::fs::statvfs(data) {
        Ok(disk) => {
            let free = disk.f_bavail.saturating_mul(disk.f_frsize);
            if free < FREE_MIN {
                let remedy = "free space: below 256 MiB senders are turned away";
                return Finding::error("space", format!("{free} bytes are free"), remedy);
            }
            Finding::good("space", format!("{free} bytes are free"))
        }
        Err(error) => Finding::error("space", error.to_string(), "look at the disk"),
    }
}

fn database(
    connection: &Connection,
    data: &Path,
    findings: &mut Vec<Finding>,
) -> duckdb::Result<()> {
    let number = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    let version = number("SELECT max(version) FROM schema_version")?;
    findings.push(match version {
        newer if newer > SCHEMA_VERSION => Finding::error(
            "version",
            format!("schema version {newer}; this program knows versions up to {SCHEMA_VERSION}"),
            "use the newer throughline that made it",
        ),
        SCHEMA_VERSION => Finding::good("version", format!("schema version {version}")),
        older => Finding::warning(
            "version",
            format!("schema version {older}; the next start brings it to {SCHEMA_VERSION}"),
            "take a backup of the folder before: there is no way back",
        ),
    });
    if version > SCHEMA_VERSION {
        return Ok(());
    }
    let records = number("SELECT ordinal::BIGINT FROM log_position")?;
    findings.push(Finding::good(
        "database",
        format!("{records} records were ever stored"),
    ));
    segments(connection, version, &data.join("segments"), findings)?;
    log(connection, &data.join("log"), findings)?;
    ledger(connection, findings)
}

/// Whether the files of closed segments are there and can be read.
fn segments(
    connection: &Connection,
    version: i64,
    folder: &Path,
    findings: &mut Vec<Finding>,
) -> duckdb::Result<()> {
    // Those of before were never merged.
    let parts = if version < MERGED_SINCE {
        "'[]'"
    } else {
        "parts"
    };
    let sql = format!("SELECT end_position, rewrite, kinds, {parts} FROM segments");
    let mut statement = connection.prepare(&sql)?;
    let names = |row: &duckdb::Row<'_>| {
        let end: u64 = row.get(0)?;
        let (kinds, parts): (String, String) = (row.get(2)?, row.get(3)?);
        Ok((end, segment_files(end, row.get(1)?, &kinds, &parts)))
    };
    let segments = statement.query_map([], names)?;
    let segments: Vec<_> = segments.collect::<Result<_, _>>()?;
    let mut files = 0_u64;
    let before = findings.len();
    let mut there = Vec::new();
    for (end, names) in segments {
        match names {
            Ok(names) => there.extend(names),
            Err(error) => findings.push(Finding::error(
                "segments",
                format!("what the segment up to {end} was merged from is not known: {error}"),
                "restore a backup; what it held is in no answer until then",
            )),
        }
    }
    for name in there.into_iter().take(FILES_MAX) {
        let path = folder.join(&name);
        files += 1;
        let file = quoted_path(&path);
        let footer = format!("SELECT count(*) FROM parquet_file_metadata({file})");
        let remedy = "put it back from a backup, with the service stopped; what it held is in no \
             answer until then";
        if !path.is_file() {
            findings.push(Finding::error(
                "segments",
                format!("{name} is missing"),
                remedy,
            ));
        } else if let Err(error) = connection.query_row(&footer, [], |_| Ok(())) {
            let what = format!("{name} is damaged: {error}");
            findings.push(Finding::error("segments", what, remedy));
        }
    }
    if findings.len() == before {
        findings.push(Finding::good(
            "segments",
            format!("{files} files, all readable"),
        ));
    }
    Ok(())
}

/// Whether the log begins where the database needs it.
fn log(connection: &Connection, folder: &Path, findings: &mut Vec<Finding>) -> duckdb::Result<()> {
    let position: u64 =
        connection.query_row("SELECT position FROM log_position", [], |row| row.get(0))?;
    let gaps: u64 = connection.query_row("SELECT count(*) FROM log_gaps", [], |row| row.get(0))?;
    if gaps > 0 {
        findings.push(Finding::error(
            "log",
            format!("{gaps} stretches could not be read: what they held is lost"),
            "test the disk; take a backup from before where there is one",
        ));
    }
    let bases = crate::log::segments(folder).unwrap_or_default();
    let (first, last) = (bases.first().copied(), bases.last().copied());
    findings.push(match (first, last) {
        (Some(first), _) if first > position => Finding::error(
            "log",
            format!("it begins at {first}, and the database ends at {position}"),
            "put the missing segments of the log back from a backup, or start without them: they \
             are named as lost",
        ),
        (_, Some(last)) => {
            let len = crate::log::segment_len(folder, last).unwrap_or(0);
            let waiting = (last + len).saturating_sub(position);
            let what = format!(
                "{} segments, {waiting} bytes wait for the database",
                bases.len()
            );
            Finding::good("log", what)
        }
        (_, None) => Finding::warning(
            "log",
            "there is none",
            "nothing to do for a new folder; else what was acknowledged last is lost",
        ),
    });
    Ok(())
}

fn ledger(connection: &Connection, findings: &mut Vec<Finding>) -> duckdb::Result<()> {
    let sql = "SELECT count(*), coalesce(sum(quarantined), 0)::UBIGINT,
        count(*) FILTER (stored + quarantined > seen) FROM workers";
    let (workers, quarantined, overdrawn): (u64, u64, u64) =
        connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    if overdrawn > 0 {
        findings.push(Finding::error(
            "ledger",
            format!("more arrived of {overdrawn} filter workers than they say they have seen"),
            "compare them in /v1/status with Envoy's own counters, and report it",
        ));
    }
    if quarantined > 0 {
        findings.push(Finding::warning(
            "ledger",
            format!("{quarantined} record lines are in quarantine"),
            "GET /v1/quarantine shows the lines and the reason",
        ));
    }
    if overdrawn == 0 && quarantined == 0 {
        findings.push(Finding::good(
            "ledger",
            format!("{workers} filter workers, in order"),
        ));
    }
    Ok(())
}
