//! rows → DuckDB: everything a step has and the log position, in one transaction.

use duckdb::{Connection, params};

use super::columns::{LinkParts, VisitParts};
use super::database::StoreError;
use super::step::{State, Step};
use super::verdicts::write_rulings;
use crate::endpoints::Learnt;
use crate::envoy_admin::Changes;
use crate::ledger::{Forgotten, WorkerBook};
use crate::log::{Window, WorkerKey};

/// Appends the rows of `$columns` to `$table`, where there are any.
macro_rules! append {
    ($connection:expr, $table:literal, $columns:expr) => {
        if $columns.rows() > 0 {
            let mut appender = $connection.appender($table)?;
            appender.append_record_batch($columns.batch()?)?;
            // Else its rows miss the transaction.
            appender.flush()?;
        }
    };
}

/// What a step's transaction writes besides the step.
pub(super) struct Extras<'a> {
    /// Workers to be forgotten.
    pub(super) gone: &'a [WorkerKey],
    /// The sum of all forgotten ones.
    pub(super) forgotten: Forgotten,
    /// Readings of Envoys to keep, and those given up.
    pub(super) envoys: &'a Changes,
}

/// Writes `step` and the position of `state`, or nothing.
///
/// A COMMIT that reports an error may be durable all the same (DuckDB 1.5: the checkpoint that
/// follows it failed). The same step is then handed over again, and is not written twice.
pub(super) fn commit(
    connection: &Connection,
    step: &mut Step,
    state: &State,
    extras: &Extras<'_>,
) -> Result<(), StoreError> {
    // A new step's position lies beyond every one that was committed.
    let committed: u64 =
        connection.query_row("SELECT position FROM log_position", [], |row| row.get(0))?;
    if committed == state.position {
        return Ok(());
    }
    connection.execute_batch("BEGIN TRANSACTION")?;
    let written = write(connection, step, state, extras);
    let ended = written.and_then(|()| Ok(connection.execute_batch("COMMIT")?));
    if ended.is_err()
        && let Err(error) = connection.execute_batch("ROLLBACK")
    {
        // Expected where the failed COMMIT has rolled back already.
        tracing::debug!(%error, "nothing left to roll back");
    }
    ended
}

fn write(
    connection: &Connection,
    step: &mut Step,
    state: &State,
    extras: &Extras<'_>,
) -> Result<(), StoreError> {
    append!(connection, "hot_records", step.records);
    let mut parts = VisitParts::default();
    for (visit, part) in step.parts.sorted() {
        parts.push(state.position, visit, part);
    }
    append!(connection, "hot_visit_parts", parts);
    write_identity(connection, step, state)?;
    write_quarantine(connection, step)?;
    write_rulings(connection, &step.rulings)?;
    for (worker, book) in &step.workers {
        let window = state.windows.get(*worker);
        write_worker(connection, *worker, book, window)?;
    }
    for worker in extras.gone {
        let key = params![u64::from_be_bytes(worker.boot.0), worker.worker];
        connection.execute("DELETE FROM workers WHERE boot = ? AND worker = ?", key)?;
    }
    if !extras.gone.is_empty() {
        let sum = &extras.forgotten;
        connection.execute(
            "UPDATE forgotten_workers SET workers = ?, seen = ?, stored = ?, quarantined = ?, dropped = ?",
            params![sum.workers, sum.seen, sum.stored, sum.quarantined, sum.dropped],
        )?;
    }
    for gap in &step.gaps {
        let row = params![gap.segment, gap.position, gap.end - gap.position];
        connection.execute("INSERT INTO log_gaps VALUES (?, ?, ?)", row)?;
    }
    write_templates(connection, &state.endpoints.due())?;
    write_envoys(connection, extras.envoys)?;
    connection.execute(
        "UPDATE log_position SET position = ?, ordinal = ?",
        params![state.position, state.ordinal],
    )?;
    Ok(())
}

fn write_identity(
    connection: &Connection,
    step: &mut Step,
    state: &State,
) -> Result<(), StoreError> {
    let mut parts = LinkParts::default();
    for (name, part) in step.links.sorted() {
        parts.push(state.position, name, part);
    }
    append!(connection, "hot_link_parts", parts);
    append!(connection, "hot_param_values", step.values);
    append!(connection, "trials", step.trials);
    append!(connection, "finds", step.finds);
    Ok(())
}

fn write_quarantine(connection: &Connection, step: &Step) -> Result<(), StoreError> {
    if step.quarantine.is_empty() {
        return Ok(());
    }
    let mut appender = connection.appender("quarantine")?;
    for line in &step.quarantine {
        appender.append_row(params![
            line.position,
            u64::from_be_bytes(line.id.boot.0),
            line.id.worker,
            line.id.sequence,
            line.id.index,
            time(line.arrived_us),
            line.reason,
            line.line,
            line.line_bytes as u64,
        ])?;
    }
    Ok(appender.flush()?)
}

fn write_worker(
    connection: &Connection,
    worker: WorkerKey,
    book: &WorkerBook,
    window: Option<&Window>,
) -> Result<(), StoreError> {
    let boot = u64::from_be_bytes(worker.boot.0);
    let (reported, dropped) = (&book.reported, &book.reported.dropped);
    let accepted = window.cloned().unwrap_or_default().to_text();
    let shares = serde_json::to_string(&book.shares).unwrap_or_default();
    let refused = book
        .refused
        .as_ref()
        .and_then(|refused| serde_json::to_string(refused).ok());
    // An update in place: rows deleted 5 times a second would pile up in the file.
    let set = "UPDATE workers SET node = ?, capture_point = ?, policy_version = ?,
        filter_version = ?, first_contact = ?, last_contact = ?, seen = ?, acknowledged = ?,
        dropped_buffer_full = ?, dropped_rejected = ?, dropped_unwritable = ?, stored = ?,
        quarantined = ?, accepted = ?, shares = ?, refused = ? WHERE boot = ? AND worker = ?";
    let insert = "INSERT INTO workers (node, capture_point, policy_version, filter_version,
        first_contact, last_contact, seen, acknowledged, dropped_buffer_full, dropped_rejected,
        dropped_unwritable, stored, quarantined, accepted, shares, refused, boot, worker)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    for sql in [set, insert] {
        let row = params![
            book.node,
            book.capture_point,
            book.policy_version,
            book.filter_version,
            time(book.first_contact_us),
            time(book.last_contact_us),
            reported.seen,
            reported.acknowledged,
            dropped.buffer_full,
            dropped.rejected,
            dropped.unwritable,
            book.stored,
            book.quarantined,
            accepted,
            shares,
            refused,
            boot,
            worker.worker,
        ];
        if connection.prepare_cached(sql)?.execute(row)? > 0 {
            break;
        }
    }
    Ok(())
}

/// Keeps what was learnt of paths.
fn write_templates(connection: &Connection, learnt: &[Learnt]) -> Result<(), StoreError> {
    for Learnt { application, tree } in learnt {
        let set = "UPDATE templates SET tree = ? WHERE application = ?";
        if connection.execute(set, params![tree, application])? == 0 {
            let insert = "INSERT INTO templates (tree, application) VALUES (?, ?)";
            connection.execute(insert, params![tree, application])?;
        }
    }
    Ok(())
}

/// Keeps the last readings of Envoys' counters.
pub(super) fn write_envoys(connection: &Connection, changes: &Changes) -> Result<(), StoreError> {
    for (name, reading) in &changes.kept {
        let set = "UPDATE envoys SET reading = ? WHERE name = ?";
        if connection.execute(set, params![reading, name])? == 0 {
            let insert = "INSERT INTO envoys (reading, name) VALUES (?, ?)";
            connection.execute(insert, params![reading, name])?;
        }
    }
    for name in &changes.gone {
        connection.execute("DELETE FROM envoys WHERE name = ?", params![name])?;
    }
    Ok(())
}

/// A point in time as DuckDB takes it.
pub(super) fn time(micros: i64) -> duckdb::types::Value {
    duckdb::types::Value::Timestamp(duckdb::types::TimeUnit::Microsecond, micros)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::sightings::Sightings;
    use super::*;
    use crate::ledger::Books;
    use crate::log::{Entry, Item, Windows};
    use crate::sessions::{Rules, Tracker};

    const RECORDS: u32 = 500;
    const HEADER: &str = r#"{"throughline":1,"boot":"00000000000000ff","worker":0,"sequence":0,"records":500,"closed_us":2000,"capture_point":"gateway","node":"n","policy_version":"p","filter_version":"0.1.0","ledger":{"seen":500,"acknowledged":0,"dropped":{"buffer_full":0,"rejected":0,"unwritable":0}}}"#;

    fn batch() -> Item {
        let line = |index| {
            format!(
                "\n{{\"index\":{index},\"start_us\":1000,\"application\":\"a\",\"key\":\"k\",\
                 \"request_session\":\"{0:032}\",\"session\":\"{0:032}\"}}",
                1
            )
        };
        let body = HEADER.to_owned() + &(0..RECORDS).map(line).collect::<String>();
        Item::Batch(Entry {
            position: 0,
            end: 900,
            arrived_us: 3000,
            body: body.into_bytes(),
        })
    }

    #[test]
    fn a_commit_that_failed_and_is_durable_is_not_repeated() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("hot.duckdb");
        let connection = Connection::open(&file).unwrap();
        connection
            .execute_batch(include_str!("schema.sql"))
            .unwrap();
        // The checkpoint that follows the transaction fails, the transaction does not.
        connection
            .execute_batch(
                "INSERT INTO log_position VALUES (0, 0); CHECKPOINT;
                 SET wal_autocheckpoint = '1KB';
                 SET debug_checkpoint_abort = 'before_truncate';",
            )
            .unwrap();
        let rules = Rules {
            idle_us: 1000,
            longest_us: 1000,
            open_max: 10,
        };
        let mut state = State {
            position: 0,
            ordinal: 0,
            tracker: Tracker::new(rules),
            windows: Windows::default(),
            finds: (0, 0),
            sightings: Sightings::new(Arc::default()),
            endpoints: crate::endpoints::Endpoints::default(),
        };
        let mut step = Step::default();
        step.take(batch(), &mut state, &Books::default());
        let extras = Extras {
            gone: &[],
            forgotten: Forgotten::default(),
            envoys: &Changes::default(),
        };
        let refused = commit(&connection, &mut step, &state, &extras).unwrap_err();
        assert!(
            super::super::thread::is_fatal(&refused),
            "not reopened after: {refused}"
        );
        drop(connection);

        let connection = Connection::open(&file).unwrap();
        let rows = || -> u32 {
            let rows = "SELECT count(*) FROM hot_records";
            connection.query_row(rows, [], |row| row.get(0)).unwrap()
        };
        assert_eq!(rows(), RECORDS, "it is durable in spite of: {refused}");
        commit(&connection, &mut step, &state, &extras).unwrap();
        assert_eq!(rows(), RECORDS);
    }
}
