//! parts → sessions: one row for each session, so that lists and filters never add up parts.
//!
//! `session_sums` holds the sums up to the position in `folded`; what came since is some seconds
//! of parts at the most, which lists do not see yet and the view `session_rows` adds. Everything here follows
//! from the parts: it can be made anew from them at any time.

use std::time::Instant;

use duckdb::Connection;
use duckdb::types::Value;
use throughline_session::wire::SessionId;

use super::database::StoreError;
use super::segments::transaction;
use crate::filters::{Clause, USER_AGENT_FAMILY, session_begins};
use crate::joined;

/// Columns of `session_sums`, `session_rows` and [`rows_at`], in the table's order.
const COLUMNS: &[&str] = &[
    "session",
    "application",
    "key",
    "first",
    "last",
    "visits",
    "requests",
    "errors_4xx",
    "errors_5xx",
    "request_bytes",
    "response_bytes",
    "duration_us",
    "more",
    "visit_starts",
    "ips",
    "user_agents",
    "users",
    "roles",
    "ua_families",
    "user_agents_lower",
];

/// Those with several values, each as one text.
const JOINED: &[&str] = &[
    "visit_starts",
    "ips",
    "user_agents",
    "users",
    "roles",
    "ua_families",
];

const MOST: &str = "18446744073709551615";

/// All columns, as SQL.
fn all() -> String {
    COLUMNS.join(", ")
}

/// Columns that follow from others: `visits` and `user_agents_lower`.
fn followed_by() -> String {
    format!(
        "{} AS visits, lower(user_agents) AS user_agents_lower",
        joined::count("visit_starts")
    )
}

/// A column of a session, as an aggregate over its parts; `None` where it is made of something else.
fn of_parts(column: &str) -> Option<String> {
    Some(match column {
        "application" | "key" => format!("arg_min({column}, ordinal)"),
        "first" => "min(first)".into(),
        "last" => "max(last)".into(),
        "more" => "bool_or(more)".into(),
        // Made distinct afterwards: DISTINCT within an aggregate keeps a table for each group. User agents at once, as
        // each is looked at for its family.
        "visit_starts" => "list(epoch_us(visit_start)::VARCHAR)".into(),
        "ips" => "flatten(list(ips))".into(),
        "user_agents" => "list_distinct(flatten(list(user_agents)))".into(),
        "session" | "users" | "roles" | "ua_families" | "visits" | "user_agents_lower" => {
            return None;
        }
        _ => format!("least(sum({column}), {MOST})::UBIGINT"),
    })
}

/// A column of what a session's row `old` and the sums of later parts `new` are together; `None` where it follows from
/// others.
fn together(column: &str) -> Option<String> {
    let (old, new) = (format!("old.{column}"), format!("new.{column}"));
    let sql = match column {
        "session" => new,
        "application" | "key" => format!("coalesce({old}, {new})"),
        "first" => format!("least({old}, {new})"),
        "last" => format!("greatest({old}, {new})"),
        "more" => format!("{new} OR coalesce({old}, false)"),
        "visits" | "user_agents_lower" => return None,
        _ if JOINED.contains(&column) => joined::together(&old, &new),
        _ => format!("least({new}::HUGEINT + coalesce({old}, 0), {MOST})::UBIGINT"),
    };
    Some(format!("{sql} AS {column}"))
}

/// One row for each session in `parts`, with users and roles out of `params`.
fn sums(parts: &str, params: &str) -> String {
    let part = COLUMNS
        .iter()
        .filter_map(|it| Some(format!(", {} AS {it}", of_parts(it)?)));
    let part: String = part.collect();
    let texts = JOINED
        .iter()
        .map(|it| format!("{} AS {it}", joined::of_list(it)));
    let texts: Vec<_> = texts.collect();
    let of_kind = |kind: &str| format!("list(value) FILTER (kind = '{kind}') AS {kind}s");
    format!(
        "SELECT *, {} FROM (SELECT * REPLACE ({}) FROM (
            SELECT part.*, users, roles,
                list_transform(user_agents, lambda user_agent: {USER_AGENT_FAMILY}) AS ua_families
            FROM (SELECT session{part} FROM {parts} GROUP BY session) AS part LEFT JOIN (
                SELECT session, {}, {} FROM {params} WHERE kind <> 'plain' GROUP BY session
            ) AS person USING (session)))",
        followed_by(),
        texts.join(", "),
        of_kind("user"),
        of_kind("role"),
    )
}

/// The rows of sessions with parts that are not folded yet, with what is: of those for which `which` holds, a condition on the column `session`. Where `folded`, the position up to which parts
/// are folded, is a number, DuckDB knows it when it plans, and skips all parts before.
fn fresh(folded: &str, which: &str) -> String {
    let since = |table: &str| format!("(FROM {table} WHERE position > {folded} AND {which})");
    let columns: Vec<_> = COLUMNS.iter().filter_map(|it| together(it)).collect();
    format!(
        "SELECT *, {} FROM (SELECT {}
         FROM ({}) AS new LEFT JOIN (FROM session_sums WHERE {which}) AS old USING (session))",
        followed_by(),
        columns.join(", "),
        sums(&since("hot_visit_parts"), &since("hot_param_values")),
    )
}

/// A session of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// Which one.
    pub session: SessionId,
    /// The last request that its sums know of, microseconds since the Unix epoch.
    pub last_us: i64,
}

/// The sums of these sessions, a source for FROM: within the transaction that found them. By their times,
/// which most others are not of. Not by `rowid`: a checkpoint changes it within a transaction.
#[must_use]
pub fn rows_of(sessions: &[Found]) -> String {
    let lasts = || sessions.iter().map(|it| it.last_us);
    let Some((first_us, last_us)) = lasts().min().zip(lasts().max()) else {
        return "(FROM session_sums WHERE false)".into();
    };
    let ids: Vec<_> = sessions.iter().map(|it| it.session).collect();
    format!(
        "(FROM session_sums WHERE {}
            AND last >= make_timestamp({first_us}) AND last <= make_timestamp({last_us}))",
        Clause::joined_to("session", &ids).sql
    )
}

/// The rows of these sessions as they are now, wherever they are: a source for FROM, until the next
/// such question of the connection. Within a transaction.
///
/// # Errors
/// When DuckDB refuses.
pub fn rows_among<'a>(
    connection: &Connection,
    sessions: impl IntoIterator<Item = &'a SessionId>,
) -> Result<String, StoreError> {
    let which = Clause::among("session", sessions).sql;
    let folded = folded(connection)?.to_string();
    let all = all();
    if !has_parts(connection, &format!("position > {folded} AND {which}"))? {
        return Ok(format!("(SELECT {all} FROM session_sums WHERE {which})"));
    }
    make_fresh(connection, &folded, &which)?;
    Ok(format!(
        "(SELECT {all} FROM fresh UNION ALL SELECT {all} FROM session_sums
          WHERE {which} AND session NOT IN (SELECT session FROM fresh))"
    ))
}

/// The same as of when the log was stored up to `position`.
///
/// # Errors
/// As [`rows_at`].
pub fn then(connection: &Connection, position: u64) -> Result<String, StoreError> {
    let rows = rows_at(connection, position)?;
    Ok(format!("session_now AS MATERIALIZED (FROM {rows})"))
}

/// Makes the view `session_rows`, every session as it is now.
pub(super) fn view() -> String {
    let all = all();
    format!(
        "CREATE OR REPLACE VIEW session_rows AS WITH fresh AS MATERIALIZED ({})
            SELECT {all} FROM session_sums ANTI JOIN fresh USING (session)
            UNION ALL SELECT {all} FROM fresh;",
        fresh("(SELECT position FROM folded)", "true")
    )
}

/// Every session as it was when the log was stored up to `position`: a source for FROM.
///
/// # Errors
/// [`StoreError::Passed`] when three segments were closed since, or when DuckDB refuses.
pub fn rows_at(connection: &Connection, position: u64) -> Result<String, StoreError> {
    let folded = folded(connection)?;
    // So it is on every first page.
    if position == folded {
        return Ok("session_sums".into());
    }
    let since = parts_since(connection)?;
    if position < since {
        return Err(StoreError::Passed);
    }
    let (from, to) = (folded.min(position), folded.max(position));
    if !has_parts(
        connection,
        &format!("position > {from} AND position <= {to}"),
    )? {
        return Ok("session_sums".into());
    }
    let changed = format!("SELECT session FROM hot_visit_parts WHERE position > {from}");
    let of = |rows: &str| format!("(FROM {rows} AND session IN ({changed}))");
    // Files sum what stood at several positions, and the last of them may be of before and after.
    let parts = format!(
        "({} UNION ALL BY NAME {})",
        of(&format!("visit_parts WHERE position <= {since}")),
        of(&format!(
            "hot_visit_parts WHERE position > {since} AND position <= {position}"
        )),
    );
    // Of values only counts, where it stands at the position at which each was first said.
    let params = of(&format!("param_parts WHERE position <= {position}"));
    let all = all();
    Ok(format!(
        "(SELECT {all} FROM session_sums WHERE session NOT IN ({changed})
          UNION ALL SELECT {all} FROM ({}))",
        sums(&parts, &params)
    ))
}

/// When a session began, and when it was active last, microseconds since the Unix epoch; `None` where
/// there is none. All rows of it are of this time, which lets DuckDB skip most files.
///
/// # Errors
/// When DuckDB refuses.
pub fn session_times(
    connection: &Connection,
    session: SessionId,
) -> Result<Option<(i64, i64)>, StoreError> {
    let session = Clause::new("session = ?", [Value::Blob(session.0.to_vec())]).sql;
    let sql = format!(
        "SELECT epoch_us(min(first)), epoch_us(max(last)) FROM (
            SELECT first, last FROM session_sums WHERE {session} UNION ALL
            SELECT first, last FROM hot_visit_parts WHERE position > {} AND {session})",
        folded(connection)?
    );
    let times: (Option<i64>, Option<i64>) =
        connection.query_row(&sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(times.0.zip(times.1))
}

/// The position up to which parts are folded.
///
/// # Errors
/// When DuckDB refuses.
pub fn folded(connection: &Connection) -> Result<u64, StoreError> {
    Ok(connection.query_row("SELECT position FROM folded", [], |row| row.get(0))?)
}

/// The position after which all parts of visits are hot, those of a closed segment too.
pub(super) fn parts_since(connection: &Connection) -> Result<u64, StoreError> {
    Ok(connection.query_row("SELECT position FROM parts_since", [], |row| row.get(0))?)
}

/// Whether there are hot parts for which `which` holds.
fn has_parts(connection: &Connection, which: &str) -> Result<bool, StoreError> {
    let sql = format!("SELECT count(*) > 0 FROM hot_visit_parts WHERE {which}");
    Ok(connection.query_row(&sql, [], |row| row.get(0))?)
}

/// [`fresh`] as a table of the connection.
fn make_fresh(connection: &Connection, folded: &str, which: &str) -> Result<(), StoreError> {
    let fresh = fresh(folded, which);
    Ok(connection.execute_batch(&format!("CREATE OR REPLACE TEMP TABLE fresh AS {fresh}"))?)
}

/// Folds what came since the last time; within a transaction. Gives how many sessions changed.
pub(super) fn fold(connection: &Connection) -> Result<u64, StoreError> {
    let folded = folded(connection)?.to_string();
    if !has_parts(connection, &format!("position > {folded}"))? {
        return Ok(0);
    }
    make_fresh(connection, &folded, "true")?;
    connection
        .execute_batch("DELETE FROM session_sums WHERE session IN (SELECT session FROM fresh)")?;
    let insert = format!("INSERT INTO session_sums SELECT {} FROM fresh", all());
    let changed = connection.execute(&insert, [])?;
    connection.execute_batch(
        "DROP TABLE fresh;
         UPDATE folded SET position = (SELECT max(position) FROM hot_visit_parts)",
    )?;
    Ok(changed as u64)
}

/// Makes the rows anew that a migration took out: those of ids with a beginning in `sums_missing`, one after the
/// other, so that there may be millions, and a kill loses little. Unless `whole`, as files are missing, the next start does it
/// again. At the start, once there are views.
pub(super) fn restore(connection: &Connection, whole: bool) -> Result<(), StoreError> {
    let missing = "SELECT count(*) > 0 FROM sums_missing";
    if !connection.query_row(missing, [], |row| row.get::<_, bool>(0))? {
        return Ok(());
    }
    let began = Instant::now();
    let there = "SELECT prefix FROM sums_missing WHERE prefix IN (
        SELECT lower(left(hex(session), 2)) FROM visit_parts) ORDER BY prefix";
    let mut statement = connection.prepare(there)?;
    let prefixes = statement.query_map([], |row| row.get(0))?;
    let prefixes: Vec<String> = prefixes.collect::<Result<_, _>>()?;
    tracing::info!("sums all sessions anew, which takes a minute for 400,000");
    for prefix in prefixes {
        let some = session_begins(&prefix).sql;
        let sessions = format!("SELECT DISTINCT session FROM visit_parts WHERE {some}");
        transaction(connection, || {
            make_anew(connection, &sessions)?;
            if whole {
                connection.execute("DELETE FROM sums_missing WHERE prefix = ?", [&prefix])?;
            }
            Ok(())
        })?;
    }
    if whole {
        connection.execute("DELETE FROM sums_missing", [])?;
    }
    let seconds = began.elapsed().as_secs_f64();
    tracing::info!(seconds, "summed all sessions anew");
    Ok(())
}

/// Makes the rows of `sessions`, a SELECT, anew from what is left of them; within a transaction.
pub(super) fn make_anew(connection: &Connection, sessions: &str) -> Result<(), StoreError> {
    connection.execute_batch(&format!(
        "CREATE OR REPLACE TEMP TABLE affected AS {sessions}"
    ))?;
    let left = |view: &str| {
        format!(
            "(FROM {view} WHERE position <= (SELECT position FROM folded)
              AND session IN (SELECT session FROM affected))"
        )
    };
    let sums = sums(&left("visit_parts"), &left("param_parts"));
    connection.execute_batch(&format!(
        "DELETE FROM session_sums WHERE session IN (SELECT session FROM affected);
         INSERT INTO session_sums SELECT {} FROM ({sums});
         DROP TABLE affected;",
        all()
    ))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::store::Database;

    /// Part `n` of session `n % 3`, in a transaction that ends at `n`.
    fn part(connection: &Connection, n: u64) {
        let sql = format!(
            "INSERT INTO hot_visit_parts BY NAME SELECT {n} AS position,
                unhex(lpad('{0}', 32, '0')) AS session, make_timestamp({1}) AS visit_start,
                'app' || {n} AS application, 'k' AS key, make_timestamp({n}) AS first,
                make_timestamp({n} + 5) AS last, {n} AS requests, 1 AS errors_4xx, 0 AS errors_5xx,
                18446744073709551615 AS request_bytes, 2 AS response_bytes, 3 AS duration_us,
                ['10.0.0.' || ({n} % 2)] AS ips, ['ua'] AS user_agents, {n} % 4 = 0 AS more,
                {n} AS ordinal, make_timestamp({n}) AS arrived, ['p'] AS policy_versions;
             INSERT INTO hot_param_values BY NAME SELECT {n} AS position,
                unhex(lpad('{0}', 32, '0')) AS session, 'user' AS name, 'u' || ({n} % 5) AS value,
                'user' AS kind, false AS forgeable WHERE {n} % 2 = 0;",
            n % 3,
            n / 4,
        );
        connection.execute_batch(&sql).unwrap();
    }

    fn told(connection: &Connection, from: &str) -> String {
        let sql = format!(
            "SELECT string_agg(row::VARCHAR, chr(10) ORDER BY row.session)
             FROM (SELECT {} FROM {from}) AS row",
            all()
        );
        connection.query_row(&sql, [], |row| row.get(0)).unwrap()
    }

    /// They move rows, also under a transaction that is open.
    #[test]
    fn sums_are_right_while_checkpoints_go_on() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("hot.duckdb"), 64 << 20).unwrap();
        let reading = database.read().unwrap();
        let connection = &reading.connection;
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let checkpoints = scope.spawn(|| {
                let other = database.read().unwrap();
                let mut made = 0;
                while !done.load(Ordering::Relaxed) {
                    // Refused while somebody writes.
                    made += u32::from(other.connection.execute_batch("CHECKPOINT").is_ok());
                }
                made
            });
            for n in 1..=150 {
                part(connection, n);
                transaction(connection, || fold(connection)).unwrap();
            }
            done.store(true, Ordering::Relaxed);
            assert!(checkpoints.join().unwrap() > 0);
        });
        let expected = format!("({})", sums("visit_parts", "param_parts"));
        assert_eq!(
            told(connection, "session_sums"),
            told(connection, &expected)
        );
    }

    /// A fold compares what it finds by the text: one that a migration joined in another way would be there twice.
    #[test]
    fn what_version_16_summed_is_as_it_would_be_summed_now() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hot.duckdb");
        let packed = include_bytes!("../../tests/compat/hot-v16.duckdb.gz");
        let mut file = std::fs::File::create(&path).unwrap();
        std::io::copy(&mut flate2::read::GzDecoder::new(&packed[..]), &mut file).unwrap();
        let database = Database::open(&path, 64 << 20).unwrap();
        let reading = database.read().unwrap();
        let connection = &reading.connection;
        let before = told(connection, "session_sums");
        assert!(before.contains("curl/8.5.0"), "{before}");
        make_anew(connection, "SELECT session FROM visit_parts").unwrap();
        assert_eq!(told(connection, "session_sums"), before);
    }

    #[test]
    fn folding_changes_nothing_whenever_it_is_done() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("hot.duckdb"), 64 << 20).unwrap();
        let reading = database.read().unwrap();
        let connection = &reading.connection;
        let scratch = |to: u64| {
            let until = |view: &str| format!("(FROM {view} WHERE position <= {to})");
            let sums = sums(&until("visit_parts"), &until("param_parts"));
            told(connection, &format!("({sums})"))
        };
        for n in 1..=20 {
            part(connection, n);
            if [3, 4, 9, 17].contains(&n) {
                assert!(fold(connection).unwrap() > 0);
                assert_eq!(fold(connection).unwrap(), 0);
            }
            assert_eq!(told(connection, "session_rows"), scratch(n), "at {n}");
            for earlier in [1, n / 2 + 1, n] {
                assert_eq!(
                    told(connection, &rows_at(connection, earlier).unwrap()),
                    scratch(earlier),
                    "{earlier} at {n}"
                );
            }
        }
        make_anew(connection, "SELECT session FROM visit_parts").unwrap();
        assert_eq!(told(connection, "session_rows"), scratch(20));
        // As long as something is missing, the next start tries again.
        let migration = "DELETE FROM session_sums; INSERT INTO sums_missing VALUES ('00'), ('01')";
        connection.execute_batch(migration).unwrap();
        for (whole, left) in [(false, 2), (true, 0), (true, 0)] {
            restore(connection, whole).unwrap();
            assert_eq!(told(connection, "session_rows"), scratch(20));
            let missing = "SELECT count(*) FROM sums_missing";
            let missing: u64 = connection.query_row(missing, [], |row| row.get(0)).unwrap();
            assert_eq!(missing, left);
        }
    }
}
