//! The most frequent values of a column, for the pages about one endpoint, source or user.

use duckdb::{Connection, params_from_iter};
use serde::Serialize;
use utoipa::ToSchema;

use super::scope::IS_BOT;
use crate::filters::Clause;
use crate::store::{PARAM_SUMS, StoreError};

/// A value, and how often it occurs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct TopValue {
    /// The value.
    value: String,
    /// Requests with it.
    requests: u64,
    /// Sessions with it.
    sessions: u64,
}

/// The most frequent values, and what they leave out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct Top {
    /// The values with most requests, first.
    values: Vec<TopValue>,
    /// How many different ones there are.
    count: u64,
}

impl Top {
    /// What stands for all, where a share of them was counted. How many different values there are cannot be
    /// told from it: at least so many.
    pub(super) fn estimated(mut self, estimate: impl Fn(u64) -> u64) -> Self {
        for value in &mut self.values {
            value.requests = estimate(value.requests);
            value.sessions = estimate(value.sessions);
        }
        self
    }
}

/// The most frequent values of `expression` over the rows of `records` that `which` selects.
pub(super) fn of_records(
    connection: &Connection,
    expression: &str,
    which: &Clause,
    limit: u64,
) -> Result<Top, StoreError> {
    let from = format!("records WHERE {}", which.sql);
    most(connection, (expression, "count(*)"), &from, which, limit)
}

/// The same of rows that are sums already: `from` stands behind FROM.
pub(super) fn of_sums(
    connection: &Connection,
    from: &str,
    column: &str,
    limit: u64,
) -> Result<Top, StoreError> {
    let summed = (column, "sum(requests)");
    most(connection, summed, from, &Clause::default(), limit)
}

/// Users among the sessions with a row of `records` that `which` selects.
pub(super) fn users(
    connection: &Connection,
    which: &Clause,
    limit: u64,
) -> Result<Top, StoreError> {
    let from = format!(
        "{PARAM_SUMS} WHERE kind = 'user' AND session IN (SELECT session FROM records WHERE {})",
        which.sql
    );
    most(connection, ("value", "sum(requests)"), &from, which, limit)
}

/// The most frequent of `value`, each with its `requests`; `from` stands behind FROM, with the values of
/// `which`.
fn most(
    connection: &Connection,
    (value, requests): (&str, &str),
    from: &str,
    which: &Clause,
    limit: u64,
) -> Result<Top, StoreError> {
    let sql = format!(
        "SELECT value::VARCHAR, requests, sessions, (count(*) OVER ())::UBIGINT FROM (
            SELECT {value} AS value, {requests}::UBIGINT AS requests,
                count(DISTINCT session)::UBIGINT AS sessions
            FROM {from} GROUP BY ALL)
         WHERE value IS NOT NULL ORDER BY requests DESC, value LIMIT {limit}"
    );
    let mut statement = connection.prepare(&sql)?;
    let rows = statement.query_map(params_from_iter(which.values.clone()), |row| {
        let value = TopValue {
            value: row.get(0)?,
            requests: row.get(1)?,
            sessions: row.get(2)?,
        };
        Ok((value, row.get(3)?))
    })?;
    let rows: Vec<(TopValue, u64)> = rows.collect::<Result<_, _>>()?;
    Ok(Top {
        count: rows.first().map_or(0, |(_, count)| *count),
        values: rows.into_iter().map(|(value, _)| value).collect(),
    })
}

/// What some requests have in common.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(super) struct Figures {
    /// Number of requests.
    pub(super) requests: u64,
    /// Sessions with one of them.
    pub(super) sessions: u64,
    /// Of these, sessions held for bots.
    pub(super) bots: u64,
    /// Requests answered with 400 to 499.
    pub(super) errors_4xx: u64,
    /// Requests answered with 500 to 599.
    pub(super) errors_5xx: u64,
    /// Bytes of bodies, both ways.
    pub(super) bytes: u64,
    /// Start of the first.
    #[schema(format = DateTime)]
    pub(super) first: Option<String>,
    /// Start of the last.
    #[schema(format = DateTime)]
    pub(super) last: Option<String>,
}

/// Columns of [`Figures::read`] over rows of [`rows`], each of another session.
pub(super) const FIGURES: &str = "coalesce(sum(requests), 0)::UBIGINT AS requests,
    count(*)::UBIGINT AS sessions, (count(*) FILTER (bot))::UBIGINT AS bots,
    coalesce(sum(errors_4xx), 0)::UBIGINT AS errors_4xx,
    coalesce(sum(errors_5xx), 0)::UBIGINT AS errors_5xx,
    least(coalesce(sum(bytes), 0), 18446744073709551615)::UBIGINT AS bytes,
    epoch_us(min(first)) AS first_us, epoch_us(max(last)) AS last_us";

/// The rows of `records` that `which` selects, summed for each session and `more` columns: to count
/// sessions that are told apart already takes a fifth of the time.
pub(super) fn rows(which: &Clause, more: &str) -> String {
    format!(
        "SELECT session, {IS_BOT} AS bot, count(*) AS requests,
            count(*) FILTER (status BETWEEN 400 AND 499) AS errors_4xx,
            count(*) FILTER (status BETWEEN 500 AND 599) AS errors_5xx,
            sum(request_bytes) + sum(response_bytes) AS bytes,
            min(start) AS first, max(start) AS last{more}
         FROM records WHERE {} GROUP BY ALL",
        which.sql
    )
}

impl Figures {
    /// Reads the columns from `column` on.
    pub(super) fn read(
        row: &duckdb::Row<'_>,
        column: usize,
        estimate: impl Fn(u64) -> u64,
    ) -> duckdb::Result<Self> {
        let count = |place| row.get(column + place).map(&estimate);
        let time = |place| -> duckdb::Result<Option<String>> {
            let at_us: Option<i64> = row.get(column + place)?;
            Ok(at_us.map(crate::time::text))
        };
        Ok(Self {
            requests: count(0)?,
            sessions: count(1)?,
            bots: count(2)?,
            errors_4xx: count(3)?,
            errors_5xx: count(4)?,
            bytes: count(5)?,
            first: time(6)?,
            last: time(7)?,
        })
    }
}

/// The figures of the rows of `records` that `which` selects.
pub(super) fn figures(connection: &Connection, which: &Clause) -> Result<Figures, StoreError> {
    let sql = format!("SELECT {FIGURES} FROM ({})", rows(which, ""));
    let values = params_from_iter(which.values.clone());
    Ok(connection.query_row(&sql, values, |row| Figures::read(row, 0, |count| count))?)
}
