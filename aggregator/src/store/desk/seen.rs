//! records → endpoints seen: when each was asked for first and last, and which operation of its
//! application's document it is. Records may go; that an endpoint is old is known for longer.

use duckdb::{Connection, params};

use crate::endpoints::{Document, Documents, NO_PATH, UNKNOWN};
use crate::store::database::StoreError;

/// Endpoints remembered: those asked for last.
const SEEN_MAX: u64 = 50_000;

/// Takes in what was stored since the last time; within a transaction.
pub(super) fn fold(connection: &Connection, documents: &Documents) -> Result<(), StoreError> {
    let sql =
        "SELECT (SELECT position FROM endpoints_seen_to), (SELECT position FROM log_position),
        (SELECT coalesce(max(end_position), 0)::UBIGINT FROM segments)";
    let read = |row: &duckdb::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    let (from, to, closed): (u64, u64, u64) = connection.query_row(sql, [], read)?;
    if from >= to {
        return Ok(());
    }
    // What was closed before it was looked at is in files.
    let rows = if from < closed {
        "records"
    } else {
        "hot_records"
    };
    connection.execute_batch(&format!(
        "CREATE OR REPLACE TEMP TABLE seen_now AS
            SELECT application, endpoint, min(start) AS first, max(start) AS last FROM {rows}
            WHERE position >= {from} AND position < {to} AND endpoint IS NOT NULL
              AND NOT ends_with(endpoint, '{UNKNOWN}') AND NOT ends_with(endpoint, '{NO_PATH}')
            GROUP BY ALL;
         UPDATE endpoints_seen AS old SET first = least(old.first, now.first),
                last = greatest(old.last, now.last)
            FROM seen_now AS now
            WHERE old.application = now.application AND old.endpoint = now.endpoint;"
    ))?;
    insert_new(connection, documents)?;
    connection.execute_batch("DROP TABLE seen_now")?;
    connection.execute("UPDATE endpoints_seen_to SET position = ?", params![to])?;
    Ok(())
}

fn insert_new(connection: &Connection, documents: &Documents) -> Result<(), StoreError> {
    let sql = "SELECT application, endpoint, epoch_us(first), epoch_us(last)
        FROM seen_now ANTI JOIN endpoints_seen USING (application, endpoint)";
    let mut statement = connection.prepare(sql)?;
    let row = |row: &duckdb::Row<'_>| {
        let (application, endpoint): (String, String) = (row.get(0)?, row.get(1)?);
        Ok((
            application,
            endpoint,
            row.get::<_, i64>(2)?,
            row.get::<_, i64>(3)?,
        ))
    };
    let new: Vec<_> = statement.query_map([], row)?.collect::<Result<_, _>>()?;
    drop(statement);
    if new.is_empty() {
        return Ok(());
    }
    let mut appender = connection.appender("endpoints_seen")?;
    for (application, endpoint, first_us, last_us) in new {
        let document = documents.of(&application);
        let operation = document.and_then(|document| document.operation(&endpoint));
        let (first, last) = (super::time(first_us), super::time(last_us));
        let row = params![application, endpoint, first, last, operation.as_deref()];
        appender.append_row(row)?;
    }
    Ok(appender.flush()?)
}

/// Says of every endpoint of `application` which operation it is.
pub(super) fn mark(
    connection: &Connection,
    application: &str,
    document: Option<&Document>,
) -> Result<(), StoreError> {
    let sql = "UPDATE endpoints_seen SET operation = NULL WHERE application = ?";
    connection.execute(sql, params![application])?;
    let Some(document) = document else {
        return Ok(());
    };
    let mut statement =
        connection.prepare("SELECT endpoint FROM endpoints_seen WHERE application = ?")?;
    let rows = statement.query_map(params![application], |row| row.get::<_, String>(0))?;
    let endpoints: Vec<_> = rows.collect::<Result<_, _>>()?;
    let sql = "UPDATE endpoints_seen SET operation = ? WHERE application = ? AND endpoint = ?";
    let mut update = connection.prepare(sql)?;
    for endpoint in endpoints {
        if let Some(operation) = document.operation(&endpoint) {
            update.execute(params![&*operation, application, endpoint])?;
        }
    }
    Ok(())
}

/// Forgets those that nobody asked for in the longest time, where there are too many.
pub(super) fn expire(connection: &Connection) -> Result<(), StoreError> {
    let sql = "DELETE FROM endpoints_seen WHERE last < (
            SELECT last FROM endpoints_seen ORDER BY last DESC LIMIT 1 OFFSET ?)";
    let gone = connection.execute(sql, params![SEEN_MAX - 1])?;
    if gone > 0 {
        tracing::warn!(
            endpoints = gone,
            most = SEEN_MAX,
            "too many endpoints: those asked for longest ago would count as new if they came back"
        );
    }
    Ok(())
}
