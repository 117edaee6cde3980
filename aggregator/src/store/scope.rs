//! A connection that shows some applications only: for tokens that are limited to them.
//!
//! Temporary views of the connection stand in front of the tables and bear their names, so that no
//! query has to think of it, and none can forget to. A test holds [`TABLES`] against the schema.

use std::collections::BTreeSet;

use duckdb::Connection;

use super::database::{StoreError, VERDICT_VIEWS};
use super::segments::VIEWS;
use crate::quoted::quoted;
use crate::tokens::Scope;

/// Which rows of a table belong to an application.
enum Rows {
    /// Those that name it.
    Named,
    /// Those of its sessions, which all these columns hold.
    OfSessions(&'static [&'static str]),
    /// Those about its verdicts.
    OfVerdicts,
    /// None: the table is about the whole service.
    None,
}

/// Tables with anything to hide, and in which order: later ones look at earlier ones.
const TABLES: &[(&str, Rows)] = &[
    ("session_sums", Rows::Named),
    ("records", Rows::Named),
    ("hot_records", Rows::Named),
    ("visit_parts", Rows::Named),
    ("hot_visit_parts", Rows::Named),
    ("session_rows", Rows::Named),
    ("verdicts", Rows::Named),
    ("templates", Rows::Named),
    ("labels", Rows::OfVerdicts),
    ("link_parts", Rows::OfSessions(&["session_a", "session_b"])),
    (
        "hot_link_parts",
        Rows::OfSessions(&["session_a", "session_b"]),
    ),
    ("param_parts", Rows::OfSessions(&["session"])),
    ("hot_param_values", Rows::OfSessions(&["session"])),
    ("shapes", Rows::OfSessions(&["session"])),
    ("endpoint_sums", Rows::Named),
    ("lookups", Rows::OfSessions(&["session"])),
    ("pins", Rows::OfSessions(&["session"])),
    ("notes", Rows::OfSessions(&["session"])),
    ("api_documents", Rows::Named),
    ("api_operations", Rows::Named),
    ("endpoints_seen", Rows::Named),
    // Their filters may name users of any application.
    ("saved_views", Rows::None),
    ("deeds", Rows::None),
    ("segments", Rows::None),
    ("forgotten_sessions", Rows::None),
    ("forgettings", Rows::None),
    ("trials", Rows::None),
    ("finds", Rows::None),
    ("quarantine", Rows::None),
    ("workers", Rows::None),
    ("forgotten_workers", Rows::None),
    ("envoys", Rows::None),
    ("profiles", Rows::None),
    // Addresses of anybody's clients.
    ("crawlers", Rows::None),
    ("log_gaps", Rows::None),
];

/// Tables of the store that hold nothing of anyone's.
#[cfg(test)]
const OPEN: &[&str] = &[
    "schema_version",
    "log_position",
    "verdict_position",
    "folded",
    "parts_since",
    "sums_missing",
    "endpoints_seen_to",
];

/// A variable of the connection: its views stand in front of the tables.
const RESTRICTED: &str = "throughline_restricted";

/// Limits what `connection` shows to `scope`.
///
/// # Errors
/// When DuckDB refuses; the connection must not be used then.
pub fn restrict(connection: &Connection, scope: &Scope) -> Result<(), StoreError> {
    let Scope::Only(applications) = scope else {
        return Ok(());
    };
    // By its full name: the short one is the view's by then.
    let database: String =
        connection.query_row("SELECT current_database()", [], |row| row.get(0))?;
    let from = format!("{database}.main");
    let all = TABLES
        .iter()
        .map(|(table, _)| (*table).to_owned())
        .collect();
    let sql = views(applications, &from, "TEMP VIEW", &all);
    Ok(connection.execute_batch(&format!("{sql} SET VARIABLE {RESTRICTED} = true"))?)
}

/// Whether [`restrict`] limited what `connection` shows.
pub(super) fn is_restricted(connection: &Connection) -> Result<bool, StoreError> {
    let sql = format!("SELECT coalesce(getvariable('{RESTRICTED}'), false)");
    Ok(connection.query_row(&sql, [], |row| row.get(0))?)
}

/// Makes views in the present schema that show of the schema `from` what these applications may
/// see: of all tables that are there.
///
/// # Errors
/// When DuckDB refuses; the connection must not be used then.
pub fn restrict_views(
    connection: &Connection,
    applications: &[String],
    from: &str,
) -> Result<(), StoreError> {
    let there = "SELECT view_name FROM duckdb_views() WHERE schema_name = ?";
    let mut statement = connection.prepare(there)?;
    let there = statement.query_map([from], |row| row.get(0))?;
    let there = there.collect::<Result<_, _>>()?;
    Ok(connection.execute_batch(&views(applications, from, "VIEW", &there))?)
}

fn views(applications: &[String], from: &str, kind: &str, there: &BTreeSet<String>) -> String {
    // Never empty, and null is no one's.
    let names: Vec<_> = ["NULL".to_owned()]
        .into_iter()
        .chain(applications.iter().map(|name| quoted(name)))
        .collect();
    let names = names.join(", ");
    let mut sql = String::new();
    for (table, rows) in TABLES.iter().filter(|(table, _)| there.contains(*table)) {
        let condition = match rows {
            Rows::Named => format!("application IN ({names})"),
            Rows::OfSessions(columns) => {
                // What `session_rows` is made of: that view looks at tables of this kind itself.
                let one = |column| {
                    format!(
                        "{column} IN (SELECT session FROM session_sums
                            UNION ALL SELECT session FROM hot_visit_parts)"
                    )
                };
                let all: Vec<_> = columns.iter().map(one).collect();
                all.join(" AND ")
            }
            Rows::OfVerdicts => "id IN (SELECT id FROM verdicts)".into(),
            Rows::None => "false".into(),
        };
        sql.push_str(&format!(
            "CREATE {kind} {table} AS SELECT * FROM {from}.{table} WHERE {condition};\n"
        ));
    }
    // The views look at what has just been made.
    for views in [VIEWS, VERDICT_VIEWS] {
        sql.push_str(&views.replace("CREATE OR REPLACE VIEW", &format!("CREATE {kind}")));
    }
    sql
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Database;

    #[test]
    fn every_table_and_view_is_thought_of() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("hot.duckdb"), 64 << 20).unwrap();
        let reading = database.read().unwrap();
        let names = |sql: &str| -> BTreeSet<String> {
            let mut statement = reading.connection.prepare(sql).unwrap();
            let rows = statement.query_map([], |row| row.get(0)).unwrap();
            rows.collect::<Result<_, _>>().unwrap()
        };
        let all = names(
            "SELECT table_name FROM duckdb_tables() WHERE NOT internal
             UNION ALL SELECT view_name FROM duckdb_views() WHERE NOT internal",
        );
        restrict(&reading.connection, &Scope::of(&["it's".into()])).unwrap();
        let hidden = names("SELECT view_name FROM duckdb_views() WHERE temporary AND NOT internal");
        let open: BTreeSet<_> = OPEN.iter().map(ToString::to_string).collect();
        let thought_of: BTreeSet<_> = hidden.union(&open).cloned().collect();
        assert_eq!(all, thought_of);
    }
}
