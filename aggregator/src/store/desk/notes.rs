//! Notes on sessions: labels to find them by, and words.

use duckdb::types::Value;
use duckdb::{Connection, params_from_iter};
use throughline_session::wire::SessionId;

use super::{Outcome, is_full, take};
use crate::store::database::StoreError;

/// Sessions with a note.
pub const NOTES_MAX: u64 = 10_000;

pub(super) fn put(
    connection: &Connection,
    session: SessionId,
    labels: &[String],
    (note, author, now_us): (&str, &str, i64),
) -> Result<Outcome, StoreError> {
    take(connection, "notes", session)?;
    if is_full(connection, "notes", NOTES_MAX)? {
        return Ok(Outcome::Full);
    }
    // No list can stand for a question mark: one for each of its items.
    let marks = vec!["?"; labels.len()].join(", ");
    let sql = format!(
        "INSERT INTO notes VALUES (?, [{marks}]::VARCHAR[], ?, ?, {})",
        at(now_us)
    );
    let labels = labels.iter().cloned().map(Value::Text);
    let values = std::iter::once(Value::Blob(session.0.to_vec()))
        .chain(labels)
        .chain([Value::Text(note.into()), Value::Text(author.into())]);
    connection.execute(&sql, params_from_iter(values))?;
    Ok(Outcome::Done)
}

fn at(now_us: i64) -> String {
    format!("make_timestamp({now_us})")
}

/// A note is gone when nothing is left of its session.
pub(super) fn expire(connection: &Connection) -> Result<(), StoreError> {
    let any = "SELECT count(*) FROM notes";
    let any: u64 = connection.query_row(any, [], |row| row.get(0))?;
    if any > 0 {
        connection.execute_batch(
            "DELETE FROM notes WHERE session NOT IN (SELECT session FROM session_sums
                UNION ALL SELECT session FROM hot_visit_parts)",
        )?;
    }
    Ok(())
}
