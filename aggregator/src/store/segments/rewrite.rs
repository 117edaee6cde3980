//! closed → closed: a segment without some of its sessions, or without its details.

use duckdb::Connection;

use super::close::{Stage, transaction};
use super::layout::{ALL, Kind};
use super::manifest::{self, Folder, Segment};
use super::write::write;
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
            let left = without(connection, folder, segment, &condition)?;
            Some(Segment {
                trimmed: true,
                ..left
            })
        }
        Keep::Only(sessions) => {
            let among = |column: &&str| format!("{column} IN ({sessions})");
            let condition = |kind: &Kind| all(kind, among, " OR ");
            Some(without(connection, folder, segment, &condition)?)
        }
        Keep::But(sessions) => {
            let other = |column: &&str| format!("{column} NOT IN ({sessions})");
            let condition = |kind: &Kind| all(kind, other, " AND ");
            Some(without(connection, folder, segment, &condition)?)
        }
    };
    let left = left.filter(|left| !left.kinds.is_empty());
    stage(Stage::Written);
    let turn = folder.turn();
    transaction(connection, || {
        manifest::remove(connection, segment)?;
        if let Some(left) = &left {
            manifest::add(connection, left)?;
        }
        if let Some(left) = &left {
            also(left)?;
        }
        manifest::make_views(connection, folder)?;
        match ALL
            .iter()
            .find(|kind| kind.table() == Some("hot_visit_parts"))
        {
            Some(kind) if segment.has(kind) && !matches!(keep, Keep::Summaries(_)) => {
                let visits = quoted_path(&folder.path(segment, kind));
                let sessions = format!("SELECT DISTINCT session FROM read_parquet({visits})");
                rollup::make_anew(connection, &sessions)
            }
            _ => Ok(()),
        }
    })?;
    drop(turn);
    stage(Stage::Committed);
    let still = left.map(|left| folder.paths(&left)).unwrap_or_default();
    let gone = folder.paths(segment).into_iter();
    Ok(gone.filter(|path| !still.contains(path)).collect())
}

fn all(kind: &Kind, condition: impl Fn(&&str) -> String, word: &str) -> String {
    let each: Vec<_> = kind.sessions.iter().map(condition).collect();
    each.join(word)
}

/// New files with the rows for which `condition` holds. They have the columns of today.
fn without(
    connection: &Connection,
    folder: &Folder,
    segment: &Segment,
    condition: &dyn Fn(&Kind) -> String,
) -> Result<Segment, StoreError> {
    let mut left = Segment {
        trimmed: segment.trimmed,
        ..manifest::begin(segment.end, segment.rewrite + 1)
    };
    write(connection, folder, &mut left, &|kind| {
        let file = quoted_path(&folder.path(segment, kind));
        if segment.sampled_out > 0 && kind.name == "shapes" && segment.has(kind) {
            // They know of more requests than there are records.
            let rows = format!(
                "(SELECT * FROM read_parquet({file}) WHERE {})",
                condition(kind)
            );
            return Some(rows);
        }
        let table = kind.table().filter(|_| segment.has(kind))?;
        Some(format!(
            "(SELECT * FROM {table} WHERE false
              UNION ALL BY NAME SELECT * FROM read_parquet({file}) WHERE {})",
            condition(kind)
        ))
    })?;
    Ok(left)
}
