//! DuckDB → memory: what a restart needs to go on where the last transaction ended.

use std::collections::BTreeMap;

use duckdb::{Connection, Row, params};
use throughline_session::hex::Hex;
use throughline_session::wire::{Dropped, Ledger, SessionId};

use super::commit::time;
use super::database::StoreError;
use super::step::DAY_US;
use crate::endpoints::Learnt;
use crate::ledger::{Forgotten, WorkerBook};
use crate::log::{Gap, Window, Windows, WorkerKey};
use crate::sessions::{OpenVisit, Rules, Tracker};
use crate::verdicts::Profiles;

/// What the store knows at start, but for the open visits.
#[derive(Debug, Default)]
pub struct Restored {
    /// Position up to which the log has been stored.
    pub position: u64,
    /// Position up to which sessions have been summed.
    pub summed: u64,
    /// Number of records ever stored.
    pub ordinal: u64,
    /// The ledger.
    pub workers: BTreeMap<WorkerKey, WorkerBook>,
    /// What remains of workers no longer kept.
    pub forgotten: Forgotten,
    /// Which batches have been stored.
    pub windows: Windows,
    /// Parts of the log that could not be read.
    pub gaps: Vec<Gap>,
    /// Last readings of Envoys, as JSON.
    pub envoys: Vec<String>,
    /// Position up to which the verdicts are stored.
    pub verdicts: u64,
    /// Day (UTC) of the key finder's last record, and how many were kept on it.
    pub finds: (i64, u64),
    /// What was learnt of paths.
    pub templates: Vec<Learnt>,
}

/// Reads everything that is needed before batches may be accepted: little, and quickly.
pub(super) fn read(connection: &Connection) -> Result<Restored, StoreError> {
    let mut restored = Restored::default();
    (restored.position, restored.ordinal) =
        connection.query_row("SELECT position, ordinal FROM log_position", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    restored.summed = super::rollup::folded(connection)?;
    restored.verdicts = super::verdicts::position(connection)?;
    restored.forgotten = connection.query_row("SELECT * FROM forgotten_workers", [], |row| {
        Ok(Forgotten {
            workers: row.get(0)?,
            seen: row.get(1)?,
            stored: row.get(2)?,
            quarantined: row.get(3)?,
            dropped: row.get(4)?,
        })
    })?;
    let mut workers = connection.prepare(
        "SELECT boot, worker, node, capture_point, policy_version, filter_version,
            epoch_us(first_contact), epoch_us(last_contact), seen, acknowledged,
            dropped_buffer_full, dropped_rejected, dropped_unwritable, stored, quarantined, accepted,
            shares, refused
         FROM workers",
    )?;
    for row in workers.query_map([], worker)? {
        let (key, book, accepted) = row?;
        match Window::from_text(&accepted) {
            Some(window) => restored.windows.restore(key, window, book.last_contact_us),
            None => tracing::error!(?key, accepted, "a worker's accepted batches are unreadable"),
        }
        restored.workers.insert(key, book);
    }
    let mut gaps = connection.prepare("SELECT segment, position, bytes FROM log_gaps")?;
    let gap = |row: &Row<'_>| {
        let position: u64 = row.get(1)?;
        Ok(Gap {
            segment: row.get(0)?,
            position,
            end: position + row.get::<_, u64>(2)?,
        })
    };
    restored.gaps = gaps.query_map([], gap)?.collect::<Result<_, _>>()?;
    let mut envoys = connection.prepare("SELECT reading FROM envoys")?;
    restored.envoys = envoys
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let last_us: Option<i64> =
        connection.query_row("SELECT epoch_us(max(arrived)) FROM finds", [], |row| {
            row.get(0)
        })?;
    if let Some(day) = last_us.map(|last_us| last_us.div_euclid(DAY_US)) {
        let count = "SELECT count(*) FROM finds WHERE arrived >= ?";
        let since = params![time(day.saturating_mul(DAY_US))];
        restored.finds = (day, connection.query_row(count, since, |row| row.get(0))?);
    }
    let mut templates = connection.prepare("SELECT application, tree FROM templates")?;
    let learnt = |row: &Row<'_>| {
        Ok(Learnt {
            application: row.get(0)?,
            tree: row.get(1)?,
        })
    };
    restored.templates = templates.query_map([], learnt)?.collect::<Result<_, _>>()?;
    Ok(restored)
}

fn worker(row: &Row<'_>) -> duckdb::Result<(WorkerKey, WorkerBook, String)> {
    let key = WorkerKey {
        boot: Hex(row.get::<_, u64>(0)?.to_be_bytes()),
        worker: row.get(1)?,
    };
    let book = WorkerBook {
        node: row.get(2)?,
        capture_point: row.get(3)?,
        policy_version: row.get(4)?,
        filter_version: row.get(5)?,
        first_contact_us: row.get(6)?,
        last_contact_us: row.get(7)?,
        reported: Ledger {
            seen: row.get(8)?,
            acknowledged: row.get(9)?,
            dropped: Dropped {
                buffer_full: row.get(10)?,
                rejected: row.get(11)?,
                unwritable: row.get(12)?,
            },
        },
        stored: row.get(13)?,
        quarantined: row.get(14)?,
        shares: from_json(row.get(16)?),
        refused: from_json(row.get(17)?),
        behind: None,
    };
    Ok((key, book, row.get(15)?))
}

/// What another version cannot read is told anew with the worker's next batch.
fn from_json<T: serde::de::DeserializeOwned + Default>(json: Option<String>) -> T {
    json.and_then(|json| serde_json::from_str(&json).ok())
        .unwrap_or_default()
}

/// Reads the visits that were open when the last record was stored.
pub(super) fn tracker(connection: &Connection, rules: Rules) -> Result<Tracker, StoreError> {
    let mut tracker = Tracker::new(rules);
    follow_policies(connection, &mut tracker)?;
    let last = "SELECT epoch_us(arg_max(arrived, ordinal)) FROM visit_parts";
    let last_us: Option<i64> = connection.query_row(last, [], |row| row.get(0))?;
    let Some(last_us) = last_us else {
        return Ok(tracker);
    };
    // First the sessions touched lately, then all their parts: an open visit may have old ones.
    let mut visits = connection.prepare(
        "SELECT * FROM (
            SELECT session, epoch_us(visit_start), epoch_us(min(first)), epoch_us(max(last)),
                max(ordinal) AS ordinal, epoch_us(arg_max(arrived, ordinal))
            FROM visit_parts
            WHERE session IN (SELECT DISTINCT session FROM visit_parts WHERE arrived >= ?)
            GROUP BY session, visit_start
            HAVING arg_max(arrived, ordinal) >= ?
            ORDER BY max(ordinal) DESC LIMIT ?
         ) ORDER BY ordinal",
    )?;
    let since = time(tracker.open_since_us(last_us));
    let most = u64::try_from(rules.open_max).unwrap_or(u64::MAX);
    let visit = |row: &Row<'_>| {
        let session: Vec<u8> = row.get(0)?;
        let visit = OpenVisit {
            start_us: row.get(1)?,
            first_us: row.get(2)?,
            last_us: row.get(3)?,
            ordinal: row.get(4)?,
            arrived_us: row.get(5)?,
        };
        Ok((session, visit))
    };
    for row in visits.query_map(params![since.clone(), since, most], visit)? {
        let (session, visit) = row?;
        if let Ok(session) = session.try_into() {
            let session: SessionId = Hex(session);
            tracker.restore(session, visit);
        }
    }
    Ok(tracker)
}

/// What each policy so far said of visits, from its place in the log on.
fn follow_policies(connection: &Connection, tracker: &mut Tracker) -> Result<(), StoreError> {
    let sql = "SELECT document, epoch_us(said_at) FROM profiles ORDER BY position";
    let mut policies = connection.prepare(sql)?;
    let said = |row: &Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?));
    for row in policies.query_map([], said)? {
        let (document, said_us) = row?;
        tracker.follow(&Profiles::of_text(None, &document).visits, said_us);
    }
    Ok(())
}
