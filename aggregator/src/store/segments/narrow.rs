//! A connection that looks into few files: those that can have anything of a stretch of time. To look
//! into one that has nothing costs several milliseconds, for all that its statistics say.

use duckdb::Connection;

use super::layout::{ALL, Kind, SUMMED_SINCE};
use super::manifest::{Segment, Times, Within, but, closed, hides, hot, list, rows};
use crate::filters::{Clause, Needs};
use crate::store::database::{Database, StoreError};
use crate::store::scope::is_restricted;

impl Database {
    /// What closed segments have between these times, microseconds since the Unix epoch: as of the last
    /// segment, and not of any transaction. `None` where `connection` shows some applications only.
    ///
    /// # Errors
    /// When DuckDB refuses.
    pub fn within(
        &self,
        connection: &Connection,
        from_us: i64,
        to_us: i64,
    ) -> Result<Option<Within>, StoreError> {
        let all = !is_restricted(connection)?;
        Ok(all.then(|| self.folder.within(from_us, to_us)))
    }

    /// Whether all of these times is in the sums of endpoints, as the transaction sees it; `false` where
    /// `connection` shows some applications only.
    ///
    /// # Errors
    /// When DuckDB refuses.
    pub fn summed(
        &self,
        connection: &Connection,
        from_us: i64,
        to_us: i64,
    ) -> Result<bool, StoreError> {
        let near = self.near(connection, from_us, to_us)?;
        let summed = |segment: &Segment| segment.version >= SUMMED_SINCE;
        Ok(near.is_some_and(|near| near.segments.iter().all(summed)))
    }

    /// Has the views `kinds` of `connection` leave out files of which all records started before
    /// `from_us` or after `to_us`, microseconds since the Unix epoch. Within a transaction, which
    /// also sees the rows. A connection that shows some applications only stays as it is.
    ///
    /// # Errors
    /// When DuckDB refuses.
    pub fn narrow(
        &self,
        connection: &Connection,
        kinds: &[&str],
        from_us: i64,
        to_us: i64,
    ) -> Result<(), StoreError> {
        let Some(near) = self.near(connection, from_us, to_us)? else {
            return Ok(());
        };
        let mut sql = String::new();
        for kind in ALL.iter().filter(|kind| kinds.contains(&kind.name)) {
            if near.all {
                sql += &format!("DROP VIEW IF EXISTS temp.{};\n", kind.name);
            } else if let Some(rows) = self.rows_near(kind, &near) {
                sql += &format!("CREATE OR REPLACE TEMP VIEW {} AS {rows};\n", kind.name);
            }
        }
        Ok(connection.execute_batch(&sql)?)
    }

    /// The records of such files, for FROM: where there is one question only, it is quicker to put
    /// them into it than to make a view.
    ///
    /// # Errors
    /// When DuckDB refuses.
    pub fn records_near(
        &self,
        connection: &Connection,
        from_us: i64,
        to_us: i64,
    ) -> Result<String, StoreError> {
        let near = self.near(connection, from_us, to_us)?;
        Ok(self.rows_for("records", near))
    }

    /// Finds the sessions that `clause` asks for, in the segments that can have them. Within a
    /// transaction.
    ///
    /// # Errors
    /// When DuckDB refuses.
    pub fn find(&self, connection: &Connection, clause: &Clause) -> Result<(), StoreError> {
        clause.find(connection, |needs, seen| {
            let limits = seen.of_records();
            let near = self.near(connection, i64::MIN, i64::MAX)?;
            let kind = ALL.iter().find(|kind| kind.name == "shapes");
            let Some((mut near, kind)) = near.zip(kind) else {
                return Ok(format!("(FROM shapes WHERE {limits})"));
            };
            near.segments
                .retain(|it| it.end > seen.since && self.folder.may_have(it, needs));
            // Of files all is seen most often, and is not asked for its position then.
            let hot = format!("SELECT * FROM ({}) WHERE {limits}", hot(kind, near.closed));
            let rows = self.rows_of(kind, &near, hot).unwrap_or_default();
            // Of a merged one what came before too is in the file.
            let begins = |it: &Segment| it.parts.first().map(|it| it.stretch.end);
            let before = |it: &Segment| begins(it).is_some_and(|end| end <= seen.since);
            let all = seen.position >= near.closed && !near.segments.iter().any(before);
            Ok(if !all {
                format!("(FROM ({rows}) WHERE {limits})")
            } else {
                format!("({rows})")
            })
        })
    }

    /// Where the last of the segments that begin before `at_us` and may have what is needed begins,
    /// microseconds since the Unix epoch; forwards, where the first that ends after it ends.
    #[must_use]
    pub fn next_with(&self, needs: &Needs, at_us: i64, backwards: bool) -> Option<i64> {
        self.folder.next_with(needs, at_us, backwards)
    }

    /// `None` where `connection` shows some applications only.
    fn near(
        &self,
        connection: &Connection,
        from_us: i64,
        to_us: i64,
    ) -> Result<Option<Near>, StoreError> {
        if is_restricted(connection)? {
            return Ok(None);
        }
        let mut segments = list(connection)?;
        let (count, closed, times) = (segments.len(), closed(&segments), (from_us, to_us));
        segments.retain(|segment| self.folder.overlaps(segment, times));
        Ok(Some(Near {
            all: segments.len() == count && segments.iter().all(|it| it.is_whole(times)),
            segments,
            closed,
            times,
            hides: hides(connection)?,
        }))
    }

    /// The rows of the kind `name` for FROM; of all segments where it is not known which are near.
    fn rows_for(&self, name: &str, near: Option<Near>) -> String {
        let kind = ALL.iter().find(|kind| kind.name == name);
        let rows = near.zip(kind);
        let rows = rows.and_then(|(near, kind)| self.rows_near(kind, &near));
        rows.map_or(name.into(), |rows| format!("({rows})"))
    }

    fn rows_near(&self, kind: &Kind, near: &Near) -> Option<String> {
        self.rows_of(kind, near, hot(kind, near.closed))
    }

    fn rows_of(&self, kind: &Kind, near: &Near, hot: String) -> Option<String> {
        let but = if near.hides { but(kind) } else { String::new() };
        let there = |segment: &_, kind: &_| self.folder.there(segment, kind, near.times);
        rows(kind, &near.segments, Some(hot), &but, &there)
    }
}

/// Segments that may have records of a stretch of time.
struct Near {
    segments: Vec<Segment>,
    /// Where the last of all segments ends.
    closed: u64,
    times: Times,
    /// These are all.
    all: bool,
    /// They hold sessions that are to be forgotten.
    hides: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filters::{Seen, SessionFilter};
    use crate::store::{close_hot, restrict};
    use crate::tokens::Scope;

    /// A record of session `n`, `n` hours after the epoch.
    fn fill(connection: &Connection, n: u32) {
        let sql = format!(
            "INSERT INTO hot_records BY NAME
             SELECT {n} AS position, 1 AS boot, 0 AS worker, {n} AS sequence, 0 AS idx,
                make_timestamp({n} * 3_600_000_000) AS start, unhex(md5('{n}')) AS session,
                session AS request_session, start AS visit_start, 'shop' AS application,
                'cookie' AS key, 'g{n}' AS capture_point, 'p' AS policy_version, 'n' AS node,
                '' AS flags, 0 AS request_bytes, 0 AS response_bytes, 0 AS duration_us;
             INSERT INTO hot_visit_parts BY NAME
             SELECT {n} + 1 AS position, session, visit_start, application, key, start AS first,
                start AS last, 1 AS requests, 0 AS errors_4xx, 0 AS errors_5xx, 0 AS request_bytes,
                0 AS response_bytes, 0 AS duration_us, ['10.0.0.1'] AS ips, ['ua'] AS user_agents,
                false AS more, {n} AS ordinal, start AS arrived, ['p'] AS policy_versions
             FROM hot_records;"
        );
        connection.execute_batch(&sql).unwrap();
    }

    fn seen(connection: &Connection, view: &str) -> String {
        let sql =
            format!("SELECT coalesce(string_agg(position, ' ' ORDER BY position), '') FROM {view}");
        connection.query_row(&sql, [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn files_of_another_time_are_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("hot.duckdb"), 64 << 20).unwrap();
        let reading = database.read().unwrap();
        let connection = &reading.connection;
        for n in [1, 2, 3] {
            fill(connection, n);
            close_hot(&database).unwrap();
        }
        fill(connection, 4);
        let hour = |n: i64| n * 3_600_000_000;
        let narrow = |from_us, to_us| database.narrow(connection, &["records"], from_us, to_us);
        connection.execute_batch("BEGIN TRANSACTION").unwrap();
        for (from_us, to_us, records) in [
            (hour(2), hour(2), "2 4"),
            (hour(2) + 1, hour(3) - 1, "4"),
            (hour(1), i64::MAX, "1 2 3 4"),
            (hour(3), i64::MAX, "3 4"),
            (i64::MIN, hour(2), "1 2 4"),
        ] {
            narrow(from_us, to_us).unwrap();
            assert_eq!(seen(connection, "records"), records, "{from_us} to {to_us}");
            assert_eq!(seen(connection, "visit_parts"), "2 3 4 5", "not asked for");
        }
        connection.execute_batch("ROLLBACK").unwrap();
        let forget = "INSERT INTO forgotten_sessions VALUES (unhex(md5('2')))";
        connection.execute_batch(forget).unwrap();
        narrow(hour(2), hour(2)).unwrap();
        assert_eq!(seen(connection, "records"), "4", "forgotten");
        let limited = database.read().unwrap();
        restrict(&limited.connection, &Scope::of(&["bank".into()])).unwrap();
        database
            .narrow(&limited.connection, &["records"], hour(2), hour(2))
            .unwrap();
        assert_eq!(
            seen(&limited.connection, "records"),
            "",
            "another application's"
        );
    }

    #[test]
    fn segments_that_cannot_have_it_are_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("hot.duckdb"), 64 << 20).unwrap();
        let reading = database.read().unwrap();
        let connection = &reading.connection;
        for n in [1, 2, 3] {
            fill(connection, n);
            close_hot(&database).unwrap();
        }
        fill(connection, 4);
        let hour = |n: i64| n * 3_600_000_000;
        for (q, may_have, before, after) in [
            ("capture:g2", vec![2], Some(2), Some(2)),
            ("capture:g*", vec![1, 2, 3], Some(3), Some(1)),
            ("-capture:g2 capture:g1,g3", vec![1, 3], Some(3), Some(1)),
            ("capture:g4", vec![], None, None),
            ("took>=1ms", vec![], None, None),
            ("took<1ms path:/a", vec![1, 2, 3], Some(3), Some(1)),
        ] {
            let filter = SessionFilter::parse(q, 0).unwrap();
            let needs = filter.needs().unwrap();
            let mut segments = list(connection).unwrap();
            segments.retain(|it| database.folder.may_have(it, &needs));
            let ends: Vec<_> = segments.iter().map(|it| it.end - 1).collect();
            assert_eq!(ends, may_have, "{q}");
            assert_eq!(
                database.next_with(&needs, hour(9), true),
                before.map(hour),
                "{q}"
            );
            assert_eq!(
                database.next_with(&needs, hour(0), false),
                after.map(hour),
                "{q}"
            );
            connection.execute_batch("BEGIN TRANSACTION").unwrap();
            let clause = filter.selection_in_steps(Seen::to(9));
            database.find(connection, &clause).unwrap();
            let sql = format!("SELECT count(*) FROM session_rows WHERE {}", clause.sql);
            let found: usize = connection.query_row(&sql, [], |row| row.get(0)).unwrap();
            connection.execute_batch("ROLLBACK").unwrap();
            // What is hot is looked at in any case; there is no path.
            let hot = usize::from(["capture:g4", "capture:g*"].contains(&q));
            let closed = if q.contains("path") {
                0
            } else {
                may_have.len()
            };
            assert_eq!(found, closed + hot, "{q}");
        }
    }
}
