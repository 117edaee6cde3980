//! What an answer is about: the sessions that a filter selects, and a stretch of time. Where that is
//! too much to look at, a share of the sessions stands for all, and the answer says so.

use std::sync::Arc;

use duckdb::types::Value;
use duckdb::{Connection, params_from_iter};
use serde::Serialize;
use utoipa::ToSchema;

use super::App;
use super::error::ApiError;
use super::params::Params;
use super::sessions::{self, at};
pub(super) use crate::filters::IS_BOT;
use crate::filters::{Clause, Seen, SessionFilter};
use crate::store::{Database, StoreError, rows_at};
use crate::time;

/// Records that one answer looks at, about: beyond, sessions are sampled.
const RECORDS_MAX: u64 = 1_000_000;
/// The same of answers that order the requests of each session, or count many things of each.
pub(super) const HEAVY_RECORDS_MAX: u64 = 200_000;

/// What an answer looked at.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(super) struct Extent {
    /// Requests at or after this time; null: from the beginning.
    #[schema(format = DateTime)]
    pub(super) from: Option<String>,
    /// Requests before this time; null: to the end.
    #[schema(format = DateTime)]
    pub(super) to: Option<String>,
    /// Everything was looked at, and every count is exact.
    pub(super) exact: bool,
    /// Share of the sessions that was looked at, above 0 to 1. Below 1 the counts are estimates for
    /// all, made from this share.
    pub(super) sampled: f64,
}

/// What is asked about.
#[derive(Clone)]
pub(super) struct Scope {
    database: Arc<Database>,
    filter: SessionFilter,
    position: u64,
    /// Records that are looked at, about.
    records_max: u64,
}

/// Which rows there are to look at.
#[derive(Debug, Clone)]
pub(super) struct Chosen {
    /// Of `records`.
    pub(super) records: Clause,
    /// Of anything with a column `session`.
    pub(super) sessions: Clause,
    /// The table `chosen` holds the sessions, with their number of requests.
    table: bool,
    share: f64,
    from_us: Option<i64>,
    to_us: Option<i64>,
    position: u64,
}

impl Scope {
    /// Reads the parameter `q`.
    pub(super) fn read(params: &Params, app: &App) -> Result<Self, ApiError> {
        Ok(Self {
            database: Arc::clone(&app.database),
            filter: sessions::filter(params, app.clock.now_us())?,
            position: app.health.position(),
            records_max: RECORDS_MAX,
        })
    }

    /// Looks at about this many records at most.
    pub(super) fn at_most(self, records_max: u64) -> Self {
        Self {
            records_max,
            ..self
        }
    }

    /// The time asked about, microseconds since the Unix epoch.
    pub(super) fn range(&self) -> (Option<i64>, Option<i64>) {
        (self.filter.from_us, self.filter.to_us)
    }

    /// Sees what was there before: on the pages that follow a cursor.
    pub(super) fn see(&mut self, position: u64, from_us: Option<i64>, to_us: Option<i64>) {
        self.position = position;
        self.filter.from_us = from_us;
        self.filter.to_us = to_us;
    }

    /// Whether it is all sessions of the time.
    pub(super) fn is_plain(&self) -> bool {
        self.filter.is_plain()
    }

    /// Finds out what there is to look at. With `list`, the sessions are always listed in a table.
    pub(super) fn choose(&self, connection: &Connection, list: bool) -> Result<Chosen, StoreError> {
        let (from_us, to_us) = self.range();
        let table = list || !self.is_plain();
        let requests: u64 = if self.is_plain() {
            self.narrow(connection)?;
            let all = self.in_time();
            let sql = format!("SELECT count(*)::UBIGINT FROM records WHERE {}", all.sql);
            connection.query_row(&sql, params_from_iter(all.values), |row| row.get(0))?
        } else {
            self.select(connection)?;
            self.narrow(connection)?;
            let sql = "SELECT coalesce(sum(requests), 0)::UBIGINT FROM chosen";
            connection.query_row(sql, [], |row| row.get(0))?
        };
        let (sample, share) = sample(requests, self.records_max);
        if self.is_plain() && table {
            self.list(connection, &sample)?;
        }
        let sessions = if table {
            let chosen = Clause::new("session IN (SELECT session FROM chosen)", []);
            Clause::all([chosen, sample])
        } else {
            sample
        };
        Ok(Chosen {
            records: Clause::all([self.in_time(), sessions.clone()]),
            sessions,
            table,
            share,
            from_us,
            to_us,
            position: self.position,
        })
    }

    /// The rows of `records` within the scope for which `which` holds too, all of them.
    pub(super) fn of(
        &self,
        connection: &Connection,
        which: Clause,
    ) -> Result<(Clause, Extent), StoreError> {
        let mut all = vec![which, self.in_time()];
        if !self.is_plain() {
            self.select(connection)?;
            self.narrow(connection)?;
            all.push(Clause::new("session IN (SELECT session FROM chosen)", []));
        }
        let (from_us, to_us) = self.range();
        let extent = Extent {
            from: from_us.map(time::text),
            to: to_us.map(time::text),
            exact: true,
            sampled: 1.0,
        };
        Ok((Clause::all(all), extent))
    }

    /// Leaves out what began before or after the time. Once the sessions are known: a filter means
    /// all their requests.
    fn narrow(&self, connection: &Connection) -> Result<(), StoreError> {
        let (from_us, to_us) = self.range();
        let (from_us, to_us) = (from_us.unwrap_or(i64::MIN), to_us.unwrap_or(i64::MAX));
        self.database
            .narrow(connection, &["records"], from_us, to_us)
    }

    fn in_time(&self) -> Clause {
        let (from_us, to_us) = self.range();
        let from = from_us.map(|from_us| Clause::new("start >= ?", [at(from_us)]));
        let to = to_us.map(|to_us| Clause::new("start < ?", [at(to_us)]));
        let seen = Clause::new("position < ?", [Value::UBigInt(self.position)]);
        Clause::all([Some(seen), from, to].into_iter().flatten())
    }

    /// The sessions that the filter selects.
    fn select(&self, connection: &Connection) -> Result<(), StoreError> {
        let chosen = self.filter.selection_in_steps(Seen::to(self.position));
        chosen.find(connection)?;
        let sql = format!(
            "CREATE TEMP TABLE chosen AS SELECT session, requests FROM {} AS sessions WHERE {}",
            rows_at(self.position),
            chosen.sql
        );
        connection.execute(&sql, params_from_iter(chosen.values))?;
        Ok(())
    }

    /// The sessions of the time.
    fn list(&self, connection: &Connection, sample: &Clause) -> Result<(), StoreError> {
        let all = Clause::all([self.in_time(), sample.clone()]);
        let sql = format!(
            "CREATE TEMP TABLE chosen AS SELECT session, count(*)::UBIGINT AS requests
             FROM records WHERE {} GROUP BY session",
            all.sql
        );
        connection.execute(&sql, params_from_iter(all.values))?;
        Ok(())
    }
}

/// Session ids are keyed hashes: those that begin low are a fair share of them.
fn sample(requests: u64, most: u64) -> (Clause, f64) {
    if requests <= most {
        return (Clause::new("true", []), 1.0);
    }
    let part = u128::from(most) * (1 << 32) / u128::from(requests);
    let end = u32::try_from(part).unwrap_or(u32::MAX).max(1);
    let clause = Clause::new("session < ?", [Value::Blob(end.to_be_bytes().to_vec())]);
    (clause, f64::from(end) / 4_294_967_296.0)
}

impl Chosen {
    /// For the answer.
    pub(super) fn extent(&self) -> Extent {
        Extent {
            from: self.from_us.map(time::text),
            to: self.to_us.map(time::text),
            exact: self.share >= 1.0,
            sampled: self.share,
        }
    }

    /// What stands for all, where `count` was counted in the sample.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an estimate; counts stay far below 2^53"
    )]
    pub(super) fn estimate(&self, count: u64) -> u64 {
        if self.share >= 1.0 {
            count
        } else {
            (count as f64 / self.share).round() as u64
        }
    }

    /// How many sessions and requests there are in it.
    pub(super) fn totals(&self, connection: &Connection) -> Result<(u64, u64), StoreError> {
        let (from, of) = if self.table {
            (
                "count(*), coalesce(sum(requests), 0)::UBIGINT FROM chosen",
                &self.sessions,
            )
        } else {
            (
                "count(DISTINCT session), count(*) FROM records",
                &self.records,
            )
        };
        let sql = format!("SELECT {from} WHERE {}", of.sql);
        let values = params_from_iter(of.values.clone());
        let read = |row: &duckdb::Row<'_>| Ok((row.get(0)?, row.get(1)?));
        Ok(connection.query_row(&sql, values, read)?)
    }

    /// The log position up to which it sees.
    pub(super) fn position(&self) -> u64 {
        self.position
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_beyond_the_limit() {
        let most = RECORDS_MAX;
        assert_eq!(sample(most, most), (Clause::new("true", []), 1.0));
        let (clause, share) = sample(most * 4, most);
        assert_eq!(clause.sql, "session < unhex('40000000')");
        assert!((share - 0.25).abs() < 1e-9);
        assert!(sample(u64::MAX, most).1 > 0.0);
    }
}
