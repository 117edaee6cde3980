//! What people ask for: sessions gone before their time.
//!
//! Forgetting has three steps. `hide` takes the hot rows out and bars the closed ones from all
//! views, in one transaction; `sweep` writes the files anew without them, and the hot file too,
//! whose free blocks would still hold what was deleted; `tell` says when the log has nothing of them either.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use duckdb::types::Value;
use duckdb::{Connection, params, params_from_iter};
use sha2::{Digest as _, Sha256};
use throughline_session::hex::Hex;
use throughline_session::wire::SessionId;

use super::close::{Stage, transaction};
use super::errand::Whose;
use super::layout::{ALL, PARAMS_OF_HOT};
use super::manifest::{self, Folder, Segment};
use super::rewrite::{Keep, rewrite};
use crate::log::LogState;
use crate::store::commit::time;
use crate::store::database::{Database, StoreError};
use crate::store::desk;

const FORGOTTEN: &str = "SELECT session FROM forgotten_sessions";

/// Takes what is stored of somebody out of all answers; gives how many sessions that are.
pub(super) fn hide(
    database: &Database,
    whose: &Whose,
    author: &str,
    now_us: i64,
) -> Result<u64, StoreError> {
    let reading = database.read()?;
    let connection = &reading.connection;
    let sessions = sessions_of(connection, whose)?;
    let _turn = database.folder.turn();
    transaction(connection, || {
        for session in &sessions {
            hide_session(connection, *session)?;
        }
        let (what, name) = match whose {
            Whose::Session(session) => ("session", session.to_string()),
            Whose::User(user) => {
                hide_user(connection, user)?;
                ("user", user.clone())
            }
        };
        let hash: [u8; 32] = Sha256::digest(&name).into();
        let row = params![
            time(now_us),
            author,
            what,
            Hex(hash).to_string(),
            sessions.len() as u64
        ];
        // What this transaction sees was stored up to there.
        let sql = "INSERT INTO forgettings
            SELECT ?, ?, ?, ?, ?, NULL, position, false FROM log_position";
        connection.execute(sql, row)?;
        manifest::make_views(connection, &database.folder)?;
        Ok(())
    })?;
    // What such a session says from now on is written down anew.
    database.relied().forget();
    tracing::info!(
        sessions = sessions.len(),
        author,
        "sessions are forgotten: hidden now, and gone from the disk soon"
    );
    Ok(sessions.len() as u64)
}

fn sessions_of(connection: &Connection, whose: &Whose) -> Result<Vec<SessionId>, StoreError> {
    let user = match whose {
        Whose::Session(session) => return Ok(vec![*session]),
        Whose::User(user) => user,
    };
    // Records too: what a transaction in the making says of a session that was just forgotten is
    // not written down before its segment is closed.
    let sql = format!(
        "SELECT session FROM param_parts WHERE kind = 'user' AND value = ?1
         UNION SELECT session FROM ({PARAMS_OF_HOT}) WHERE kind = 'user' AND value = ?1"
    );
    let mut statement = connection.prepare(&sql)?;
    let rows = statement.query_map(params![user], |row| row.get::<_, Vec<u8>>(0))?;
    let mut sessions = Vec::new();
    for bytes in rows {
        if let Ok(id) = bytes?.try_into() {
            sessions.push(Hex(id));
        }
    }
    Ok(sessions)
}

fn hide_session(connection: &Connection, session: SessionId) -> Result<(), StoreError> {
    let bytes = || Value::Blob(session.0.to_vec());
    for kind in ALL {
        let Some(table) = kind.table() else { continue };
        let mut condition = String::new();
        for column in kind.sessions {
            let word = if condition.is_empty() { "" } else { " OR " };
            write!(condition, "{word}{column} = ?").unwrap_or_default();
        }
        let values = kind.sessions.iter().map(|_| bytes());
        let sql = format!("DELETE FROM {table} WHERE {condition}");
        connection.execute(&sql, params_from_iter(values))?;
    }
    for table in ["hot_param_values", "session_sums"] {
        let sql = format!("DELETE FROM {table} WHERE session = ?");
        connection.execute(&sql, [bytes()])?;
    }
    let sql = "DELETE FROM trials WHERE session = ? OR trial_session = ?";
    connection.execute(sql, params_from_iter([bytes(), bytes()]))?;
    desk::forget_session(connection, session)?;
    let name = session.to_string();
    let own = "session = ?1 OR (subject_kind = 'session' AND subject = ?1)";
    let sql = format!("DELETE FROM labels WHERE id IN (SELECT id FROM verdicts WHERE {own})");
    connection.execute(&sql, params![name])?;
    connection.execute(&format!("DELETE FROM verdicts WHERE {own}"), params![name])?;
    connection.execute(
        "DELETE FROM quarantine WHERE contains(line, ?)",
        params![name],
    )?;
    connection.execute("INSERT INTO forgotten_sessions VALUES (?)", [bytes()])?;
    Ok(())
}

fn hide_user(connection: &Connection, user: &str) -> Result<(), StoreError> {
    connection.execute("DELETE FROM trials WHERE user = ?", params![user])?;
    let own = "subject_kind = 'user' AND subject = ?1";
    let sql = format!("DELETE FROM labels WHERE id IN (SELECT id FROM verdicts WHERE {own})");
    connection.execute(&sql, params![user])?;
    connection.execute(&format!("DELETE FROM verdicts WHERE {own}"), params![user])?;
    // Most often they are all the same.
    for spelt in BTreeSet::from(spellings(user)) {
        connection.execute(
            "DELETE FROM quarantine WHERE contains(line, ?)",
            params![spelt],
        )?;
    }
    Ok(())
}

/// A text as it may stand in a line of JSON.
fn spellings(text: &str) -> [String; 4] {
    let json = serde_json::to_string(text).unwrap_or_default();
    let json = json.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
    let json = json.unwrap_or_default();
    let ascii = |capitals: bool| {
        let mut spelt = String::new();
        for letter in json.chars() {
            if letter.is_ascii() {
                spelt.push(letter);
                continue;
            }
            for unit in letter.encode_utf16(&mut [0; 2]) {
                let digits = if capitals {
                    format!("\\u{unit:04X}")
                } else {
                    format!("\\u{unit:04x}")
                };
                spelt.push_str(&digits);
            }
        }
        spelt
    };
    [text.to_owned(), json.to_owned(), ascii(false), ascii(true)]
}

/// How many sessions are still to be deleted from files.
pub(super) fn pending(connection: &Connection) -> Result<u64, StoreError> {
    let sql = "SELECT count(*) FROM forgotten_sessions";
    Ok(connection.query_row(sql, [], |row| row.get(0))?)
}

/// How many of those who asked wait for what was hidden to be gone from the files.
pub(super) fn waiting(connection: &Connection) -> Result<u64, StoreError> {
    let sql = "SELECT count(*) FROM forgettings WHERE NOT rewritten";
    Ok(connection.query_row(sql, [], |row| row.get(0))?)
}

/// Deletes from the files what was hidden; `true` when there was something.
pub(super) fn sweep(database: &Database) -> Result<bool, StoreError> {
    let reading = database.read()?;
    let connection = &reading.connection;
    let waiting = waiting(connection)?;
    if waiting == 0 {
        return Ok(false);
    }
    for segment in manifest::list(connection)? {
        if concerns(connection, &database.folder, &segment)? {
            let keep = Keep::But(FORGOTTEN);
            let nothing = &mut |_: Stage| {};
            let gone = rewrite(
                connection,
                &database.folder,
                &segment,
                &keep,
                |_| Ok(()),
                nothing,
            )?;
            database.retired.retire(gone);
        }
    }
    drop(reading);
    let failed = database.retired.sweep();
    if let Some((_, error)) = failed.into_iter().next() {
        return Err(error.into());
    }
    {
        let reading = database.read()?;
        let connection = &reading.connection;
        let _turn = database.folder.turn();
        transaction(connection, || {
            connection.execute_batch("DELETE FROM forgotten_sessions")?;
            manifest::make_views(connection, &database.folder)?;
            Ok(())
        })?;
    }
    // What was deleted in the hot file, ids too, lies in its free blocks still.
    database.rewrite()?;
    let reading = database.read()?;
    let done = "UPDATE forgettings SET rewritten = true WHERE NOT rewritten";
    reading.connection.execute_batch(done)?;
    tracing::info!(
        forgettings = waiting,
        "what was to be forgotten is gone from the database and its segments"
    );
    Ok(true)
}

/// Says of whom the log has nothing any more either; `true` where the segment that is written to may still have
/// something of somebody.
pub(super) fn tell(
    connection: &Connection,
    log: &LogState,
    now_us: i64,
) -> Result<bool, StoreError> {
    let which = format!(
        "gone_at IS NULL AND rewritten AND log_position <= {}",
        log.begin
    );
    let sql = format!(
        "SELECT count(*) FILTER ({which}) > 0,
            count(*) FILTER (gone_at IS NULL AND log_position > {}) > 0 FROM forgettings",
        log.base
    );
    let (gone, open) = connection.query_row(&sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if gone {
        let sql = format!("UPDATE forgettings SET gone_at = ? WHERE {which}");
        connection.execute(&sql, params![time(now_us)])?;
        tracing::info!("what was to be forgotten is gone from the disk");
    }
    Ok(open)
}

/// Whether `segment` has rows of sessions to be forgotten.
fn concerns(
    connection: &Connection,
    folder: &Folder,
    segment: &Segment,
) -> Result<bool, StoreError> {
    for kind in ALL.iter().filter(|kind| kind.table().is_some()) {
        let Some(rows) = folder.source(segment, kind) else {
            continue;
        };
        let among = |column: &&str| format!("{column} IN ({FORGOTTEN})");
        let any: Vec<_> = kind.sessions.iter().map(among).collect();
        let sql = format!("SELECT count(*) FROM {rows} WHERE {}", any.join(" OR "));
        let rows: u64 = connection.query_row(&sql, [], |row| row.get(0))?;
        if rows > 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_as_json_spells_it() {
        assert_eq!(
            spellings("Zo\u{eb} \"Q\""),
            [
                "Zo\u{eb} \"Q\"",
                "Zo\u{eb} \\\"Q\\\"",
                "Zo\\u00eb \\\"Q\\\"",
                "Zo\\u00EB \\\"Q\\\"",
            ]
        );
        assert_eq!(spellings("ann"), ["ann"; 4]);
    }
}
