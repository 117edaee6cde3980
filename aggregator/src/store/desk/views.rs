//! Saved views: a page of the web UI with its filter, under a name that all people share.

use duckdb::{Connection, params};

use super::{Outcome, is_full, taken};
use crate::store::commit::time;
use crate::store::database::StoreError;

/// Views kept.
pub const VIEWS_MAX: u64 = 500;

pub(super) fn put(
    connection: &Connection,
    name: &str,
    (page, query): (&str, &str),
    (author, now_us): (&str, i64),
) -> Result<Outcome, StoreError> {
    delete(connection, name)?;
    if is_full(connection, "saved_views", VIEWS_MAX)? {
        return Ok(Outcome::Full);
    }
    let row = params![name, page, query, author, time(now_us)];
    connection.execute("INSERT INTO saved_views VALUES (?, ?, ?, ?, ?)", row)?;
    Ok(Outcome::Done)
}

pub(super) fn delete(connection: &Connection, name: &str) -> Result<Outcome, StoreError> {
    let sql = "DELETE FROM saved_views WHERE name = ?";
    Ok(taken(connection.execute(sql, params![name])?))
}
