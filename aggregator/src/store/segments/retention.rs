//! What goes when: by age, and by what may be on the disk.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use duckdb::{Connection, params};

use super::close::Stage;
use super::layout::ALL;
use super::manifest::{self, Folder, Segment};
use super::rewrite::{Keep, rewrite};
use super::sampling::Sample;
use crate::config::units::micros;
use crate::quoted::{quoted, quoted_path};
use crate::store::commit::time;
use crate::store::database::StoreError;

/// How long records are kept, and how large everything may get.
#[derive(Debug, Clone, Default)]
pub struct Retention {
    /// For how long.
    pub age: Duration,
    /// Applications with another age.
    pub applications: BTreeMap<String, Duration>,
    /// Bytes that the data folder may take; `None`: as many as there are.
    pub budget: Option<u64>,
    /// Paths of whose records only a share is kept in closed segments.
    pub samples: Vec<Sample>,
    /// Records after which a stretch of the log is closed.
    pub segment_records: u64,
    /// Or the age of its first record.
    pub segment_age: Duration,
    /// Segments of which one is made; none with less than two.
    pub merged: usize,
}

impl Retention {
    fn of(&self, application: &str) -> Duration {
        self.applications
            .get(application)
            .copied()
            .unwrap_or(self.age)
    }

    /// Records that arrived before are expired, microseconds since the Unix epoch.
    fn since_us(&self, application: &str, now_us: i64) -> i64 {
        now_us.saturating_sub(micros(self.of(application)))
    }
}

/// What one look did.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Expired {
    /// Files that no view names any more.
    pub(super) files: Vec<std::path::PathBuf>,
    /// Segments that lost their records to the budget.
    pub(super) trimmed: u64,
    /// The budget is exceeded and there is nothing left that may go.
    pub(super) stuck: bool,
}

/// Lets go what is too old.
pub(super) fn by_age(
    connection: &Connection,
    folder: &Folder,
    retention: &Retention,
    now_us: i64,
    expired: &mut Expired,
) -> Result<(), StoreError> {
    let mut gone_to = 0;
    for segment in manifest::list(connection)? {
        let last_us = segment.arrived_us.1;
        let (gone, left): (Vec<_>, Vec<_>) = segment
            .applications
            .iter()
            .cloned()
            .partition(|it| last_us < retention.since_us(it, now_us));
        if left.is_empty() {
            gone_to = segment.end;
        }
        let loosened =
            gone.is_empty() && left.is_empty() && unpinned(connection, folder, &segment)?;
        if gone.is_empty() && !loosened {
            continue;
        }
        let keep = kept_sessions(connection, folder, &segment, &left)?;
        let keep = keep.as_ref().map_or(Keep::Nothing, |it| Keep::Only(it));
        let also = |now: &Segment| set_applications(connection, now, &left);
        expired.files.extend(rewrite(
            connection,
            folder,
            &segment,
            &keep,
            also,
            &mut |_: Stage| {},
        )?);
        tracing::info!(
            records = segment.records,
            bytes = segment.bytes,
            applications = ?gone,
            "records are older than they are kept: gone"
        );
    }
    by_age_in_tables(connection, retention, gone_to, now_us)
}

/// What is not closed: by the place in the log where all records are gone, and where rows have no
/// place in it, by arrival.
fn by_age_in_tables(
    connection: &Connection,
    retention: &Retention,
    gone_to: u64,
    now_us: i64,
) -> Result<(), StoreError> {
    for (table, session) in [("trials", "session"), ("verdicts", "unhex(session)")] {
        let sql = format!(
            "DELETE FROM {table} WHERE position < {gone_to}
             AND {session} NOT IN (SELECT session FROM pins)"
        );
        connection.execute(&sql, [])?;
    }
    let ages = retention.applications.values().copied();
    let longest = ages.fold(retention.age, Duration::max);
    for table in ["finds", "quarantine"] {
        let sql = format!("DELETE FROM {table} WHERE arrived < ?");
        let since = time(now_us.saturating_sub(micros(longest)));
        connection.execute(&sql, params![since])?;
    }
    Ok(())
}

fn set_applications(
    connection: &Connection,
    segment: &Segment,
    applications: &[String],
) -> Result<(), StoreError> {
    let names = serde_json::to_string(applications).unwrap_or_default();
    let sql = "UPDATE segments SET applications = ? WHERE end_position = ?";
    connection.execute(sql, params![names, segment.end])?;
    Ok(())
}

fn visits(folder: &Folder, segment: &Segment) -> Option<String> {
    let kind = ALL.iter().find(|kind| kind.name == "visit_parts")?;
    let path = folder.path(segment, kind);
    folder
        .is_there(&path)
        .then(|| format!("read_parquet({})", quoted_path(&path)))
}

/// The SELECT of the sessions that stay: those of `applications`, and what is pinned. `None` when
/// that is nobody.
fn kept_sessions(
    connection: &Connection,
    folder: &Folder,
    segment: &Segment,
    applications: &[String],
) -> Result<Option<String>, StoreError> {
    let Some(visits) = visits(folder, segment) else {
        return Ok(None);
    };
    let names: Vec<_> = applications.iter().map(|name| quoted(name)).collect();
    let application = match names.as_slice() {
        [] => "false".to_owned(),
        names => format!("application IN ({})", names.join(", ")),
    };
    let sql = format!(
        "SELECT session FROM {visits} WHERE {application} OR session IN (SELECT session FROM pins)"
    );
    let count = format!("SELECT count(*) FROM ({sql})");
    let kept: u64 = connection.query_row(&count, [], |row| row.get(0))?;
    Ok((kept > 0).then_some(sql))
}

/// Whether a segment that is only there for pinned sessions has others.
fn unpinned(
    connection: &Connection,
    folder: &Folder,
    segment: &Segment,
) -> Result<bool, StoreError> {
    let Some(visits) = visits(folder, segment) else {
        return Ok(true);
    };
    let sql =
        format!("SELECT count(*) FROM {visits} WHERE session NOT IN (SELECT session FROM pins)");
    let loose: u64 = connection.query_row(&sql, [], |row| row.get(0))?;
    Ok(loose > 0)
}

/// Lets go records, the oldest first, until `used` bytes fit the budget; summaries stay.
pub(super) fn by_budget(
    connection: &Connection,
    folder: &Folder,
    retention: &Retention,
    mut used: u64,
    expired: &mut Expired,
) -> Result<(), StoreError> {
    let Some(budget) = retention.budget else {
        return Ok(());
    };
    for segment in manifest::list(connection)? {
        if used <= budget {
            return Ok(());
        }
        if segment.trimmed || segment.applications.is_empty() {
            continue;
        }
        // What is pinned is kept beyond the budget too.
        let keep = Keep::Summaries("SELECT session FROM pins");
        let gone = rewrite(
            connection,
            folder,
            &segment,
            &keep,
            |_| Ok(()),
            &mut |_: Stage| {},
        )?;
        expired.files.extend(gone);
        expired.trimmed += 1;
        used = used.saturating_sub(segment.detail_bytes);
        tracing::warn!(
            records = segment.records,
            bytes = segment.detail_bytes,
            budget,
            "the disk budget is reached: the oldest records are gone before their time, \
             their sessions' summaries stay"
        );
    }
    expired.stuck = used > budget;
    Ok(())
}

/// Bytes of all files in `folder` and below.
pub(super) fn disk_use(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return 0;
    };
    let size = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(it) if it.is_dir() => disk_use(&entry.path()),
        Ok(it) => it.len(),
        // It has just gone.
        Err(_) => 0,
    };
    entries.flatten().map(size).sum()
}
