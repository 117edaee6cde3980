//! Millions of records in a data folder, by SQL into the store's own tables and by its own hand into
//! closed segments. Kept under `target/bench` for as long as it is of the same shape and fresh.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use throughline::store::{Database, Retention, SCHEMA_VERSION, close_hot, merge_settled};

const SQL: &str = include_str!("fill.sql");
/// Records of a segment, as `throughline serve` makes them.
const SEGMENT: u64 = 250_000;
/// Segments that it makes one of.
const MERGED: usize = 8;
/// Length of the time that the records are of, seconds.
const SPAN_S: u64 = 7 * 86_400;
/// Between two requests of a session, seconds.
const GAP_S: u64 = 30;
/// Requests of a session.
pub(crate) const PER_SESSION: u64 = 50;
/// After this long 'the last day' has too few of them.
const FRESH: Duration = Duration::from_secs(4 * 3600);
const MEMORY: u64 = 2 << 30;

/// A filled store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Filled {
    pub(crate) records: u64,
    /// End of the time that the records are of, microseconds since the Unix epoch.
    pub(crate) end_us: u64,
    schema: i64,
    sql: u64,
    #[serde(skip)]
    pub(crate) folder: PathBuf,
}

fn now_us() -> anyhow::Result<u64> {
    #[expect(
        clippy::disallowed_methods,
        reason = "a benchmark has the machine's clock"
    )]
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    Ok(u64::try_from(now.as_micros())?)
}

/// Tells one version of the SQL, and of how its rows are put into segments, from another.
fn fingerprint() -> u64 {
    let all = format!("{SQL} {SEGMENT} {MERGED}");
    all.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Sessions at a time.
fn width(records: u64) -> u64 {
    (records * GAP_S / SPAN_S).max(1)
}

/// The store of `records`, filled now where there is none.
pub(crate) fn filled(records: u64) -> anyhow::Result<Filled> {
    let folder = demo::repository().join(format!("target/bench/store-{records}"));
    let stamp = folder.join("stamp.json");
    if let Ok(text) = std::fs::read_to_string(&stamp)
        && let Ok(found) = serde_json::from_str::<Filled>(&text)
        && (found.records, found.schema, found.sql) == (records, SCHEMA_VERSION, fingerprint())
        && now_us()?.saturating_sub(found.end_us) < u64::try_from(FRESH.as_micros())?
    {
        return Ok(Filled { folder, ..found });
    }
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir_all(&folder)?;
    let filled = Filled {
        records,
        end_us: now_us()?,
        schema: SCHEMA_VERSION,
        sql: fingerprint(),
        folder,
    };
    fill(&filled).context("filling the store")?;
    std::fs::write(stamp, serde_json::to_string(&filled)?)?;
    Ok(filled)
}

#[expect(
    clippy::print_stderr,
    reason = "it takes minutes, and says how far it is"
)]
fn fill(filled: &Filled) -> anyhow::Result<()> {
    let database = Database::open(&filled.folder.join("hot.duckdb"), MEMORY)?;
    let began = Instant::now();
    for first in (0..filled.records).step_by(usize::try_from(SEGMENT)?) {
        let last = (first + SEGMENT).min(filled.records);
        let sql = [
            ("{records}", filled.records),
            ("{end_us}", filled.end_us),
            ("{width}", width(filled.records)),
            ("{first}", first),
            ("{last}", last),
            // Positions begin at 1: a part must lie beyond what was folded.
            ("{position}", first + 1),
            ("{position_end}", last + 1),
        ]
        .iter()
        .fold(SQL.to_owned(), |sql, (name, value)| {
            sql.replace(name, &value.to_string())
        });
        let reading = database.read()?;
        reading
            .connection
            .execute_batch(&format!("BEGIN TRANSACTION; {sql}; COMMIT"))?;
        drop(reading);
        close_hot(&database)?;
        eprint!(
            "\r{last} of {} records after {} s ",
            filled.records,
            began.elapsed().as_secs()
        );
    }
    eprintln!();
    // As `throughline serve` does it.
    let retention = Retention {
        age: Duration::from_secs(SPAN_S * 16),
        merged: MERGED,
        ..Retention::default()
    };
    merge_settled(&database, &retention)?;
    eprintln!("merged after {} s", began.elapsed().as_secs());
    database.read()?.connection.execute_batch("CHECKPOINT")?;
    database.close();
    Ok(())
}

/// A copy to be written to: segments never change, so that links to them will do.
pub(crate) fn copy(filled: &Filled, to: &Path) -> anyhow::Result<()> {
    let segments = to.join("segments");
    std::fs::create_dir_all(&segments)?;
    for entry in std::fs::read_dir(filled.folder.join("segments"))? {
        let entry = entry?;
        std::fs::hard_link(entry.path(), segments.join(entry.file_name()))?;
    }
    let detection = to.join("detection");
    std::fs::create_dir_all(&detection)?;
    for entry in std::fs::read_dir(filled.folder.join("detection"))? {
        let entry = entry?;
        std::fs::copy(entry.path(), detection.join(entry.file_name()))?;
    }
    std::fs::copy(filled.folder.join("hot.duckdb"), to.join("hot.duckdb"))?;
    Ok(())
}

/// Bytes of the files in a folder.
pub(crate) fn bytes(folder: &Path) -> anyhow::Result<u64> {
    let mut sum = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.metadata()?;
        sum += if kind.is_dir() {
            bytes(&entry.path())?
        } else {
            kind.len()
        };
    }
    Ok(sum)
}
