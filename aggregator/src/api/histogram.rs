//! `GET /v1/sessions/histogram`: when it happened.

use std::collections::BTreeMap;
use std::sync::Arc;

use duckdb::{Connection, Row, params_from_iter};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use super::error::ApiError;
use super::params::Params;
use super::request::{Access, Call, call, json, respond};
use super::scope::{Chosen, Extent, IS_BOT, Scope};
use super::{App, query};
use crate::store::StoreError;
use crate::time;

/// Widths of buckets, seconds.
const WIDTHS_S: &[i64] = &[
    1,
    2,
    5,
    10,
    15,
    30,
    60,
    120,
    300,
    600,
    900,
    1800,
    3600,
    7200,
    10_800,
    21_600,
    43_200,
    86_400,
    7 * 86_400,
    30 * 86_400,
    365 * 86_400,
];
const BUCKETS: i64 = 60;
const BUCKETS_MAX: u64 = 1000;

/// A stretch of time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct Bucket {
    /// When it begins.
    #[schema(format = DateTime)]
    start: String,
    /// Sessions with a request in it.
    sessions: u64,
    /// Of these, sessions held for bots.
    bots: u64,
    /// Requests.
    requests: u64,
    /// Of these, requests of sessions held for bots.
    bot_requests: u64,
    /// Requests answered with 400 to 499.
    errors_4xx: u64,
    /// Requests answered with 500 to 599.
    errors_5xx: u64,
}

/// Counts over time.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub(super) struct Histogram {
    /// What was looked at.
    extent: Extent,
    /// How long a bucket is, seconds; buckets begin at multiples of it.
    width_s: i64,
    /// All buckets of the time in order, also empty ones.
    buckets: Vec<Bucket>,
}

/// Which requests.
#[derive(Debug, Default, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters in the OpenAPI document")]
struct HistogramQuery {
    /// A filter, as `docs/filters.md` describes it. Without a time in it, all of it is covered.
    #[param(example = "app:shop last:24h")]
    q: Option<String>,
    /// Buckets at most, 1 to 1,000; 60 when absent.
    buckets: Option<u64>,
}

const PARAMETERS: &[&str] = &["q", "buckets"];

pub(super) fn route(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    warp::path!("v1" / "sessions" / "histogram")
        .and(call(app, Access::Read))
        .then(|call: Call| async move { respond(handle(&call).await) })
        .boxed()
}

/// Reads how many buckets there may be.
pub(super) fn most(params: &Params) -> Result<i64, ApiError> {
    match params.number("buckets")? {
        None => Ok(BUCKETS),
        Some(most @ 1..=BUCKETS_MAX) => Ok(i64::try_from(most).unwrap_or(BUCKETS)),
        Some(_) => Err(ApiError::BadParameter {
            parameter: "buckets",
            detail: format!("`buckets` is not between 1 and {BUCKETS_MAX}"),
            remedy: "give a number from 1 to 1000",
        }),
    }
}

/// The buckets of a stretch of time: width, first and last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Buckets {
    /// Microseconds.
    pub(super) width_us: i64,
    first: i64,
    last: i64,
}

impl Buckets {
    /// At most `most` that cover `from_us` to `to_us`.
    pub(super) fn cover(from_us: i64, to_us: i64, most: i64) -> Self {
        let end_us = to_us.max(from_us.saturating_add(1)).saturating_sub(1);
        let of = |width_s: i64| {
            let width_us = width_s.saturating_mul(1_000_000);
            Self {
                width_us,
                first: from_us.div_euclid(width_us),
                last: end_us.div_euclid(width_us),
            }
        };
        let fits = |it: &Self| it.last.saturating_sub(it.first) < most;
        let found = WIDTHS_S.iter().map(|width| of(*width)).find(fits);
        found.unwrap_or_else(|| {
            // Ages: years, as many as it takes.
            let years =
                (end_us.saturating_sub(from_us) / most / (365 * 86_400_000_000)).saturating_add(2);
            of(years.saturating_mul(365 * 86_400))
        })
    }

    /// The number of each bucket, and when it begins.
    pub(super) fn each(self) -> impl Iterator<Item = (i64, String)> {
        let width_us = self.width_us;
        (self.first..=self.last).map(move |it| (it, time::text(it.saturating_mul(width_us))))
    }

    /// The number of the bucket of a row's `start`, as SQL.
    pub(super) fn sql(self) -> String {
        // Whole microseconds: `//` rounds down, also before 1970.
        format!("floor(epoch_us(start) / {})::BIGINT", self.width_us)
    }
}

/// Counts over time.
#[utoipa::path(
    get, path = "/v1/sessions/histogram", tag = "sessions",
    params(HistogramQuery), security((), ("read_token" = [])),
    description = "Counts the requests of the sessions that the filter selects, within its time.",
    responses((status = 200, description = "Counts over time", body = Histogram)),
)]
async fn handle(call: &Call) -> Result<Response, ApiError> {
    let params = call.params(PARAMETERS)?;
    let scope = Scope::read(&params, &call.app)?;
    let most = most(&params)?;
    let found = query::run(call, move |connection| histogram(connection, &scope, most));
    json(&found.await?)
}

/// The time asked about; where it is open, that of the records.
fn times(
    connection: &Connection,
    scope: &Scope,
    chosen: &Chosen,
) -> Result<Option<(i64, i64)>, StoreError> {
    if let Some(times) = scope.times(None) {
        return Ok(Some(times));
    }
    let sql = format!(
        "SELECT epoch_us(min(start)), epoch_us(max(start)) FROM records WHERE {}",
        chosen.records.sql
    );
    let values = params_from_iter(chosen.records.values.clone());
    let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
    let found: (Option<i64>, Option<i64>) = connection.query_row(&sql, values, read)?;
    Ok(scope.times(found.0.zip(found.1)))
}

fn histogram(connection: &Connection, scope: &Scope, most: i64) -> Result<Histogram, StoreError> {
    let chosen = scope.choose(connection, false)?;
    let Some((from_us, to_us)) = times(connection, scope, &chosen)? else {
        return Ok(Histogram {
            extent: chosen.extent(),
            width_s: 1,
            buckets: Vec::new(),
        });
    };
    let buckets = Buckets::cover(from_us, to_us, most);
    let sql = format!(
        "SELECT bucket, count(*)::UBIGINT, (count(*) FILTER (bot))::UBIGINT,
            sum(requests)::UBIGINT, coalesce(sum(requests) FILTER (bot), 0)::UBIGINT,
            sum(errors_4xx)::UBIGINT, sum(errors_5xx)::UBIGINT
         FROM (
            SELECT {} AS bucket, session, {IS_BOT} AS bot, count(*) AS requests,
                count(*) FILTER (status BETWEEN 400 AND 499) AS errors_4xx,
                count(*) FILTER (status BETWEEN 500 AND 599) AS errors_5xx
            FROM records WHERE {} GROUP BY ALL)
         GROUP BY bucket",
        buckets.sql(),
        chosen.records.sql
    );
    let mut statement = connection.prepare(&sql)?;
    let read = |row: &Row<'_>| {
        let count = |column| row.get(column).map(|count| chosen.estimate(count));
        let bucket = Bucket {
            start: String::new(),
            sessions: count(1)?,
            bots: count(2)?,
            requests: count(3)?,
            bot_requests: count(4)?,
            errors_4xx: count(5)?,
            errors_5xx: count(6)?,
        };
        Ok((row.get::<_, i64>(0)?, bucket))
    };
    let values = params_from_iter(chosen.records.values.clone());
    let rows = statement.query_map(values, read)?;
    let mut found: BTreeMap<i64, Bucket> = rows.collect::<Result<_, _>>()?;
    let all = buckets.each().map(|(number, start)| Bucket {
        start,
        ..found.remove(&number).unwrap_or_default()
    });
    Ok(Histogram {
        extent: chosen.extent(),
        width_s: buckets.width_us / 1_000_000,
        buckets: all.collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_cover_the_time_and_are_not_too_many() {
        const HOUR: i64 = 3_600_000_000;
        for (from_us, to_us, most, width_s, count) in [
            (0, HOUR, 60, 60, 60),
            (1, HOUR + 1, 60, 120, 31),
            (0, 24 * HOUR, 60, 1800, 48),
            (0, 24 * HOUR, 1, 86_400, 1),
            (5, 5, 60, 1, 1),
            (5, 2, 60, 1, 1),
            (-HOUR, 0, 12, 300, 12),
        ] {
            let buckets = Buckets::cover(from_us, to_us, most);
            let found = (buckets.width_us / 1_000_000, buckets.each().count());
            assert_eq!(found, (width_s, count), "{from_us} {to_us} {most}");
        }
        for most in [1, 2, 60] {
            let ages = Buckets::cover(i64::MIN / 2, i64::MAX / 2, most);
            assert!(ages.each().count() <= 60, "{most}");
        }
    }
}
