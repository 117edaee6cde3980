//! hot → closed: a stretch of the log leaves the hot file for files of its own.

use std::time::Instant;

use duckdb::{Connection, OptionalExt as _, params};

use super::layout::{ALL, From};
use super::manifest::{self, Segment};
use super::sampling::{self, Sample};
use super::write::write;
use crate::store::commit::time;
use crate::store::database::{Database, StoreError};
use crate::store::rollup;

/// The end of the last transaction with a part that no segment has.
const LAST: &str = "SELECT max(position) FROM hot_visit_parts
    WHERE position > (SELECT coalesce(max(end_position), 0) FROM segments)";

/// So many segments that were closed last have the parts of their visits here still.
const KEPT: usize = 2;

/// When a stretch of the log is closed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Due {
    /// With this many records.
    pub(super) records: u64,
    /// Or when its first record arrived before this time, microseconds since the Unix epoch.
    pub(super) before_us: i64,
}

/// What a crash may come after: for tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// The files are there, and nobody has heard of them.
    Written,
    /// The hot file names them, and has their rows no more.
    Committed,
}

/// How many records no segment has.
pub(in crate::store) fn hot_records(connection: &Connection) -> Result<u64, StoreError> {
    Ok(connection.query_row("SELECT count(*) FROM hot_records", [], |row| row.get(0))?)
}

/// Up to where the log is to be closed next; `None` when nothing is due.
pub(super) fn due(connection: &Connection, due: &Due) -> Result<Option<u64>, StoreError> {
    if hot_records(connection)? >= due.records {
        // The end of the transaction with the record that makes it full.
        let sql = "SELECT min(position) FROM hot_visit_parts WHERE position > (
            SELECT max(position) FROM (
                SELECT position FROM hot_records ORDER BY position LIMIT ?))";
        return Ok(connection.query_row(sql, [due.records], |row| row.get(0))?);
    }
    let sql = format!("{LAST} HAVING min(arrived) < ?");
    let end = connection.query_row(&sql, params![time(due.before_us)], |row| row.get(0));
    Ok(end.optional()?)
}

/// Closes the hot rows up to `end`, the end of a transaction. Of visits the parts of the last [`KEPT`]
/// segments stay where they are: in the file their sums tell no longer what a session was at a position of the log.
///
/// Files first, durable; then one transaction that names them and deletes their rows. A crash
/// before it leaves files that no segment has, which the next start deletes.
pub(super) fn close(
    connection: &Connection,
    database: &Database,
    end: u64,
    samples: &[Sample],
    stage: &mut dyn FnMut(Stage),
) -> Result<Segment, StoreError> {
    let folder = &database.folder;
    let segments = manifest::list(connection)?;
    let begin = manifest::closed(&segments);
    let before = segments.iter().rev().nth(KEPT - 1).map_or(0, |it| it.end);
    let kept = sampling::kept(samples);
    let mut segment = folder.begin(end, 0);
    let written = write(connection, folder, &mut segment, &|kind| {
        if let Some(select) = kind.of_hot() {
            // What was asked for is known of all requests. And equal texts are seen where they are hot.
            let all = format!("(SELECT * FROM hot_records WHERE position < {end})");
            let of_all = || format!("({})", select.replace("{records}", &all));
            let is_hot = kept.is_some() || matches!(kind.from, From::Told { .. });
            return is_hot.then(of_all);
        }
        let table = kind.table()?;
        let kept = kept.as_deref().filter(|_| kind.name == "records");
        Some(format!(
            "(SELECT * FROM {table} WHERE {} AND {})",
            kind.between(begin, end),
            kept.unwrap_or("true")
        ))
    });
    folder.or_discard(&segment, written)?;
    stage(Stage::Written);
    let turn = folder.turn();
    let began = Instant::now();
    let committed = transaction(connection, || {
        // What leaves the hot parts must be in the sums.
        rollup::fold(connection)?;
        manifest::add(connection, &segment)?;
        for kind in ALL {
            let Some(table) = kind.table() else { continue };
            if kind.name != "visit_parts" {
                let sql = format!("DELETE FROM {table} WHERE {}", kind.between(0, end));
                connection.execute(&sql, [])?;
            }
        }
        // Whoever has seen a first page may go on until then.
        manifest::drop_parts(connection, before)?;
        let needless = database.relied().needless(end);
        let sql = "DELETE FROM hot_param_values WHERE position <= ?";
        connection.execute(sql, [needless])?;
        manifest::make_views(connection, folder)?;
        Ok(())
    });
    folder.or_discard(&segment, committed)?;
    drop(turn);
    let seconds = began.elapsed().as_secs_f64();
    tracing::debug!(end, seconds, "what is in files is hot no more");
    database.relied().forget();
    stage(Stage::Committed);
    Ok(segment)
}

/// Closes everything that is hot: for whoever fills a store that no service runs on. Gives how many
/// records that were.
///
/// # Errors
/// When the files or the database cannot be written.
pub fn close_hot(database: &Database) -> Result<u64, StoreError> {
    let reading = database.read()?;
    let connection = &reading.connection;
    let end: Option<u64> = connection.query_row(LAST, [], |row| row.get(0))?;
    let Some(end) = end else { return Ok(0) };
    let segment = close(connection, database, end, &[], &mut |_| {})?;
    manifest::write_outside(connection, &database.folder)?;
    // Else the file grows by what was deleted.
    connection.execute_batch("CHECKPOINT")?;
    Ok(segment.records)
}

/// All of `work`, or nothing.
pub(in crate::store) fn transaction<T>(
    connection: &Connection,
    work: impl FnOnce() -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    connection.execute_batch("BEGIN TRANSACTION")?;
    let done = work();
    let ended = done.and_then(|it| {
        connection.execute_batch("COMMIT")?;
        Ok(it)
    });
    if ended.is_err()
        && let Err(error) = connection.execute_batch("ROLLBACK")
    {
        tracing::debug!(%error, "nothing left to roll back");
    }
    ended
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::layout::unpacked;
    use super::super::rewrite::{Keep, rewrite};
    use super::*;
    use crate::store::{Database, SCHEMA_VERSION};

    /// Twenty records of four sessions in transactions that end at 100, 200, ….
    fn fill(connection: &Connection) {
        let sql = "INSERT INTO hot_records BY NAME
            SELECT (i // 5) * 100 + i % 5 AS position, 255 AS boot, 0 AS worker, i AS sequence,
                0 AS idx, make_timestamp(i * 1000000) AS start,
                unhex(lpad((i % 4)::VARCHAR, 32, '0')) AS session, session AS request_session,
                start AS visit_start, 'shop' AS application, 'cookie' AS key, 'g' AS capture_point,
                'p' AS policy_version, 'n' AS node, '' AS flags, 0 AS request_bytes,
                0 AS response_bytes, 0 AS duration_us, 'r' || i AS request_id FROM range(20) t(i);
            INSERT INTO hot_visit_parts BY NAME
            SELECT (position // 100 + 1) * 100 AS position, session, make_timestamp(0) AS visit_start,
                'shop' AS application, 'cookie' AS key, min(start) AS first, max(start) AS last,
                count(*) AS requests, 0 AS errors_4xx, 0 AS errors_5xx, 0 AS request_bytes,
                0 AS response_bytes, 0 AS duration_us, ['10.0.0.1'] AS ips, ['ua'] AS user_agents,
                false AS more, max(sequence) AS ordinal, max(start) AS arrived,
                ['p'] AS policy_versions
            FROM hot_records GROUP BY ALL;";
        connection.execute_batch(sql).unwrap();
    }

    fn number(connection: &Connection, sql: &str) -> u64 {
        connection.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    fn figures(folder: &Path) -> (u64, u64, u64) {
        let database = Database::open(&folder.join("hot.duckdb"), 64 << 20).unwrap();
        let reading = database.read().unwrap();
        let one = |sql| number(&reading.connection, sql);
        (
            one("SELECT count(*) FROM records"),
            one("SELECT count(DISTINCT sequence) FROM records"),
            one("SELECT sum(requests)::UBIGINT FROM visit_parts"),
        )
    }

    /// What a crash at this moment leaves on the disk.
    fn image(of: &Path) -> tempfile::TempDir {
        let image = tempfile::tempdir().unwrap();
        std::fs::create_dir(image.path().join("segments")).unwrap();
        for (from, to) in [(of.to_path_buf(), ""), (of.join("segments"), "segments")] {
            for file in std::fs::read_dir(from).unwrap() {
                let file = file.unwrap();
                if file.file_type().unwrap().is_file() {
                    let to = image.path().join(to).join(file.file_name());
                    std::fs::copy(file.path(), to).unwrap();
                }
            }
        }
        image
    }

    fn files(folder: &Path) -> usize {
        std::fs::read_dir(folder.join("segments")).unwrap().count()
    }

    #[test]
    fn a_crash_at_any_point_leaves_each_record_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        let database = Database::open(&path.join("hot.duckdb"), 64 << 20).unwrap();
        let reading = database.read().unwrap();
        let connection = &reading.connection;
        fill(connection);
        let due = due(
            connection,
            &Due {
                records: 8,
                before_us: i64::MIN,
            },
        )
        .unwrap();
        assert_eq!(due, Some(200), "the end of the transaction with the eighth");
        let mut stages = Vec::new();
        for end in [200, 300] {
            close(connection, &database, end, &[], &mut |stage| {
                let crashed = image(path);
                let before = files(crashed.path());
                assert_eq!(figures(crashed.path()), (20, 20, 20), "{stage:?}");
                let after = files(crashed.path());
                stages.push((stage, before - after));
            })
            .unwrap();
        }
        // Files of which nobody had heard are deleted by the next start: four kinds of them.
        let (written, committed) = (Stage::Written, Stage::Committed);
        let expected = [(written, 4), (committed, 0), (written, 4), (committed, 0)];
        assert_eq!(stages, expected);
        assert_eq!(number(connection, "SELECT count(*) FROM hot_records"), 5);
        assert_eq!(number(connection, "SELECT count(*) FROM records"), 20);

        let half = "SELECT unhex(lpad('1', 32, '0')) AS session";
        let segment = manifest::list(connection).unwrap().remove(0);
        rewrite(
            connection,
            &database.folder,
            &segment,
            &Keep::But(half),
            |_| Ok(()),
            &mut |stage| {
                let left = if stage == Stage::Written { 20 } else { 17 };
                let crashed = image(path);
                assert_eq!(figures(crashed.path()), (left, left, left), "{stage:?}");
            },
        )
        .unwrap();
    }

    #[test]
    fn a_try_that_fails_leaves_nothing_and_the_next_has_another_name() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("hot.duckdb"), 64 << 20).unwrap();
        let (reading, other) = (database.read().unwrap(), database.read().unwrap());
        fill(&reading.connection);
        let begin = "BEGIN TRANSACTION; DELETE FROM hot_records";
        other.connection.execute_batch(begin).unwrap();
        let close = || close(&reading.connection, &database, 200, &[], &mut |_| {});
        let error = close().unwrap_err().to_string();
        assert!(error.contains("onflict"), "{error}");
        assert_eq!(files(folder.path()), 0);
        other.connection.execute_batch("ROLLBACK").unwrap();
        assert_eq!(close().unwrap().rewrite, 2);
        drop((reading, other));
        database.close();
        assert_eq!(figures(folder.path()), (20, 20, 20));
    }

    #[test]
    fn a_file_that_is_gone_takes_only_its_own_rows_along() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("hot.duckdb");
        let database = Database::open(&file, 64 << 20).unwrap();
        let reading = database.read().unwrap();
        fill(&reading.connection);
        let segment = close(&reading.connection, &database, 200, &[], &mut |_| {}).unwrap();
        std::fs::remove_file(database.folder.path(&segment, &ALL[0])).unwrap();
        drop(reading);
        database.close();
        assert_eq!(figures(folder.path()), (10, 10, 20));
    }

    #[test]
    fn a_segment_has_every_column_that_the_hot_table_has() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("hot.duckdb"), 64 << 20).unwrap();
        let reading = database.read().unwrap();
        let columns = |sql: String| -> Vec<(String, String)> {
            let mut described = reading
                .connection
                .prepare(&format!("DESCRIBE {sql}"))
                .unwrap();
            let rows = described.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
            let mut columns: Vec<_> = rows.unwrap().collect::<Result<_, _>>().unwrap();
            columns.sort();
            columns
        };
        for kind in ALL {
            let Some(table) = kind.table() else { continue };
            let mut folded = kind.select.replace("{source}", table);
            if !kind.group.is_empty() {
                folded += &format!(" GROUP BY {}", kind.group);
            }
            let rows = unpacked(kind, SCHEMA_VERSION, &format!("({folded})"));
            assert_eq!(
                columns(format!("SELECT * FROM {rows}")),
                columns(manifest::hot(kind, 0)),
                "{table}"
            );
        }
    }
}
