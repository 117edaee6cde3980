//! Uploaded OpenAPI documents, one for each application.

use duckdb::{Connection, params};

use super::{Outcome, is_full, seen, taken};
use crate::endpoints::{DOCUMENTS_MAX, Document, Documents, Operations};
use crate::store::commit::time;
use crate::store::database::StoreError;

pub(super) fn put(
    connection: &Connection,
    application: &str,
    (text, operations): (&str, &Operations),
    (author, now_us): (&str, i64),
) -> Result<Outcome, StoreError> {
    delete(connection, application)?;
    if is_full(connection, "api_documents", DOCUMENTS_MAX)? {
        return Ok(Outcome::Full);
    }
    let row = params![
        application,
        operations.title,
        text,
        operations.list.len() as u64,
        author,
        time(now_us)
    ];
    connection.execute("INSERT INTO api_documents VALUES (?, ?, ?, ?, ?, ?)", row)?;
    let mut appender = connection.appender("api_operations")?;
    for (method, template) in &operations.list {
        appender.append_row(params![application, format!("{method} {template}")])?;
    }
    appender.flush()?;
    drop(appender);
    seen::mark(connection, application, Some(&Document::new(operations)))?;
    Ok(Outcome::Done)
}

pub(super) fn delete(connection: &Connection, application: &str) -> Result<Outcome, StoreError> {
    let sql = "DELETE FROM api_operations WHERE application = ?";
    connection.execute(sql, params![application])?;
    let sql = "DELETE FROM api_documents WHERE application = ?";
    let outcome = taken(connection.execute(sql, params![application])?);
    seen::mark(connection, application, None)?;
    Ok(outcome)
}

/// All documents that are stored, ready to be asked.
pub(super) fn load(connection: &Connection, documents: &Documents) -> Result<(), StoreError> {
    let mut statement = connection.prepare("SELECT application, document FROM api_documents")?;
    let row = |row: &duckdb::Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?));
    for row in statement.query_map([], row)? {
        let (application, text) = row?;
        match Operations::read(&text) {
            Ok(operations) => documents.set(&application, Some(Document::new(&operations))),
            Err(error) => {
                tracing::error!(%error, application, "a stored OpenAPI document cannot be read");
            }
        }
    }
    Ok(())
}
