//! verdict → DuckDB: what detection said, with the log position up to which that is all.

use duckdb::{Connection, params};

use super::commit::time;
use super::database::StoreError;
use crate::crawlers::Confirmation;
use crate::verdicts::{Labelling, Package, Profiles, Ruling};

/// Writes the verdicts and their position, or nothing; twice the same writes it once.
pub(super) fn commit(connection: &Connection, package: &Package) -> Result<(), StoreError> {
    let stored = position(connection)?;
    if stored >= package.position {
        return Ok(());
    }
    connection.execute_batch("BEGIN TRANSACTION")?;
    let written = write(connection, package);
    let ended = written.and_then(|()| Ok(connection.execute_batch("COMMIT")?));
    if ended.is_err()
        && let Err(error) = connection.execute_batch("ROLLBACK")
    {
        tracing::debug!(%error, "nothing left to roll back");
    }
    ended
}

/// Position up to which the verdicts are stored.
pub(super) fn position(connection: &Connection) -> Result<u64, StoreError> {
    let sql = "SELECT position FROM verdict_position";
    Ok(connection.query_row(sql, [], |row| row.get(0))?)
}

fn write(connection: &Connection, package: &Package) -> Result<(), StoreError> {
    let mut appender = connection.appender("verdicts")?;
    for event in &package.events {
        let votes = serde_json::to_string(&event.votes).unwrap_or_default();
        appender.append_row(params![
            event.place.0,
            event.place.1,
            event.id,
            event.subject_kind,
            event.subject,
            event.session,
            event.application,
            event.bot_type,
            event.confidence,
            event.sensitivity,
            event.flagged,
            event.knowledge,
            event.class,
            time(event.at_us),
            time(event.expires_us),
            event.requests,
            event.policy_version,
            votes,
        ])?;
    }
    appender.flush()?;
    let set = "UPDATE verdict_position SET position = ?";
    connection.execute(set, [package.position])?;
    Ok(())
}

/// Keeps what people decided and what was looked up, each with its place in the log.
pub(super) fn write_rulings(
    connection: &Connection,
    rulings: &[(u64, i64, Ruling)],
) -> Result<(), StoreError> {
    for (position, arrived_us, ruling) in rulings {
        match ruling {
            Ruling::Profiles(profiles) => {
                write_profiles(connection, *position, *arrived_us, profiles)?;
            }
            Ruling::Label(labelling) => write_label(connection, *position, labelling)?,
            Ruling::Crawler(confirmation) => write_crawler(connection, *position, confirmation)?,
        }
    }
    Ok(())
}

fn write_profiles(
    connection: &Connection,
    position: u64,
    arrived_us: i64,
    profiles: &Profiles,
) -> Result<(), StoreError> {
    let document = profiles.to_text();
    let row = params![
        position,
        profiles.policy_version,
        document,
        time(arrived_us)
    ];
    connection.execute("INSERT INTO profiles VALUES (?, ?, ?, ?)", row)?;
    Ok(())
}

fn write_label(
    connection: &Connection,
    position: u64,
    labelling: &Labelling,
) -> Result<(), StoreError> {
    let row = params![
        position,
        labelling.id,
        labelling.label.map(crate::verdicts::Label::name),
        labelling.note,
        labelling.author,
        time(labelling.at_us),
    ];
    connection.execute("INSERT INTO labels VALUES (?, ?, ?, ?, ?, ?)", row)?;
    Ok(())
}

/// Keeps a confirmed crawler, and none that was confirmed too long before it.
fn write_crawler(
    connection: &Connection,
    position: u64,
    confirmation: &Confirmation,
) -> Result<(), StoreError> {
    /// Longer than records are usually kept, and a bound on the table.
    const KEPT_US: i64 = 400 * 86_400 * 1_000_000;
    let at = confirmation.at_us;
    let row = params![
        position,
        confirmation.address.to_string(),
        confirmation.domain,
        time(at),
    ];
    connection.execute("INSERT INTO crawlers VALUES (?, ?, ?, ?)", row)?;
    let old = time(at.saturating_sub(KEPT_US));
    connection.execute("DELETE FROM crawlers WHERE said_at < ?", [old])?;
    Ok(())
}
