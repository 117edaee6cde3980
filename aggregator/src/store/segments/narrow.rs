//! A connection that looks into few files: those that can have anything of a stretch of time. To look
//! into one that has nothing costs several milliseconds, for all that its statistics say.

use duckdb::Connection;

use super::layout::ALL;
use super::manifest::{but, hides, hot, list, rows};
use crate::quoted::quoted_path;
use crate::store::database::{Database, StoreError};
use crate::store::scope::is_restricted;

impl Database {
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
        if is_restricted(connection)? {
            return Ok(());
        }
        let mut segments = list(connection)?;
        let count = segments.len();
        segments.retain(|segment| self.folder.overlaps(segment, from_us, to_us));
        let all = segments.len() == count;
        let hides = hides(connection)?;
        let mut sql = String::new();
        for kind in ALL.iter().filter(|kind| kinds.contains(&kind.name)) {
            if all {
                sql += &format!("DROP VIEW IF EXISTS temp.{};\n", kind.name);
                continue;
            }
            let but = if hides { but(kind) } else { String::new() };
            let path = |segment: &_| {
                let path = self.folder.path(segment, kind);
                path.is_file().then(|| quoted_path(&path))
            };
            if let Some(rows) = rows(kind, &segments, hot(kind), &but, &path) {
                sql += &format!("CREATE OR REPLACE TEMP VIEW {} AS {rows};\n", kind.name);
            }
        }
        Ok(connection.execute_batch(&sql)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{close_hot, restrict};
    use crate::tokens::Scope;

    /// A record of session `n`, `n` hours after the epoch.
    fn fill(connection: &Connection, n: u32) {
        let sql = format!(
            "INSERT INTO hot_records BY NAME
             SELECT {n} AS position, 1 AS boot, 0 AS worker, {n} AS sequence, 0 AS idx,
                make_timestamp({n} * 3_600_000_000) AS start, unhex(md5('{n}')) AS session,
                session AS request_session, start AS visit_start, 'shop' AS application,
                'cookie' AS key, 'g' AS capture_point, 'p' AS policy_version, 'n' AS node,
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
}
