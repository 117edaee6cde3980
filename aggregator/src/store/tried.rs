//! DuckDB → record, twice: those of a candidate's sampled clients, as they are and regrouped.

use duckdb::{Connection, Row, params};

use super::database::StoreError;
use super::replay::{COLUMNS, id, links, record};
use crate::verdicts::Tried;

/// Rows read at once: each time, the files of closed segments are gone through.
const ROWS: u64 = 20_000;
/// Columns of `records` before those of `trials`.
const OF_RECORD: usize = 31;

/// The stored trials of a candidate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StoredTrials {
    /// All of them.
    pub rows: u64,
    /// Those that do not say which record they belong to: stored by an earlier version.
    pub unplaced: u64,
    /// Log position where those to be read begin.
    pub start: u64,
    /// Log position after the last one.
    pub end: u64,
}

impl StoredTrials {
    /// What is stored of `candidate`; its latest `most` trials are to be read.
    ///
    /// # Errors
    /// When DuckDB refuses.
    pub fn of(connection: &Connection, candidate: &str, most: u64) -> Result<Self, StoreError> {
        let sql = "SELECT count(*)::UBIGINT, (count(*) - count(idx))::UBIGINT,
            (coalesce(max(position) + 1, 0))::UBIGINT FROM trials WHERE candidate = ?";
        let (rows, unplaced, end) = connection.query_row(sql, [candidate], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?;
        let sql = "SELECT coalesce(min(position), 0)::UBIGINT FROM (SELECT position FROM trials
            WHERE candidate = ? AND idx IS NOT NULL ORDER BY position DESC LIMIT ?)";
        let start = connection.query_row(sql, params![candidate, most], |row| row.get(0))?;
        Ok(Self {
            rows,
            unplaced,
            start,
            end,
        })
    }

    /// Reads trials from `from` on, with their records, in log order; and where to go on, `None`
    /// when these were the last.
    ///
    /// # Errors
    /// When DuckDB refuses.
    pub fn read(
        &self,
        connection: &Connection,
        candidate: &str,
        from: u64,
    ) -> Result<(Vec<Tried>, Option<u64>), StoreError> {
        // Whole batches only: those of the first rows.
        let sql = "SELECT max(position) FROM (SELECT position FROM trials
            WHERE candidate = ? AND position >= ? AND position < ? ORDER BY position LIMIT ?)";
        let given = params![candidate, from, self.end, ROWS];
        let last: Option<u64> = connection.query_row(sql, given, |row| row.get(0))?;
        let Some(last) = last else {
            return Ok((Vec::new(), None));
        };
        let sql = format!(
            "SELECT {COLUMNS}, client, trial_session, trial_request_session, trial_application,
                trial_key, trial_links
             FROM records JOIN (
                SELECT position AS tried_position, idx AS tried_idx, client, trial_session, trial_request_session,
                    trial_application, trial_key, trial_links
                FROM trials WHERE candidate = ? AND position BETWEEN ? AND ?
             ) ON position = tried_position AND idx = tried_idx
             WHERE position BETWEEN ? AND ? ORDER BY position, idx"
        );
        let mut statement = connection.prepare(&sql)?;
        let given = params![candidate, from, last, from, last];
        let found = statement.query_map(given, tried)?;
        let next = Some(last + 1).filter(|next| *next < self.end);
        Ok((found.collect::<Result<_, _>>()?, next))
    }
}

fn tried(row: &Row<'_>) -> duckdb::Result<Tried> {
    let (place, now) = record(row)?;
    let mut then = now.clone();
    then.session = id(row, OF_RECORD + 1)?;
    then.request_session = id(row, OF_RECORD + 2)?;
    then.application = row.get::<_, String>(OF_RECORD + 3)?.into();
    then.key = row.get::<_, String>(OF_RECORD + 4)?.into();
    then.links = links(row.get(OF_RECORD + 5)?);
    Ok(Tried {
        place,
        client: row.get(OF_RECORD)?,
        now,
        then,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Database;

    #[test]
    fn the_latest_are_read_and_old_rows_counted() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("hot.duckdb"), 64 << 20).unwrap();
        let reading = database.read().unwrap();
        let connection = &reading.connection;
        // Ten rows of before there was an index, then 100 batches of three records.
        connection
            .execute_batch(
                "INSERT INTO trials SELECT range, now(), 'c', 1, '', '', '', '', '', NULL, NULL, '', []
                    FROM range(10);
                 INSERT INTO trials SELECT 10 + range // 3, now(), 'c', 1, '', '', '', '', '', NULL,
                    range % 3, '', [] FROM range(300);
                 INSERT INTO trials SELECT 999, now(), 'other', 1, '', '', '', '', '', NULL, 0, '', []",
            )
            .unwrap();
        let of = |most| StoredTrials::of(connection, "c", most).unwrap();
        let all = StoredTrials {
            rows: 310,
            unplaced: 10,
            start: 10,
            end: 110,
        };
        assert_eq!(of(1_000), all);
        // A whole batch more rather than a part of one.
        assert_eq!(of(30).start, 100);
        assert_eq!(of(31).start, 99);
        let none = StoredTrials::of(connection, "d", 5).unwrap();
        assert_eq!(
            (none, none.read(connection, "d", 0).unwrap().1),
            (StoredTrials::default(), None)
        );
    }
}
