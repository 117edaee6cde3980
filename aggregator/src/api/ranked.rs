//! Lists of values with their figures, the most first: sources and users are such lists.

use duckdb::types::Value;
use duckdb::{Connection, Row, params_from_iter};
use serde::{Deserialize, Serialize};

use super::App;
use super::cursor::Pages;
use super::error::ApiError;
use super::params::Params;
use super::scope::{Chosen, Extent, Scope, SeenBefore};
use super::top::{FIGURES, Figures};
use crate::store::StoreError;

/// The parameters of every such list.
pub(super) const PARAMETERS: &[&str] = &["q", "sort", "order", "limit", "cursor"];

const ORDERS: &[(&str, &str)] = &[
    ("requests", "requests"),
    ("sessions", "sessions"),
    ("bots", "bots"),
    ("errors", "errors_4xx + errors_5xx"),
    ("bytes", "bytes"),
    ("first", "first_us"),
    ("last", "last_us"),
];

/// Where a page ended: what its last value is ordered by and that value; and what all its pages see.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Cursor(f64, String, SeenBefore);

/// What is asked for.
pub(super) struct Asked {
    pub(super) scope: Scope,
    by: &'static str,
    ascending: bool,
    pages: Pages,
    after: Option<Cursor>,
    limit: usize,
}

impl Asked {
    pub(super) fn read(params: &Params, app: &App) -> Result<Self, ApiError> {
        let sort = params.get("sort").unwrap_or("requests");
        let Some((_, by)) = ORDERS.iter().find(|(name, _)| *name == sort) else {
            return Err(ApiError::BadParameter {
                parameter: "sort",
                detail: format!("`sort` is `{sort}`"),
                remedy: "order by requests, sessions, bots, errors, bytes, first or last",
            });
        };
        let mut scope = Scope::read(params, app)?;
        let pages = Pages::of(params);
        let after: Option<Cursor> = pages.read(params)?;
        if let Some(Cursor(_, _, seen)) = &after {
            scope.see(seen);
        }
        Ok(Self {
            scope,
            by,
            ascending: params.ascending()?,
            pages,
            after,
            limit: params.limit()?,
        })
    }
}

/// A page of a list.
pub(super) struct Page<T> {
    pub(super) extent: Extent,
    pub(super) items: Vec<T>,
    pub(super) count: u64,
    pub(super) next: Option<String>,
}

/// Lists the values of `rows`, which have the columns of [`super::top::rows`] and `value`.
pub(super) fn page<T>(
    connection: &Connection,
    asked: &Asked,
    chosen: &Chosen,
    (rows, mut values): (String, Vec<Value>),
    item: impl Fn(String, Figures) -> T,
) -> Result<Page<T>, StoreError> {
    let (beyond, direction) = if asked.ascending {
        (">", "ASC")
    } else {
        ("<", "DESC")
    };
    let by = format!("coalesce(({})::DOUBLE, 0)", asked.by);
    let after = match &asked.after {
        Some(Cursor(number, value, _)) => {
            values.extend([Value::Double(*number), Value::Double(*number)]);
            values.push(Value::Text(value.clone()));
            format!("({by} {beyond} ? OR ({by} = ? AND value {beyond} ?))")
        }
        None => "true".into(),
    };
    values.push(Value::UBigInt(asked.limit as u64 + 1));
    let sql = format!(
        "WITH found AS MATERIALIZED (
            SELECT value, {FIGURES} FROM ({rows}) WHERE value IS NOT NULL GROUP BY value)
         SELECT *, {by} AS ordered_by, (SELECT count(*) FROM found)::UBIGINT
         FROM found WHERE {after} ORDER BY ordered_by {direction}, value {direction} LIMIT ?"
    );
    let mut statement = connection.prepare(&sql)?;
    let read = |row: &Row<'_>| {
        let figures = Figures::read(row, 1, |count| chosen.estimate(count))?;
        Ok((row.get::<_, String>(0)?, figures, row.get(9)?, row.get(10)?))
    };
    let found = statement.query_map(params_from_iter(values), read)?;
    let mut found: Vec<(String, Figures, f64, u64)> = found.collect::<Result<_, _>>()?;
    let more = found.len() > asked.limit;
    found.truncate(asked.limit);
    let next = found.last().filter(|_| more).and_then(|(value, _, by, _)| {
        asked
            .pages
            .write(&Cursor(*by, value.clone(), asked.scope.seen(chosen)))
    });
    Ok(Page {
        extent: chosen.extent(),
        count: found.first().map_or(0, |(.., count)| *count),
        items: found
            .into_iter()
            .map(|(value, figures, ..)| item(value, figures))
            .collect(),
        next,
    })
}
