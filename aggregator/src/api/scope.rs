//! What an answer is about: the sessions that a filter selects, and a stretch of time. Where that is
//! too much to look at, a share of the sessions stands for all, and the answer says so.

use std::sync::Arc;

use duckdb::types::Value;
use duckdb::{Connection, params_from_iter};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::App;
use super::error::ApiError;
use super::params::Params;
use super::sessions::{self, at};
pub(super) use crate::filters::IS_BOT;
use crate::filters::{Clause, Seen, SessionFilter};
use crate::store::{Database, SLOT_US, StoreError, folded, rows_at};
use crate::time;

/// Records that one answer looks at, about: beyond, sessions are sampled.
const RECORDS_MAX: u64 = 500_000;
/// The same of answers that order the requests of each session, or count many things of each.
pub(super) const HEAVY_RECORDS_MAX: u64 = 200_000;
/// A share this small of what is looked at otherwise will do where only the sessions are sampled, and all
/// else is summed.
const SUMMED_PART: u64 = 2;
/// Slots of sums in a time that is looked up in them, at least: they make it longer by two at most.
const SLOTS_MIN: i64 = 24;
/// An estimate will do where there is so many times what is looked at.
const FAR: u64 = 4;

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
    now_us: i64,
    /// The log position that the first page saw; none on that page, which sees what is summed.
    position: Option<u64>,
    /// How many requests there were on the first page.
    requests: Option<u64>,
    /// Records that are looked at, about.
    records_max: u64,
}

/// What all pages of an answer see: a log position, how many requests there are, so that the share of
/// them is one for all, and a stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SeenBefore(u64, u64, Option<i64>, Option<i64>);

/// Which rows there are to look at.
#[derive(Debug, Clone)]
pub(super) struct Chosen {
    /// Of `records`.
    pub(super) records: Clause,
    /// Of anything with a column `session`.
    pub(super) sessions: Clause,
    /// The table `chosen` holds the sessions, with their number of requests.
    table: bool,
    /// How many there are, before a share of them is taken, about.
    requests: u64,
    share: f64,
    from_us: Option<i64>,
    to_us: Option<i64>,
    position: u64,
}

impl Scope {
    /// Reads the parameter `q`.
    pub(super) fn read(params: &Params, app: &App) -> Result<Self, ApiError> {
        let now_us = app.clock.now_us();
        Ok(Self {
            database: Arc::clone(&app.database),
            filter: sessions::filter(params, now_us)?,
            now_us,
            position: None,
            requests: None,
            records_max: RECORDS_MAX,
        })
    }

    /// All that is in `database`.
    #[cfg(test)]
    pub(super) fn of_all(database: &Arc<Database>, filter: SessionFilter, now_us: i64) -> Self {
        Self {
            database: Arc::clone(database),
            filter,
            now_us,
            position: Some(u64::MAX >> 1),
            requests: None,
            records_max: RECORDS_MAX,
        }
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

    /// The time asked about; where it is open, that from the first to the last of the records, if there are any.
    pub(super) fn times(&self, of_records: Option<(i64, i64)>) -> Option<(i64, i64)> {
        let (from_us, to_us) = self.range();
        from_us.zip(to_us).or_else(|| {
            let (first_us, last_us) = of_records?;
            let end_us = last_us.saturating_add(1);
            Some((from_us.unwrap_or(first_us), to_us.unwrap_or(end_us)))
        })
    }

    /// Sees what was there before: on the pages that follow a cursor.
    pub(super) fn see(&mut self, seen: &SeenBefore) {
        let SeenBefore(position, requests, from_us, to_us) = *seen;
        self.position = Some(position);
        self.requests = Some(requests);
        self.filter.from_us = from_us;
        self.filter.to_us = to_us;
    }

    /// For the next page.
    pub(super) fn seen(&self, chosen: &Chosen) -> SeenBefore {
        let (from_us, to_us) = self.range();
        SeenBefore(chosen.position, chosen.requests, from_us, to_us)
    }

    /// What the filter asks of one request, on the columns of `records`.
    pub(super) fn request(&self) -> Clause {
        self.filter.request()
    }

    /// Whether the filter asks anything of a request.
    pub(super) fn asks_for_requests(&self) -> bool {
        self.filter.asks_for_requests()
    }

    /// Whether it is all sessions of the time.
    pub(super) fn is_plain(&self) -> bool {
        self.filter.is_plain()
    }

    /// Finds out what there is to look at. With `list`, the sessions are always listed in a table.
    pub(super) fn choose(&self, connection: &Connection, list: bool) -> Result<Chosen, StoreError> {
        let table = list || !self.is_plain();
        let position = self.position(connection)?;
        if !self.is_plain() {
            self.select(connection, position)?;
        }
        self.narrow(connection, &["records"])?;
        let requests = match self.requests {
            Some(requests) => requests,
            None if self.is_plain() => self.count(connection, position)?,
            None => {
                let sql = "SELECT coalesce(sum(requests), 0)::UBIGINT FROM chosen";
                connection.query_row(sql, [], |row| row.get(0))?
            }
        };
        if self.is_plain() && table {
            let sample = sample(requests, self.records_max).0;
            self.list(connection, &Clause::all([self.in_time(position), sample]))?;
        }
        Ok(self.chosen(position, requests, table))
    }

    /// A share of `requests`, of the sessions in the table `chosen` or of all.
    fn chosen(&self, position: u64, requests: u64, table: bool) -> Chosen {
        let (sample, share) = sample(requests, self.records_max);
        let sessions = if table {
            let chosen = Clause::new("session IN (SELECT session FROM chosen)", []);
            Clause::all([chosen, sample])
        } else {
            sample
        };
        let (from_us, to_us) = self.range();
        Chosen {
            records: Clause::all([self.in_time(position), sessions.clone()]),
            sessions,
            table,
            requests,
            share,
            from_us,
            to_us,
            position,
        }
    }

    /// The rows of `records` within the scope for which `which` holds too, all of them.
    pub(super) fn of(
        &self,
        connection: &Connection,
        which: Clause,
    ) -> Result<(Clause, Extent), StoreError> {
        let position = self.position(connection)?;
        let mut all = vec![which, self.in_time(position)];
        if !self.is_plain() {
            self.select(connection, position)?;
            self.narrow(connection, &["records"])?;
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

    /// What was chosen, for the whole slots that the time lies in, with a condition on rows of
    /// `endpoint_sums`: where that is long and only a share of it was chosen, and all of it is summed.
    pub(super) fn in_slots(
        &self,
        connection: &Connection,
        chosen: &Chosen,
    ) -> Result<Option<(Self, Chosen, Clause)>, StoreError> {
        let (from_us, to_us) = self.limits();
        let length_us = to_us.min(self.now_us).saturating_sub(from_us);
        let long = length_us >= SLOTS_MIN * SLOT_US;
        let Some(applications) = self.filter.applications().filter(|_| long) else {
            return Ok(None);
        };
        let mut slots = self.clone().at_most(self.records_max / SUMMED_PART);
        let begin = |at_us: i64| at_us.saturating_sub(at_us.rem_euclid(SLOT_US));
        slots.filter.from_us = self.filter.from_us.map(begin);
        let end = |at_us: i64| begin(at_us.saturating_add(SLOT_US - 1));
        slots.filter.to_us = self.filter.to_us.map(end);
        let (from_us, to_us) = slots.limits();
        if chosen.share >= 1.0 || !slots.database.summed(connection, from_us, to_us)? {
            return Ok(None);
        }
        slots.narrow(connection, &["records", "endpoint_sums"])?;
        let chosen = slots.chosen(chosen.position, chosen.requests, chosen.table);
        let mut sums = vec![applications, stored(chosen.position)];
        sums.extend(slots.between("slot"));
        Ok(Some((slots, chosen, Clause::all(sums))))
    }

    /// How many requests there are in the time, all sessions': exactly where that is not many times as
    /// much as is looked at, and at most so many where that is little.
    fn count(&self, connection: &Connection, position: u64) -> Result<u64, StoreError> {
        let count = |from: &str, which: Clause| -> Result<u64, StoreError> {
            let sql = format!("SELECT count(*)::UBIGINT FROM {from} WHERE {}", which.sql);
            Ok(connection.query_row(&sql, params_from_iter(which.values), |row| row.get(0))?)
        };
        let (from_us, to_us) = self.limits();
        if let Some(closed) = self.database.within(connection, from_us, to_us)? {
            let hot = count("hot_records", self.in_time(position))?;
            let (most, about) = (closed.most + hot, closed.about + hot);
            if most <= self.records_max {
                return Ok(most);
            }
            if about / FAR > self.records_max {
                return Ok(about);
            }
        }
        count("records", self.in_time(position))
    }

    /// Leaves out what began before or after the time. Once the sessions are known: a filter means
    /// all their requests.
    fn narrow(&self, connection: &Connection, kinds: &[&str]) -> Result<(), StoreError> {
        let (from_us, to_us) = self.limits();
        self.database.narrow(connection, kinds, from_us, to_us)
    }

    /// Has the view `kind` leave out files from before the sessions chosen began, and after they ended.
    pub(super) fn narrow_to(
        &self,
        connection: &Connection,
        chosen: &Chosen,
        kind: &str,
    ) -> Result<(), StoreError> {
        let sql = format!(
            "SELECT epoch_us(min(first)), epoch_us(max(last)) FROM session_sums WHERE {}",
            chosen.sessions.sql
        );
        let values = params_from_iter(chosen.sessions.values.clone());
        let read = |row: &duckdb::Row<'_>| Ok((row.get(0)?, row.get(1)?));
        let ends: (Option<i64>, Option<i64>) = connection.query_row(&sql, values, read)?;
        // Whoever is not among the sums yet has nothing in files.
        let (first_us, last_us) = ends.0.zip(ends.1).unwrap_or((i64::MAX, i64::MIN));
        self.database.narrow(connection, &[kind], first_us, last_us)
    }

    /// The time, from the beginning to the end where nothing is said.
    fn limits(&self) -> (i64, i64) {
        let (from_us, to_us) = self.range();
        (from_us.unwrap_or(i64::MIN), to_us.unwrap_or(i64::MAX))
    }

    /// The log position up to which it sees.
    fn position(&self, connection: &Connection) -> Result<u64, StoreError> {
        self.position.map_or_else(|| folded(connection), Ok)
    }

    /// `column` is within the time.
    fn between(&self, column: &str) -> impl Iterator<Item = Clause> {
        let (from_us, to_us) = self.range();
        let end = |sign: &str, end_us| Clause::new(format!("{column} {sign} ?"), [at(end_us)]);
        let from = from_us.map(|from_us| end(">=", from_us));
        from.into_iter().chain(to_us.map(|to_us| end("<", to_us)))
    }

    fn in_time(&self, position: u64) -> Clause {
        Clause::all([stored(position)].into_iter().chain(self.between("start")))
    }

    /// The sessions that the filter selects.
    fn select(&self, connection: &Connection, position: u64) -> Result<(), StoreError> {
        let chosen = self.filter.selection_in_steps(Seen::to(position));
        self.database.find(connection, &chosen)?;
        let sql = format!(
            "CREATE TEMP TABLE chosen AS SELECT session, requests FROM {} AS sessions WHERE {}",
            rows_at(connection, position)?,
            chosen.sql
        );
        Ok(chosen.run(connection, &sql)?)
    }

    /// The sessions of these records.
    fn list(&self, connection: &Connection, all: &Clause) -> Result<(), StoreError> {
        let sql = format!(
            "CREATE TEMP TABLE chosen AS SELECT session, count(*)::UBIGINT AS requests
             FROM records WHERE {} GROUP BY session",
            all.sql
        );
        Ok(all.run(connection, &sql)?)
    }
}

/// What was there.
fn stored(position: u64) -> Clause {
    Clause::new("position < ?", [Value::UBigInt(position)])
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

    /// The log position up to which it sees.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// Whether it is a share that stands for all.
    pub(super) fn is_share(&self) -> bool {
        self.share < 1.0
    }

    /// How many sessions and requests there are in it.
    pub(super) fn totals(&self, connection: &Connection) -> Result<(u64, u64), StoreError> {
        let counted = "count(*)::UBIGINT, coalesce(sum(requests), 0)::UBIGINT";
        let (sql, of) = if self.table {
            let sessions = &self.sessions;
            let sql = format!("SELECT {counted} FROM chosen WHERE {}", sessions.sql);
            (sql, sessions)
        } else {
            let sql = format!(
                "SELECT {counted} FROM (
                    SELECT session, count(*) AS requests FROM records WHERE {} GROUP BY session)",
                self.records.sql
            );
            (sql, &self.records)
        };
        let values = params_from_iter(of.values.clone());
        let read = |row: &duckdb::Row<'_>| Ok((row.get(0)?, row.get(1)?));
        Ok(connection.query_row(&sql, values, read)?)
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
