//! people → store: what they put beside what was recorded — pins, notes, saved views, OpenAPI documents —
//! and an entry for the audit log with each, in one transaction.
//!
//! The compactor's thread does it: it is the only one that takes rows out, and what goes with a
//! session must not come back behind it.

mod documents;
mod notes;
mod seen;
mod views;

use duckdb::{Connection, params};
use throughline_session::wire::SessionId;

use super::commit::time;
use super::database::{Database, StoreError};
use super::segments::transaction;
use crate::endpoints::{Document, Documents, Operations};

pub use notes::NOTES_MAX;
pub use views::VIEWS_MAX;

/// Entries for the audit log that are kept: the latest ones.
const DEEDS_MAX: u64 = 10_000;

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// Keep a session beyond its time.
    Pin(SessionId),
    /// Let a session go when its time has come.
    Unpin(SessionId),
    /// Say something of a session, in place of what was said before.
    Note {
        /// Which one.
        session: SessionId,
        /// Words to find it by.
        labels: Vec<String>,
        /// Anything else.
        note: String,
    },
    /// Take back what was said of a session.
    DropNote(SessionId),
    /// Keep a page with its filter under a name, in place of what had the name before.
    SaveView {
        /// The name.
        name: String,
        /// Path of the page.
        page: String,
        /// Its query string.
        query: String,
    },
    /// Forget a saved view.
    DropView(String),
    /// Keep what describes the API of an application.
    PutDocument {
        /// Of which.
        application: String,
        /// As it was uploaded.
        text: String,
        /// What was read of it.
        operations: Operations,
    },
    /// Forget what describes the API of an application.
    DropDocument(String),
}

/// Who does it, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doer {
    /// As they call themselves.
    pub author: String,
    /// In their words.
    pub comment: String,
}

impl Doer {
    /// Without a reason.
    #[must_use]
    pub fn new(author: &str) -> Self {
        Self {
            author: author.to_owned(),
            comment: String::new(),
        }
    }
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is done and durable.
    Done,
    /// What was to be taken away was not there.
    Nothing,
    /// There are as many as there may be.
    Full,
}

impl Deed {
    /// Its word in the audit log.
    #[must_use]
    pub fn action(&self) -> &'static str {
        match self {
            Self::Pin(_) => "session_pinned",
            Self::Unpin(_) => "session_unpinned",
            Self::Note { .. } => "session_noted",
            Self::DropNote(_) => "session_note_deleted",
            Self::SaveView { .. } => "view_saved",
            Self::DropView(_) => "view_deleted",
            Self::PutDocument { .. } => "api_document_put",
            Self::DropDocument(_) => "api_document_deleted",
        }
    }

    /// What it is about, for the audit log.
    #[must_use]
    pub fn subject(&self) -> String {
        match self {
            Self::Pin(session) | Self::Unpin(session) | Self::DropNote(session) => {
                session.to_string()
            }
            Self::Note { session, .. } => session.to_string(),
            Self::SaveView { name, .. } | Self::DropView(name) => name.clone(),
            Self::PutDocument { application, .. } | Self::DropDocument(application) => {
                application.clone()
            }
        }
    }

    fn apply(
        &self,
        connection: &Connection,
        author: &str,
        now_us: i64,
    ) -> Result<Outcome, StoreError> {
        match self {
            Self::Pin(session) => {
                take(connection, "pins", *session)?;
                let row = params![session.0.to_vec(), author, time(now_us)];
                connection.execute("INSERT INTO pins VALUES (?, ?, ?)", row)?;
                Ok(Outcome::Done)
            }
            Self::Unpin(session) => take(connection, "pins", *session),
            Self::Note {
                session,
                labels,
                note,
            } => notes::put(connection, *session, labels, (note, author, now_us)),
            Self::DropNote(session) => take(connection, "notes", *session),
            Self::SaveView { name, page, query } => {
                views::put(connection, name, (page, query), (author, now_us))
            }
            Self::DropView(name) => views::delete(connection, name),
            Self::PutDocument {
                application,
                text,
                operations,
            } => documents::put(
                connection,
                application,
                (text, operations),
                (author, now_us),
            ),
            Self::DropDocument(application) => documents::delete(connection, application),
        }
    }
}

/// Does a deed, with its entry for the audit log; what endpoints are called changes with it.
pub(super) fn perform(
    connection: &Connection,
    documents: &Documents,
    (deed, doer): (&Deed, &Doer),
    now_us: i64,
) -> Result<Outcome, StoreError> {
    let (author, comment) = (&doer.author, &doer.comment);
    let done = transaction(connection, || {
        let outcome = deed.apply(connection, author, now_us)?;
        if outcome == Outcome::Done {
            let (action, subject) = (deed.action(), deed.subject());
            let row = params![time(now_us), author, comment, action, subject];
            connection.execute("INSERT INTO deeds VALUES (?, ?, ?, ?, ?)", row)?;
            tracing::info!(author, subject, "{action}");
        }
        Ok(outcome)
    });
    if matches!(done, Ok(Outcome::Done)) {
        match deed {
            Deed::PutDocument {
                application,
                operations,
                ..
            } => documents.set(application, Some(Document::new(operations))),
            Deed::DropDocument(application) => documents.set(application, None),
            _ => {}
        }
    }
    done
}

/// Lets go what is said of sessions that are gone, and the oldest of too many entries.
pub(super) fn expire(connection: &Connection) -> Result<(), StoreError> {
    notes::expire(connection)?;
    seen::expire(connection)?;
    let sql = "DELETE FROM deeds WHERE done_at < (
            SELECT done_at FROM deeds ORDER BY done_at DESC LIMIT 1 OFFSET ?)";
    connection.execute(sql, params![DEEDS_MAX - 1])?;
    Ok(())
}

/// Takes in which endpoints were asked for since the last time; within a transaction.
pub(super) fn see(connection: &Connection, documents: &Documents) -> Result<(), StoreError> {
    seen::fold(connection, documents)
}

/// The documents as they were uploaded last.
///
/// # Errors
/// When the database cannot be read.
pub fn documents(database: &Database) -> Result<Documents, StoreError> {
    let documents = Documents::default();
    documents::load(&database.read()?.connection, &documents)?;
    Ok(documents)
}

/// Takes out what is said of `session`, which is forgotten: within a transaction.
pub(super) fn forget_session(
    connection: &Connection,
    session: SessionId,
) -> Result<(), StoreError> {
    take(connection, "pins", session)?;
    take(connection, "notes", session)?;
    let sql = "DELETE FROM deeds WHERE subject = ?";
    connection.execute(sql, params![session.to_string()])?;
    Ok(())
}

/// Takes the row of `session` out of `table`.
fn take(connection: &Connection, table: &str, session: SessionId) -> Result<Outcome, StoreError> {
    let sql = format!("DELETE FROM {table} WHERE session = ?");
    Ok(taken(
        connection.execute(&sql, params![session.0.to_vec()])?,
    ))
}

fn taken(rows: usize) -> Outcome {
    if rows > 0 {
        Outcome::Done
    } else {
        Outcome::Nothing
    }
}

fn is_full(connection: &Connection, table: &str, most: u64) -> Result<bool, StoreError> {
    let sql = format!("SELECT count(*) FROM {table}");
    let rows: u64 = connection.query_row(&sql, [], |row| row.get(0))?;
    Ok(rows >= most)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Database;
    use throughline_session::hex::Hex;

    fn count(connection: &Connection, sql: &str) -> u64 {
        connection.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn what_is_said_of_a_session_goes_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("hot.duckdb"), 64 << 20).unwrap();
        let reading = database.read().unwrap();
        let connection = &reading.connection;
        let (doer, none) = (Doer::new("ann"), Documents::default());
        let note = |number| Deed::Note {
            session: Hex([number; 16]),
            labels: vec!["odd".into()],
            note: "look".into(),
        };
        for number in [1, 2, 1] {
            let outcome = perform(connection, &none, (&note(number), &doer), 5).unwrap();
            assert_eq!(outcome, Outcome::Done);
        }
        assert_eq!(count(connection, "SELECT count(*) FROM notes"), 2);
        // Of the first there is a record, of the second nothing any more.
        connection
            .execute_batch(
                "INSERT INTO session_sums BY NAME SELECT unhex(repeat('01', 16)) AS session,
                    'a' AS application, 'k' AS key, make_timestamp(1) AS first,
                    make_timestamp(1) AS last, 1 AS visits, '' AS visit_starts, 1 AS requests,
                    0 AS errors_4xx, 0 AS errors_5xx, 0 AS request_bytes, 0 AS response_bytes,
                    0 AS duration_us, '' AS ips, '' AS user_agents, '' AS user_agents_lower,
                    false AS more, '' AS users, '' AS roles, '' AS ua_families",
            )
            .unwrap();
        expire(connection).unwrap();
        assert_eq!(count(connection, "SELECT count(*) FROM notes"), 1);
        assert_eq!(count(connection, "SELECT count(*) FROM deeds"), 3);
        forget_session(connection, Hex([1; 16])).unwrap();
        assert_eq!(count(connection, "SELECT count(*) FROM notes"), 0);
        assert_eq!(count(connection, "SELECT count(*) FROM deeds"), 1);
        let again = perform(connection, &none, (&Deed::DropNote(Hex([1; 16])), &doer), 6);
        assert_eq!(again.unwrap(), Outcome::Nothing);
        assert_eq!(count(connection, "SELECT count(*) FROM deeds"), 1);
    }

    #[test]
    fn the_latest_entries_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("hot.duckdb"), 64 << 20).unwrap();
        let reading = database.read().unwrap();
        let connection = &reading.connection;
        let sql = format!(
            "INSERT INTO deeds SELECT make_timestamp(range), 'ann', '', 'x', 'y'
             FROM range({DEEDS_MAX} + 7)"
        );
        connection.execute_batch(&sql).unwrap();
        expire(connection).unwrap();
        assert_eq!(count(connection, "SELECT count(*) FROM deeds"), DEEDS_MAX);
        let oldest = count(connection, "SELECT epoch_us(min(done_at)) FROM deeds");
        assert_eq!(oldest, 7);
    }
}
