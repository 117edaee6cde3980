//! Which sessions a page of the list shows: found among those that were active last, where that is
//! enough, before all of them are looked at.

use duckdb::types::Value;
use duckdb::{Connection, Row, params_from_iter};
use throughline_session::hex::Hex;
use throughline_session::wire::SessionId;

use super::sessions::at;
use crate::filters::{Clause, Seen, SessionFilter};
use crate::store::{Database, Found, StoreError};

/// Shares of the time that are looked at before all of it.
const SHARES: [i64; 2] = [256, 16];

/// Orders by which the sessions of a page are close together in time: the column that is ordered by.
const BY_TIME: [(&str, &str); 2] = [("epoch_us(last)", "last"), ("epoch_us(first)", "first")];

/// Sessions in order.
#[derive(Debug, Clone)]
pub(super) struct Listing<'a> {
    /// Which.
    pub(super) filter: &'a SessionFilter,
    /// SQL of what they are ordered by.
    pub(super) by: &'a str,
    /// The least comes first.
    pub(super) ascending: bool,
    /// Where the page before ended.
    pub(super) after: Option<(Value, SessionId)>,
    /// How many.
    pub(super) limit: usize,
    /// The log position up to which sessions are summed.
    pub(super) seen_to: u64,
}

/// A stretch of what the list is ordered by, and where the log begins that its sessions are in.
struct Window {
    condition: Clause,
    since: u64,
}

impl Listing<'_> {
    /// Finds them, each with what it is ordered by. Within a transaction.
    pub(super) fn find(
        &self,
        connection: &Connection,
        database: &Database,
    ) -> Result<Vec<(Found, Value)>, StoreError> {
        let all = self.filter.selection_in_steps(Seen::to(self.seen_to));
        if self.filter.is_of_rows() && !self.by.contains("SELECT") {
            // DuckDB skips rows that cannot be among the first as long as nothing is joined to them.
            return self.read(connection, all);
        }
        let column = BY_TIME.iter().find(|(by, _)| *by == self.by);
        if let Some((_, column)) = column.filter(|_| self.filter.is_wide()) {
            for share in SHARES {
                let Some(window) = self.window(connection, database, column, share)? else {
                    break;
                };
                let seen = Seen {
                    since: window.since,
                    ..Seen::to(self.seen_to)
                };
                let filter = self.filter.selection_in_steps(seen);
                database.find(connection, &filter)?;
                let chosen = Clause::all([window.condition, filter]);
                let found = self.read(connection, chosen)?;
                // Whoever is not in the window comes after all that are.
                if found.len() >= self.limit {
                    return Ok(found);
                }
            }
        }
        database.find(connection, &all)?;
        self.read(connection, all)
    }

    /// The first stretch of the list, so long that one in `share` of the time is in it; `None` where
    /// there are no sessions.
    fn window(
        &self,
        connection: &Connection,
        database: &Database,
        column: &str,
        share: i64,
    ) -> Result<Option<Window>, StoreError> {
        let sql =
            format!("SELECT epoch_us(min({column})), epoch_us(max({column})) FROM session_sums");
        let ends: (Option<i64>, Option<i64>) =
            connection.query_row(&sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let (Some(mut low_us), Some(mut high_us)) = ends else {
            return Ok(None);
        };
        // What the filter and the cursor leave: `from` is about the last request, `to` the first.
        match column {
            "last" => low_us = low_us.max(self.filter.from_us.unwrap_or(low_us)),
            _ => high_us = high_us.min(self.filter.to_us.unwrap_or(high_us)),
        }
        if let Some((Value::BigInt(value), _)) = &self.after {
            if self.ascending {
                low_us = low_us.max(*value);
            } else {
                high_us = high_us.min(*value);
            }
        }
        let part_us = high_us.saturating_sub(low_us).max(0) / share;
        let (mut from_us, mut to_us) = if self.ascending {
            (low_us, low_us.saturating_add(part_us))
        } else {
            (high_us.saturating_sub(part_us), high_us)
        };
        // At the second look, at least as far as to a segment that may have what is asked for.
        if let Some(needs) = self.filter.needs().filter(|_| share < SHARES[0]) {
            if self.ascending {
                let end_us = database.next_with(&needs, from_us, false);
                to_us = to_us.max(end_us.unwrap_or(to_us));
            } else {
                let start_us = database.next_with(&needs, to_us, true);
                from_us = from_us.min(start_us.unwrap_or(from_us));
            }
        }
        let condition = Clause::new(
            format!("{column} >= ? AND {column} <= ?"),
            [at(from_us), at(to_us)],
        );
        let sql = format!(
            "SELECT epoch_us(min(first)) FROM session_sums WHERE {}",
            condition.sql
        );
        let first_us: Option<i64> = connection.query_row(&sql, [], |row| row.get(0))?;
        Ok(Some(Window {
            condition,
            since: first_us.map_or(0, |first_us| database.position_since(first_us)),
        }))
    }

    /// The order that is asked for: what lies behind a value, and SQL's word.
    fn direction(&self) -> (&'static str, &'static str) {
        if self.ascending {
            (">", "ASC")
        } else {
            ("<", "DESC")
        }
    }

    /// The first of those `chosen`.
    fn read(
        &self,
        connection: &Connection,
        chosen: Clause,
    ) -> Result<Vec<(Found, Value)>, StoreError> {
        let chosen = Clause::all([Some(chosen), self.after()].into_iter().flatten());
        let (by, (_, direction)) = (self.by, self.direction());
        let column = BY_TIME.iter().find(|(sql, _)| *sql == by);
        let sql = format!(
            "SELECT session, {by}, epoch_us(last) FROM session_sums AS session_now WHERE {}
             ORDER BY {} {direction}, session {direction} LIMIT {}",
            chosen.sql,
            column.map_or(by, |(_, column)| column),
            self.limit
        );
        let mut statement = connection.prepare(&sql)?;
        let read = |row: &Row<'_>| {
            let bytes: Vec<u8> = row.get(0)?;
            let found = Found {
                // The column holds nothing else.
                session: Hex(bytes.try_into().unwrap_or_default()),
                last_us: row.get(2)?,
            };
            Ok((found, row.get(1)?))
        };
        let rows = statement.query_map(params_from_iter(chosen.values), read)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// What comes after the page before.
    fn after(&self) -> Option<Clause> {
        let (by, (beyond, _)) = (self.by, self.direction());
        self.after.as_ref().map(|(value, session)| {
            Clause::new(
                format!("{by} {beyond} ? OR ({by} = ? AND session {beyond} ?)"),
                [
                    value.clone(),
                    value.clone(),
                    Value::Blob(session.0.to_vec()),
                ],
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::close_hot;

    /// Sessions `from` to `to`: number n has two requests, n and n + 40 seconds after the epoch.
    fn fill(connection: &Connection, from: u64, to: u64) {
        let sql = format!(
            "INSERT INTO hot_records BY NAME
             SELECT n * 10 + k AS position, 1 AS boot, 0 AS worker, n AS sequence, k AS idx,
                make_timestamp((n + 40 * k) * 1_000_000) AS start,
                unhex(md5(n::VARCHAR)) AS session, session AS request_session,
                make_timestamp(n * 1_000_000) AS visit_start, 'shop' AS application,
                'cookie' AS key, 'gateway' AS capture_point, 'p' AS policy_version, 'n' AS node,
                'GET' AS method, '/a' || n % 50 AS path, '' AS flags, 0 AS request_bytes,
                0 AS response_bytes, 0 AS duration_us,
                CASE WHEN n % 7 = 0 AND k = 0 THEN 503 WHEN n = 3 THEN 418 ELSE 200 END AS status
             FROM range({from}, {to}) a(n), range(2) b(k);
             INSERT INTO hot_visit_parts BY NAME
             SELECT {to} * 10 AS position, session, visit_start, application, key,
                min(start) AS first, max(start) AS last, count(*) AS requests, 0 AS errors_4xx,
                0 AS errors_5xx, 0 AS request_bytes, 0 AS response_bytes, 0 AS duration_us,
                ['10.0.' || max(sequence) % 3 || '.1'] AS ips, ['ua'] AS user_agents, false AS more,
                max(sequence) AS ordinal, max(start) AS arrived, ['p'] AS policy_versions
             FROM hot_records WHERE sequence >= {from} GROUP BY session, visit_start, application, key;"
        );
        connection.execute_batch(&sql).unwrap();
    }

    /// Pages of the list, one after the other, hold what the whole of it does.
    fn check(connection: &Connection, database: &Database, text: &str, by: &str, ascending: bool) {
        let filter = SessionFilter::parse(text, 0).unwrap();
        let mut listing = Listing {
            filter: &filter,
            by,
            ascending,
            after: None,
            limit: 30,
            seen_to: u64::MAX >> 1,
        };
        let all = filter.selection(Seen::to(listing.seen_to));
        connection.execute_batch("BEGIN TRANSACTION").unwrap();
        let whole = Listing {
            limit: 10_000,
            ..listing.clone()
        };
        let expected = whole.read(connection, all).unwrap();
        connection.execute_batch("ROLLBACK").unwrap();
        assert!(!expected.is_empty(), "{text}");
        let mut found = Vec::new();
        loop {
            // Each page is a transaction of its own, as answers are.
            connection.execute_batch("BEGIN TRANSACTION").unwrap();
            let page = listing.find(connection, database).unwrap();
            connection.execute_batch("ROLLBACK").unwrap();
            let last = page.last().map(|(found, by)| (by.clone(), found.session));
            let more = page.len() == listing.limit;
            found.extend(page);
            if !more {
                break;
            }
            listing.after = last;
        }
        assert_eq!(found, expected, "{text} by {by}, ascending: {ascending}");
    }

    #[test]
    fn the_latest_sessions_are_the_first_of_all() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("hot.duckdb"), 512 << 20).unwrap();
        let reading = database.read().unwrap();
        let connection = &reading.connection;
        for from in [0, 1000, 2000] {
            fill(connection, from, from + 1000);
            close_hot(&database).unwrap();
        }
        fill(connection, 3000, 3100);
        // Some that are settled are active again, and are not folded yet.
        let again = "INSERT INTO hot_visit_parts BY NAME
            SELECT * REPLACE (31001 AS position, last + INTERVAL 2000 SECOND AS last)
            FROM visit_parts ORDER BY hash(session) LIMIT 60";
        connection.execute_batch(again).unwrap();
        assert_eq!(database.position_since(0), 0);
        // The last request of the second segment is 2,039 s after the epoch.
        assert_eq!(database.position_since(2_040_000_000), 20_000);
        assert_eq!(database.position_since(2_039_000_000), 10_000);
        for text in [
            "status:503",
            "-status:503",
            "status:418",
            "path:/a1*",
            "path:/a7 status:503",
            "",
            "ip:10.0.1.0/24",
            "requests>=2 to:1970-01-01T00:40:00Z",
            "capture:gateway",
            "status:503 from:1970-01-01T00:10:00Z to:1970-01-01T00:40:00Z",
        ] {
            for (by, _) in BY_TIME {
                for ascending in [false, true] {
                    check(connection, &database, text, by, ascending);
                }
            }
        }
    }
}
