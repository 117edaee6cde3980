//! closed → closed: segments become one, so that whoever looks for something looks into few files.
//!
//! What is looked up is sorted anew, in one file of each kind; records, which are the most, stay in the files that
//! they are in. A thread of little priority does it, with a DuckDB of its own: it takes nothing from whoever asks.
//! If one of the segments has changed when it is done, what was written is of no use.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use duckdb::{Connection, InterruptHandle};

use super::close::transaction;
use super::layout::{ALL, Kind, WRITTEN_SINCE};
use super::manifest::{self, ALWAYS, Folder, Segment};
use super::retention::Retention;
use super::write::write_kind;
use crate::config::units::micros;
use crate::quoted::quoted_path;
use crate::store::database::{Database, Resources, StoreError};
use crate::store::rollup;

/// A merged segment spans this part of the time that records are kept at the most: they go with the last of it.
const SPAN: i64 = 16;

/// Of what DuckDB may have for its buffers, merging may have this part for its own, and these bytes at least: what it
/// writes must fit.
const MEMORY: u64 = 5;
const MEMORY_MIN: u64 = 96 << 20;
/// So many times that much it may put on the disk.
const SPILL: u64 = 32;
/// How much less a thread matters that merges, as `nice` counts.
const NICE: i32 = 10;
/// Between two tries to have it end.
const INSIST: Duration = Duration::from_millis(5);

/// Segments that are becoming one.
pub(super) struct Merge {
    members: Vec<Segment>,
    into: Segment,
}

/// A thread that writes its files.
pub(super) struct Merging {
    thread: JoinHandle<Result<Merge, StoreError>>,
    interrupt: Arc<InterruptHandle>,
    /// It is to end.
    ends: Arc<AtomicBool>,
    began: Instant,
    /// Position of the last segment that it merges.
    pub(super) end: u64,
}

impl Merge {
    /// The first segments after this position that can become one. Not those of which parts of visits are kept, after
    /// `parts_since`: these tell what is in no merged file.
    pub(super) fn due(
        segments: &[Segment],
        folder: &Folder,
        retention: &Retention,
        (after, parts_since): (u64, u64),
    ) -> Option<Self> {
        let number = retention.merged;
        let shortest = retention.applications.values().min();
        let age = shortest.map_or(retention.age, |it| retention.age.min(*it));
        let fits = |run: &&[Segment]| {
            let (Some(first), Some(last)) = (run.first(), run.last()) else {
                return false;
            };
            let span_us = last.arrived_us.1.saturating_sub(first.arrived_us.0);
            let whole = |it: &Segment| {
                let files = folder.paths(it);
                it.is_settled()
                    && it.end > after
                    && it.end <= parts_since
                    && files.iter().all(|path| folder.is_there(path))
            };
            span_us <= micros(age) / SPAN && run.iter().all(whole)
        };
        let mut runs = segments.windows(number.max(2)).filter(|_| number > 1);
        Self::new(folder, runs.find(fits)?.to_vec())
    }

    fn new(folder: &Folder, members: Vec<Segment>) -> Option<Self> {
        let end = manifest::closed(&members);
        // Above that of all parts: it tells which files are its own.
        let rewrite = members.iter().map(|it| it.rewrite).max().unwrap_or(0);
        let parts = members.iter().map(|it| folder.part(it));
        let into = Segment {
            records: members.iter().map(|it| it.records).sum(),
            parts: parts.collect::<Option<_>>()?,
            ..folder.begin(end, rewrite + 1)
        };
        Some(Self { members, into })
    }

    /// Writes all kinds, unless it is to end before.
    fn write_all(
        &mut self,
        connection: &Connection,
        folder: &Folder,
        ends: &AtomicBool,
    ) -> Result<(), StoreError> {
        for kind in ALL {
            if ends.load(Ordering::Relaxed) {
                return Err(StoreError::NotOpen);
            }
            self.write(connection, folder, kind)?;
        }
        Ok(())
    }

    fn write(
        &mut self,
        connection: &Connection,
        folder: &Folder,
        kind: &Kind,
    ) -> Result<(), StoreError> {
        let files = self.members.iter();
        let files = files.filter_map(|it| folder.there(it, kind, ALWAYS));
        let files: Vec<_> = files.collect();
        if files.is_empty() || kind.name == "records" {
            return Ok(());
        }
        let select = format!("SELECT * FROM read_parquet([{}])", files.join(", "));
        write_kind(connection, folder, &mut self.into, kind, &select)
    }

    /// Puts the segment in the place of the others; gives the files that are needed no more. `None` where one of
    /// them has changed meanwhile.
    pub(super) fn commit(
        mut self,
        connection: &Connection,
        folder: &Folder,
    ) -> Result<Option<Vec<PathBuf>>, StoreError> {
        let segments = manifest::list(connection)?;
        if !self.members.iter().all(|it| segments.contains(it)) {
            folder.discard(&self.into);
            return Ok(None);
        }
        let turn = folder.turn();
        let applications = self.members.iter().flat_map(|it| it.applications.clone());
        let applications: BTreeSet<_> = applications.collect();
        self.into.applications = applications.into_iter().collect();
        let committed = self.add_records(folder).and_then(|()| {
            folder.sync()?;
            transaction(connection, || {
                for segment in &self.members {
                    manifest::remove(connection, segment)?;
                }
                manifest::add(connection, &self.into)?;
                manifest::make_views(connection, folder)?;
                Ok(())
            })
        });
        folder.or_discard(&self.into, committed)?;
        drop(turn);
        tracing::info!(
            segments = self.members.len(),
            records = self.into.records,
            bytes = self.into.bytes,
            position = self.into.end,
            "merged segments"
        );
        let still = folder.paths(&self.into);
        let gone = self.members.iter().flat_map(|it| folder.paths(it));
        Ok(Some(gone.filter(|path| !still.contains(path)).collect()))
    }

    /// The files of its records are its own from now on.
    fn add_records(&mut self, folder: &Folder) -> Result<(), StoreError> {
        for kind in ALL.iter().filter(|kind| kind.name == "records") {
            for part in &self.into.parts.clone() {
                let path = folder.path.join(part.file());
                self.into.add_file(kind, path.metadata()?.len());
            }
        }
        Ok(())
    }
}

impl Merging {
    /// Starts the thread.
    pub(super) fn start(database: &Arc<Database>, mut merge: Merge) -> Result<Self, StoreError> {
        let connection = connect(&database.folder, database.resources())?;
        let interrupt = connection.interrupt_handle();
        let end = merge.into.end;
        let ends = Arc::<AtomicBool>::default();
        let (database, its) = (Arc::clone(database), Arc::clone(&ends));
        let work = move || {
            let own = rustix::thread::gettid();
            if let Err(error) = rustix::process::setpriority_process(Some(own), NICE) {
                tracing::debug!(%error, "merging has the priority of all else");
            }
            let folder = &database.folder;
            let written = merge.write_all(&connection, folder, &its);
            if written.is_err() {
                folder.discard(&merge.into);
            }
            written.map(|()| merge)
        };
        let thread = std::thread::Builder::new().name("merging".into());
        Ok(Self {
            thread: thread.spawn(work)?,
            interrupt,
            ends,
            began: Instant::now(),
            end,
        })
    }

    /// Whether its files are written, or cannot be.
    pub(super) fn is_finished(&self) -> bool {
        self.thread.is_finished()
    }

    /// What came of it, and how long it took.
    pub(super) fn join(self) -> (Result<Merge, StoreError>, Duration) {
        let panicked = |_| Err(std::io::Error::other("the thread that merges panicked").into());
        let done = self.thread.join().unwrap_or_else(panicked);
        (done, self.began.elapsed())
    }

    /// Has it end before it is done, without a trace.
    pub(super) fn stop(self, folder: &Folder) {
        self.ends.store(true, Ordering::Relaxed);
        while !self.is_finished() {
            self.interrupt.interrupt();
            std::thread::sleep(INSIST);
        }
        if let (Ok(merge), _) = self.join() {
            folder.discard(&merge.into);
        }
    }
}

/// A DuckDB that holds nothing and reads the files of `folder`.
fn connect(folder: &Folder, resources: Resources) -> Result<Connection, StoreError> {
    let spill = spill(&folder.path);
    if spill.exists() {
        std::fs::remove_dir_all(&spill)?;
    }
    let connection = Connection::open_in_memory()?;
    let kib = (resources.memory_bytes / MEMORY).max(MEMORY_MIN) / 1024;
    connection.execute_batch(&format!(
        "SET threads = 1; SET memory_limit = '{kib}KiB'; SET temp_directory = {};
         SET max_temp_directory_size = '{}KiB';
         SET preserve_insertion_order = false; SET autoinstall_known_extensions = false;
         SET autoload_known_extensions = false;",
        quoted_path(&spill),
        kib.saturating_mul(SPILL),
    ))?;
    Ok(connection)
}

/// Where it puts what does not fit into its memory, beside the segments.
pub(super) fn spill(segments: &Path) -> PathBuf {
    segments.with_file_name("merging")
}

/// Merges all segments that are settled, `retention.merged` at a time: for whoever fills a store that no service
/// runs on.
///
/// # Errors
/// When the files or the database cannot be written.
pub fn merge_settled(database: &Database, retention: &Retention) -> Result<(), StoreError> {
    let reading = database.read()?;
    let (connection, folder) = (&reading.connection, &database.folder);
    let own = connect(folder, database.resources())?;
    loop {
        let since = rollup::parts_since(connection)?;
        let segments = manifest::list(connection)?;
        let Some(mut merge) = Merge::due(&segments, folder, retention, (0, since)) else {
            return manifest::write_outside(connection, folder);
        };
        let written = merge.write_all(&own, folder, &AtomicBool::default());
        folder.or_discard(&merge.into, written)?;
        let gone = merge.commit(connection, folder)?.unwrap_or_default();
        gone.iter().try_for_each(std::fs::remove_file)?;
    }
}

impl Segment {
    /// Whether it is as it was when it was closed.
    fn is_settled(&self) -> bool {
        self.version >= WRITTEN_SINCE
            && self.records > 0
            && self.parts.is_empty()
            && !self.trimmed
            && !self.applications.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::super::close::close;
    use super::super::rewrite::{Keep, rewrite};
    use super::*;

    /// Ten requests of five sessions, of which two are of this segment only, each with a user.
    fn fill(connection: &Connection, segment: u64) {
        let sql = format!(
            "INSERT INTO hot_records BY NAME
             SELECT {segment} * 100 + i AS position, 1 AS boot, 0 AS worker, {segment} * 10 + i AS sequence,
                0 AS idx, make_timestamp(({segment} * 100 + i) * 1000000) AS start,
                unhex(md5(CASE WHEN i % 5 < 3 THEN i % 5 ELSE {segment} * 10 + i % 5 END::VARCHAR)) AS session,
                session AS request_session, make_timestamp({segment} * 100000000) AS visit_start,
                'shop' AS application, 'cookie' AS key, 'g' AS capture_point, 'p' AS policy_version,
                'n' AS node, 'GET' AS method, '/a/' || i % 4 AS path, 'GET /a/{{id}}' AS endpoint,
                200 AS status, '' AS flags, 1 AS request_bytes, 2 AS response_bytes, i AS duration_us,
                'r' || sequence AS request_id,
                to_json([['user', 'u' || hex(session), 'user']])::VARCHAR AS params
             FROM range(10) t(i);
             INSERT INTO hot_visit_parts BY NAME
             SELECT {segment} * 100 + 99 AS position, session, visit_start, application, key,
                min(start) AS first, max(start) AS last, count(*) AS requests, 0 AS errors_4xx,
                0 AS errors_5xx, 0 AS request_bytes, 0 AS response_bytes, 0 AS duration_us,
                ['10.0.0.1'] AS ips, ['ua'] AS user_agents, false AS more, max(sequence) AS ordinal,
                max(start) AS arrived, ['p'] AS policy_versions
             FROM hot_records GROUP BY session, visit_start, application, key;"
        );
        connection.execute_batch(&sql).unwrap();
    }

    /// Five segments, of which the last two tell their parts still.
    fn five(database: &Database) {
        closed(database, 5);
    }

    fn closed(database: &Database, number: u64) {
        let reading = database.read().unwrap();
        for segment in 1..=number {
            fill(&reading.connection, segment);
            let end = segment * 100 + 99;
            close(&reading.connection, database, end, &[], &mut |_| {}).unwrap();
        }
    }

    /// Three become one.
    fn retention() -> Retention {
        Retention {
            age: Duration::from_secs(86_400),
            merged: 3,
            ..Retention::default()
        }
    }

    fn due(database: &Database, connection: &Connection) -> Option<Merge> {
        due_after(database, connection, 0)
    }

    fn due_after(database: &Database, connection: &Connection, after: u64) -> Option<Merge> {
        let since = rollup::parts_since(connection).unwrap();
        let segments = manifest::list(connection).unwrap();
        Merge::due(&segments, &database.folder, &retention(), (after, since))
    }

    /// Writes a segment anew, and deletes the files of before; gives how many that were.
    fn write_anew(
        database: &Database,
        connection: &Connection,
        segment: &Segment,
        keep: &Keep<'_>,
    ) -> usize {
        let (nothing, stage) = (|_: &Segment| Ok(()), &mut |_| {});
        let gone = rewrite(connection, &database.folder, segment, keep, nothing, stage).unwrap();
        gone.iter().for_each(|it| std::fs::remove_file(it).unwrap());
        gone.len()
    }

    /// What all kinds say.
    fn told(connection: &Connection) -> Vec<String> {
        let told = [
            "SELECT count(*), count(DISTINCT sequence), count(DISTINCT session), max(position) FROM records",
            "SELECT count(*), sum(hash(params[1])) FROM records WHERE len(params) = 1 AND NOT params[1].forgeable",
            "SELECT sum(requests), count(DISTINCT session), min(first), max(last) FROM visit_parts",
            "SELECT sum(requests), count(DISTINCT value), min(position) FROM param_parts",
            "SELECT sum(requests), count(DISTINCT (path, session)), max(took_max) FROM shapes",
            "SELECT sum(requests), min(slot) FROM endpoint_sums",
            "SELECT count(DISTINCT (hash, session)) FROM lookups",
            "SELECT session FROM lookups WHERE hash = md5_number_lower('request' || chr(0) || 'r25')",
            "SELECT count(*), sum(requests) FROM session_rows",
        ];
        let one = |sql: &&str| {
            let sql = format!("SELECT it::VARCHAR FROM ({sql}) AS it");
            connection.query_row(&sql, [], |row| row.get(0)).unwrap()
        };
        told.iter().map(one).collect()
    }

    fn files(folder: &Path) -> BTreeSet<String> {
        let files = std::fs::read_dir(folder.join("segments")).unwrap();
        let name = |file: std::io::Result<std::fs::DirEntry>| file.unwrap().file_name();
        files
            .map(|file| name(file).into_string().unwrap())
            .collect()
    }

    #[test]
    fn three_segments_tell_in_one_what_they_told() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("hot.duckdb"), 64 << 20).unwrap();
        five(&database);
        let reading = database.read().unwrap();
        let connection = &reading.connection;
        let before = (told(connection), files(folder.path()));
        merge_settled(&database, &retention()).unwrap();
        assert_eq!(told(connection), before.0);
        let records = |files: &BTreeSet<String>| {
            let records = files.iter().filter(|it| it.ends_with("records.parquet"));
            records.cloned().collect::<Vec<_>>()
        };
        let after = files(folder.path());
        assert_eq!(
            records(&after),
            records(&before.1),
            "they stay where they are"
        );
        // Five other kinds have rows; and there is `views.sql`.
        assert_eq!((before.1.len(), after.len()), (5 * 6, 5 + 3 * 5 + 1));
        assert!(
            due(&database, connection).is_none(),
            "there are three, and two are young"
        );
        // Files of records are looked into by their own times.
        let hour_of = |segment: i64| (segment * 100_000_000, segment * 100_000_000 + 9_000_000);
        let (from_us, to_us) = hour_of(2);
        let near = database.records_near(connection, from_us, to_us).unwrap();
        let sql = format!("SELECT count(*) FROM {near}");
        let count: u64 = connection.query_row(&sql, [], |row| row.get(0)).unwrap();
        assert_eq!(count, 10);
        drop(reading);
        database.close();
        let database = Database::open(&folder.path().join("hot.duckdb"), 64 << 20).unwrap();
        assert_eq!(told(&database.read().unwrap().connection), before.0);
        assert_eq!(files(folder.path()), after, "nothing is swept away");
    }

    #[test]
    fn whoever_is_forgotten_is_taken_out_of_the_files_that_hold_them() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("hot.duckdb"), 64 << 20).unwrap();
        five(&database);
        let reading = database.read().unwrap();
        let connection = &reading.connection;
        merge_settled(&database, &retention()).unwrap();
        let before = files(folder.path());
        let segment = manifest::list(connection).unwrap().remove(0);
        // Of the second segment.
        let one = "unhex(md5('23'))";
        let keep = format!("SELECT {one}");
        let keep = Keep::But(&keep);
        write_anew(&database, connection, &segment, &keep);
        for kind in ["records", "visit_parts", "param_parts", "shapes", "lookups"] {
            let sql = format!("SELECT count(*) FROM {kind} WHERE session = {one}");
            let left: u64 = connection.query_row(&sql, [], |row| row.get(0)).unwrap();
            assert_eq!(left, 0, "{kind}");
        }
        let records = "SELECT count(*) FROM records";
        let records: u64 = connection.query_row(records, [], |row| row.get(0)).unwrap();
        assert_eq!(records, 48);
        let after = files(folder.path());
        let anew: Vec<_> = after
            .difference(&before)
            .filter(|it| it.contains("-records"))
            .collect();
        assert_eq!(anew.len(), 1, "{anew:?}");
        assert!(anew[0].starts_with("00000000000000000299-"), "{anew:?}");
        // And all goes with its time.
        let segment = manifest::list(connection).unwrap().remove(0);
        let gone = write_anew(&database, connection, &segment, &Keep::Nothing);
        assert_eq!(gone, 3 + 5);
        let records = "SELECT count(*) FROM records";
        let records: u64 = connection.query_row(records, [], |row| row.get(0)).unwrap();
        assert_eq!(records, 20);
    }

    /// As version 15 wrote the records of all segments.
    fn as_15(database: &Database, connection: &Connection) {
        for file in files(database.folder.path.parent().unwrap()) {
            if !file.ends_with("records.parquet") {
                continue;
            }
            let path = database.folder.path.join(file);
            let before = path.with_extension("before");
            let sql = format!(
                r#"COPY (SELECT * REPLACE (to_json(list_transform(from_json(params, '[["VARCHAR"]]'), lambda it:
                    {{'name': it[1], 'value': it[2], 'kind': it[3], 'forgeable': false}}))::VARCHAR AS params)
                    FROM read_parquet({})) TO {} (FORMAT parquet)"#,
                quoted_path(&path),
                quoted_path(&before)
            );
            connection.execute_batch(&sql).unwrap();
            std::fs::rename(before, path).unwrap();
        }
        connection
            .execute_batch("UPDATE segments SET version = 15")
            .unwrap();
    }

    #[test]
    fn records_that_version_15_merged_are_read_and_written_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hot.duckdb");
        let database = Database::open(&path, 64 << 20).unwrap();
        five(&database);
        merge_settled(&database, &retention()).unwrap();
        let reading = database.read().unwrap();
        let before = told(&reading.connection);
        as_15(&database, &reading.connection);
        drop(reading);
        // What DuckDB has read of a file it keeps.
        database.close();
        let database = Database::open(&path, 64 << 20).unwrap();
        let reading = database.read().unwrap();
        let connection = &reading.connection;
        assert_eq!(told(connection), before);
        // Of the second segment, twice.
        for (session, requests, users) in [("23", 48, 12), ("24", 46, 11)] {
            let keep = format!("SELECT unhex(md5('{session}'))");
            let segment = manifest::list(connection).unwrap().remove(0);
            write_anew(&database, connection, &segment, &Keep::But(&keep));
            for figures in [
                "SELECT count(*), count(DISTINCT params[1].value) FROM records",
                "SELECT sum(requests), count(DISTINCT value) FROM param_parts",
            ] {
                let row = |row: &duckdb::Row<'_>| Ok((row.get(0)?, row.get(1)?));
                let found: (u64, u64) = connection.query_row(figures, [], row).unwrap();
                assert_eq!(found, (requests, users), "{figures}");
            }
        }
    }

    #[test]
    fn those_behind_what_fails_or_is_old_become_one() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("hot.duckdb"), 64 << 20).unwrap();
        closed(&database, 8);
        let reading = database.read().unwrap();
        let connection = &reading.connection;
        let first_after = |after| {
            let merge = due_after(&database, connection, after);
            merge.map(|it| it.members.iter().map(|it| it.end).collect::<Vec<_>>())
        };
        assert_eq!(first_after(0), Some(vec![199, 299, 399]));
        assert_eq!(first_after(399), Some(vec![499, 599, 699]));
        // The last two are young.
        assert_eq!(first_after(699), None);
        for (version, first) in [(16, 199), (15, 299)] {
            let sql = format!("UPDATE segments SET version = {version} WHERE end_position = 199");
            connection.execute_batch(&sql).unwrap();
            assert_eq!(first_after(0).unwrap()[0], first, "version {version}");
        }
    }

    #[test]
    fn what_changes_meanwhile_is_not_merged_and_nothing_is_left_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("hot.duckdb"), 64 << 20).unwrap();
        five(&database);
        let reading = database.read().unwrap();
        let connection = &reading.connection;
        let begun = |kinds: usize| {
            let mut merge = due(&database, connection).unwrap();
            for kind in ALL.iter().take(kinds) {
                merge.write(connection, &database.folder, kind).unwrap();
            }
            merge
        };
        let merge = begun(3);
        // The last of the three: it has the name that the merged one has, but for a number.
        let segment = manifest::list(connection).unwrap().remove(2);
        let keep = Keep::But("SELECT unhex(md5('33'))");
        write_anew(&database, connection, &segment, &keep);
        let (before, all) = (told(connection), 5 * 6);
        let changed = merge.commit(connection, &database.folder).unwrap();
        assert!(changed.is_none());
        assert_eq!(
            (files(folder.path()).len(), told(connection)),
            (all, before.clone())
        );
        // A crash leaves files of which nobody has heard.
        let crashed = begun(5);
        drop((crashed, reading));
        assert!(files(folder.path()).len() > all);
        database.close();
        let database = Database::open(&folder.path().join("hot.duckdb"), 64 << 20).unwrap();
        let reading = database.read().unwrap();
        let connection = &reading.connection;
        assert_eq!(
            (files(folder.path()).len(), told(connection)),
            (all, before)
        );
        // Where a file is missing, nothing makes it forgotten.
        let segment = manifest::list(connection).unwrap().remove(0);
        let kind = ALL.iter().find(|kind| kind.name == "shapes").unwrap();
        std::fs::remove_file(database.folder.path(&segment, kind)).unwrap();
        assert!(due(&database, connection).is_none());
    }
}
