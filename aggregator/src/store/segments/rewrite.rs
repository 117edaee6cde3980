//! closed → closed: a segment without some of its sessions, or without its details.

use duckdb::Connection;

use super::close::{Stage, transaction};
use super::layout::{ALL, From, Kind, as_hot, shapes};
use super::manifest::{self, Folder, MERGED_SINCE, Segment};
use super::write::{copy, write};
use crate::filters::{Told, session_begins};
use crate::quoted::quoted_path;
use crate::store::database::StoreError;
use crate::store::rollup;

/// What is left of a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Keep<'a> {
    /// Nothing.
    Nothing,
    /// Its summaries, and the details of the sessions of this SELECT.
    Summaries(&'a str),
    /// The sessions of this SELECT.
    Only(&'a str),
    /// All sessions but those of this SELECT.
    But(&'a str),
}

/// Puts what is left of `segment` in its place; gives the files that nobody needs any more.
/// `also` is done in the same transaction.
pub(super) fn rewrite(
    connection: &Connection,
    folder: &Folder,
    segment: &Segment,
    keep: &Keep<'_>,
    also: impl FnOnce(&Segment) -> Result<(), StoreError>,
    stage: &mut dyn FnMut(Stage),
) -> Result<Vec<std::path::PathBuf>, StoreError> {
    let left = match keep {
        Keep::Nothing => None,
        Keep::Summaries(sessions) => {
            let among = |column: &&str| format!("{column} IN ({sessions})");
            let condition = |kind: &Kind| match kind.summary {
                true => "true".to_owned(),
                false => all(kind, among, " OR "),
            };
            Some(without(connection, folder, segment, true, &condition)?)
        }
        Keep::Only(sessions) => {
            let among = |column: &&str| format!("{column} IN ({sessions})");
            let condition = |kind: &Kind| all(kind, among, " OR ");
            Some(without(
                connection,
                folder,
                segment,
                segment.trimmed,
                &condition,
            )?)
        }
        Keep::But(sessions) => {
            let other = |column: &&str| format!("{column} NOT IN ({sessions})");
            let condition = |kind: &Kind| all(kind, other, " AND ");
            Some(without(
                connection,
                folder,
                segment,
                segment.trimmed,
                &condition,
            )?)
        }
    };
    let left = left.filter(|left| !left.kinds.is_empty());
    stage(Stage::Written);
    let turn = folder.turn();
    let committed = transaction(connection, || {
        manifest::remove(connection, segment)?;
        manifest::drop_parts(connection, segment.end)?;
        if let Some(left) = &left {
            manifest::add(connection, left)?;
        }
        if let Some(left) = &left {
            also(left)?;
        }
        manifest::make_views(connection, folder)?;
        sums_anew(connection, folder, segment, keep)
    });
    match &left {
        Some(left) => folder.or_discard(left, committed)?,
        None => committed?,
    }
    drop(turn);
    stage(Stage::Committed);
    let still = left.map(|left| folder.paths(&left)).unwrap_or_default();
    let gone = folder.paths(segment).into_iter();
    Ok(gone.filter(|path| !still.contains(path)).collect())
}

/// Sums the sessions anew of which something went.
fn sums_anew(
    connection: &Connection,
    folder: &Folder,
    segment: &Segment,
    keep: &Keep<'_>,
) -> Result<(), StoreError> {
    let changed = match keep {
        Keep::Nothing => "true".into(),
        Keep::Summaries(_) => return Ok(()),
        Keep::Only(sessions) => format!("session NOT IN ({sessions})"),
        Keep::But(sessions) => format!("session IN ({sessions})"),
    };
    let kind = ALL.iter().find(|kind| kind.name == "visit_parts");
    let Some(visits) = kind.and_then(|kind| folder.source(segment, kind)) else {
        return Ok(());
    };
    let some: Vec<_> = if segment.parts.is_empty() {
        vec!["true".to_owned()]
    } else {
        // Of so many that their sums do not fit into memory at once.
        let digits = "0123456789abcdef".chars();
        let begins = digits.map(|digit| session_begins(&digit.to_string()).sql);
        begins.collect()
    };
    some.iter().try_for_each(|some| {
        let sql = format!("SELECT DISTINCT session FROM {visits} WHERE {changed} AND {some}");
        rollup::make_anew(connection, &sql)
    })
}

fn all(kind: &Kind, condition: impl Fn(&&str) -> String, word: &str) -> String {
    let each: Vec<_> = kind.sessions.iter().map(condition).collect();
    each.join(word)
}

/// New files with the rows for which `condition` holds. They have the columns of today, but for the records of a
/// merged segment. With `trims`, its records go before their time.
fn without(
    connection: &Connection,
    folder: &Folder,
    segment: &Segment,
    trims: bool,
    condition: &dyn Fn(&Kind) -> String,
) -> Result<Segment, StoreError> {
    let trimmed = segment.trimmed || trims;
    let mut left = Segment {
        trimmed,
        ..folder.begin(segment.end, segment.rewrite + 1)
    };
    if !segment.parts.is_empty() {
        // Its records stay as they are.
        left.version = segment.version;
    }
    // A file that is gone is missed already: the rest must not wait for it, and who is forgotten is in it too.
    let read = |kind: &Kind| folder.source(segment, kind);
    let named = |name: &str| ALL.iter().find(|kind| kind.name == name);
    let which = |kind: &Kind| match (kind.sessions, named("visit_parts")) {
        // Sums of all sessions are those of applications that still have one.
        ([], Some(visits)) if segment.has(visits) => format!(
            "application IN (SELECT application FROM {} WHERE {})",
            read(visits).unwrap_or_default(),
            condition(visits)
        ),
        ([], _) => "true".into(),
        _ => condition(kind),
    };
    let parts = parts_without(connection, folder, segment, &mut left, condition);
    folder.or_discard(&left, parts)?;
    let written = write(connection, folder, &mut left, &|kind| {
        let records = || named("records").and_then(read);
        // Sums that cannot be made of the records that are left: there were more.
        let summed = segment.sampled_out > 0 || (trimmed && kind.summary);
        // What is of one session each need not be made anew, unless it was made otherwise. Since segments are
        // merged, only records are.
        let of_each = segment.version >= MERGED_SINCE && !kind.sessions.is_empty();
        let carried = summed || of_each;
        let rows = match (kind.from, read(kind)) {
            // Of those, parts were written.
            (From::Batches, _) if !segment.parts.is_empty() => return None,
            (From::Batches, Some(file)) => {
                let file = as_hot(&file);
                format!("SELECT * FROM hot_records WHERE false UNION ALL BY NAME {file}")
            }
            (From::Sums(table), Some(file)) => {
                format!("SELECT * FROM {table} WHERE false UNION ALL BY NAME SELECT * FROM {file}")
            }
            (_, Some(file)) if carried && kind.name == "shapes" => {
                let none = || "(FROM hot_records LIMIT 0)".to_owned();
                let records = records().unwrap_or_else(none);
                shapes(segment.version, &file, Some(&records))
            }
            (From::Records(_) | From::Told { .. }, Some(file)) if carried => format!("FROM {file}"),
            (From::Files(_), Some(file)) if of_each => format!("FROM {file}"),
            // The last time that all records are there.
            (From::Records(select), None) if trims && kind.summary => {
                select.replace("{records}", &records()?)
            }
            _ => return None,
        };
        Some(format!("(SELECT * FROM ({rows}) WHERE {})", which(kind)))
    });
    folder.or_discard(&left, written)?;
    // Nor do parts tell any more what is in nothing that is left.
    let told: Told = serde_json::from_str(&left.told).unwrap_or_default();
    for part in &mut left.parts {
        part.stretch.told.retain(|column, values| {
            let left = told.get(column);
            values.retain(|value| left.is_some_and(|it| it.contains(value)));
            left.is_some()
        });
    }
    Ok(left)
}

/// The parts of a merged segment without the rows for which `condition` does not hold: those that have none stay
/// as they are.
fn parts_without(
    connection: &Connection,
    folder: &Folder,
    segment: &Segment,
    left: &mut Segment,
    condition: &dyn Fn(&Kind) -> String,
) -> Result<(), StoreError> {
    let Some(kind) = ALL.iter().find(|kind| kind.name == "records") else {
        return Ok(());
    };
    let stays = condition(kind);
    for part in &segment.parts {
        let path = folder.path.join(part.file());
        if !folder.is_there(&path) {
            continue;
        }
        let file = format!("read_parquet({})", quoted_path(&path));
        let count = format!("SELECT count(*), count(*) FILTER ({stays}) FROM {file}");
        let (all, some): (u64, u64) =
            connection.query_row(&count, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let mut part = part.clone();
        let bytes = if some == all {
            path.metadata()?.len()
        } else {
            part.rewrite = left.rewrite;
            let select = format!("SELECT * FROM {file} WHERE {stays}");
            let path = folder.path.join(part.file());
            let Some(written) = copy(connection, kind, &select, &path)? else {
                continue;
            };
            written.bytes
        };
        part.stretch.records = some;
        left.records += some;
        left.parts.push(part);
        left.add_file(kind, bytes);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::close::close;
    use super::super::sampling::{Sample, sample};
    use super::*;
    use crate::store::Database;

    /// Twenty requests of four sessions, of which two are of another application, with a name that means
    /// something to us.
    fn fill(connection: &Connection) {
        let sql = "INSERT INTO hot_records BY NAME
            SELECT i AS position, 255 AS boot, 0 AS worker, i AS sequence, 0 AS idx,
                make_timestamp(i * 1000000) AS start,
                unhex(lpad((i % 4)::VARCHAR, 32, '0')) AS session, session AS request_session,
                start AS visit_start, CASE WHEN i % 4 < 2 THEN 'shop' ELSE '{param_parts}' END AS application,
                'cookie' AS key, 'g' || i % 2 AS capture_point, 'p' AS policy_version, 'n' AS node,
                'GET' AS method, '/a/' || i AS path, 'GET /a/{id}' AS endpoint,
                (200 + 100 * (i % 4))::USMALLINT AS status, '' AS flags, 1 AS request_bytes,
                2 AS response_bytes, i AS duration_us FROM range(20) t(i);
            INSERT INTO hot_visit_parts BY NAME
            SELECT 100 AS position, session, make_timestamp(0) AS visit_start,
                any_value(application) AS application, 'cookie' AS key, min(start) AS first,
                max(start) AS last, count(*) AS requests, 0 AS errors_4xx, 0 AS errors_5xx,
                0 AS request_bytes, 0 AS response_bytes, 0 AS duration_us, ['10.0.0.1'] AS ips,
                ['ua'] AS user_agents, false AS more, max(sequence) AS ordinal,
                max(start) AS arrived, ['p'] AS policy_versions
            FROM hot_records GROUP BY session;";
        connection.execute_batch(sql).unwrap();
    }

    fn told(connection: &Connection, sql: &str) -> String {
        let sql = format!(
            "SELECT coalesce(string_agg(row::VARCHAR, ' ' ORDER BY row), '') FROM ({sql}) AS row"
        );
        connection.query_row(&sql, [], |row| row.get(0)).unwrap()
    }

    /// Requests, and those that failed, of each application.
    const SUMMED: &str = "SELECT application, sum(requests) AS n, sum(errors_4xx) AS n4,
        sum(errors_5xx) AS n5 FROM endpoint_sums GROUP BY application";
    const ALL_SUMMED: &str = "{'application': shop, 'n': 10, 'n4': 0, 'n5': 0} \
        {'application': '{param_parts}', 'n': 10, 'n4': 5, 'n5': 5}";

    fn again(database: &Database, keep: &Keep<'_>) {
        let reading = database.read().unwrap();
        let connection = &reading.connection;
        let segment = manifest::list(connection).unwrap().remove(0);
        let nothing = |_: &Segment| Ok(());
        rewrite(
            connection,
            &database.folder,
            &segment,
            keep,
            nothing,
            &mut |_| {},
        )
        .unwrap();
    }

    #[test]
    fn sums_of_endpoints_stay_where_their_records_go() {
        for samples in [vec![], vec![sample("/a/=0").unwrap()]] {
            let folder = tempfile::tempdir().unwrap();
            let database = Database::open(&folder.path().join("hot.duckdb"), 64 << 20).unwrap();
            let reading = database.read().unwrap();
            let connection = &reading.connection;
            fill(connection);
            assert_eq!(told(connection, SUMMED), ALL_SUMMED, "hot");
            close(connection, &database, 100, &samples, &mut |_| {}).unwrap();
            assert_eq!(told(connection, SUMMED), ALL_SUMMED, "closed, {samples:?}");
            let buckets = "SELECT count(*) AS n FROM endpoint_sums";
            assert_ne!(told(connection, buckets), "{'n': 20}", "not summed");
            again(&database, &Keep::Summaries("SELECT session FROM pins"));
            assert_eq!(told(connection, SUMMED), ALL_SUMMED, "trimmed, {samples:?}");
            again(
                &database,
                &Keep::Only("SELECT session FROM visit_parts WHERE application <> '{param_parts}'"),
            );
            let shop = "{'application': shop, 'n': 10, 'n4': 0, 'n5': 0}";
            assert_eq!(told(connection, SUMMED), shop, "one is left, {samples:?}");
        }
    }

    /// Closes what is filled in, as version 11 did; with the records, or with none of them.
    fn close_as_before(database: &Database, samples: &[Sample]) {
        let reading = database.read().unwrap();
        let connection = &reading.connection;
        fill(connection);
        let segment = close(connection, database, 100, samples, &mut |_| {}).unwrap();
        assert!(database.summed(connection, 0, 1).unwrap());
        for (name, less) in [
            ("records", ""),
            (
                "shapes",
                "EXCLUDE (capture_point, referer_host, content_type, policy_version, flags)",
            ),
        ] {
            let kind = ALL.iter().find(|kind| kind.name == name).unwrap();
            let path = database.folder.path(&segment, kind);
            let Some(rows) = database.folder.source(&segment, kind) else {
                continue;
            };
            let before = path.with_extension("before");
            let to = quoted_path(&before);
            let sql = format!("COPY (SELECT * {less} FROM {rows}) TO {to} (FORMAT parquet)");
            connection.execute_batch(&sql).unwrap();
            std::fs::rename(before, path).unwrap();
        }
        let sums = ALL
            .iter()
            .find(|kind| kind.name == "endpoint_sums")
            .unwrap();
        std::fs::remove_file(database.folder.path(&segment, sums)).unwrap();
        let sql = "UPDATE segments SET version = 11, kinds = replace(kinds, ',endpoint_sums', ''), told = '{}'";
        connection.execute_batch(sql).unwrap();
        // What DuckDB has read of a file it keeps.
        drop(reading);
        database.reopen().unwrap();
    }

    #[test]
    fn a_file_that_is_gone_holds_nobody_up() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("hot.duckdb"), 64 << 20).unwrap();
        let reading = database.read().unwrap();
        fill(&reading.connection);
        let segment = close(&reading.connection, &database, 100, &[], &mut |_| {}).unwrap();
        let kind = ALL.iter().find(|kind| kind.name == "visit_parts").unwrap();
        std::fs::remove_file(database.folder.path(&segment, kind)).unwrap();
        again(
            &database,
            &Keep::But("SELECT unhex('00000000000000000000000000000003')"),
        );
        let left = "SELECT count(*) AS n FROM records";
        assert_eq!(told(&reading.connection, left), "{'n': 15}");
    }

    #[test]
    fn what_an_earlier_version_closed_is_found_like_all() {
        for (samples, captured) in [
            (vec![], ["{'s': 1} {'s': 3}", "{'s': 1}"]),
            // Nobody knows any more; but all else goes on.
            (vec![sample("/a/=0").unwrap()], ["", ""]),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let database = Database::open(&folder.path().join("hot.duckdb"), 64 << 20).unwrap();
            close_as_before(&database, &samples);
            let reading = database.read().unwrap();
            let connection = &reading.connection;
            let session = "SELECT DISTINCT right(hex(session), 1) AS s FROM shapes
                WHERE capture_point = 'g1' AND path <> '/a/5'";
            let requests = "SELECT sum(requests) AS n FROM shapes";
            let [before, after] = captured;
            assert_eq!(told(connection, session), before, "{samples:?}");
            assert_eq!(told(connection, requests), "{'n': 20}", "{samples:?}");
            assert!(!database.summed(connection, 0, 1).unwrap());
            again(
                &database,
                &Keep::But("SELECT unhex('00000000000000000000000000000003')"),
            );
            assert_eq!(told(connection, session), after, "{samples:?}");
            assert_eq!(told(connection, requests), "{'n': 15}", "{samples:?}");
            assert!(database.summed(connection, 0, 1).unwrap());
            // Of what is left, or of nothing: there are no sums of whom it was made without.
            let sums = told(connection, "SELECT sum(errors_5xx) AS n FROM endpoint_sums");
            let expected = if samples.is_empty() {
                "{'n': 0}"
            } else {
                "{'n': NULL}"
            };
            assert_eq!(sums, expected, "{samples:?}");
        }
    }
}
