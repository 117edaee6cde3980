//! `GET /v1/bots`: which kinds of bots there are, since when, from where and after what.

use std::collections::BTreeMap;
use std::sync::Arc;

use duckdb::{Connection, Row};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use super::error::ApiError;
use super::histogram::{self, Buckets};
use super::request::{Access, Call, call, json, respond};
use super::scope::{Chosen, Extent, Scope};
use super::top::{self, Top};
use super::{App, query};
use crate::store::StoreError;

/// Sources and targets listed.
const TOP_MAX: u64 = 20;
/// Verdicts whose detectors are looked at, the latest.
const VERDICTS_MAX: usize = 10_000;
/// Combinations of detectors listed.
const COMBINATIONS_MAX: usize = 50;

/// Bots of one type.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub(super) struct BotType {
    /// The type.
    #[schema(example = "account_takeover")]
    bot_type: String,
    /// Sessions held for it.
    sessions: u64,
    /// Their requests.
    requests: u64,
    /// For each bucket, requests of these sessions in it.
    over_time: Vec<u64>,
}

/// Detectors that voted together.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct Combination {
    /// The detectors, in alphabetical order.
    detectors: Vec<String>,
    /// Sessions whose verdict has just their votes.
    sessions: u64,
}

/// All bots at a glance.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub(super) struct Bots {
    /// What was looked at.
    extent: Extent,
    /// Sessions that the filter selects.
    sessions: u64,
    /// Of these, sessions held for bots: flagged, and nobody says that it is wrong.
    bots: u64,
    /// Requests of the sessions that the filter selects.
    requests: u64,
    /// Of these, requests of bots.
    bot_requests: u64,
    /// By type, the one with most sessions first.
    types: Vec<BotType>,
    /// How long a bucket is, seconds.
    width_s: i64,
    /// When the buckets begin.
    buckets: Vec<String>,
    /// Addresses that most of the bots' requests come from.
    sources: Top,
    /// Endpoints that most of the bots' requests go to.
    targets: Top,
    /// What detectors see together, the most frequent first; at most 50, of the latest 10,000
    /// verdicts.
    combinations: Vec<Combination>,
    /// Only the latest 10,000 verdicts were looked at for the combinations.
    combinations_cut: bool,
}

/// Which bots.
#[derive(Debug, Default, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters in the OpenAPI document")]
struct BotsQuery {
    /// A filter, as `docs/filters.md` describes it: requests of its sessions, within its time.
    #[param(example = "app:shop last:24h")]
    q: Option<String>,
    /// Buckets at most, 1 to 1,000; 60 when absent.
    buckets: Option<u64>,
}

const PARAMETERS: &[&str] = &["q", "buckets"];

pub(super) fn route(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    warp::path!("v1" / "bots")
        .and(call(app, Access::Read))
        .then(|call: Call| async move { respond(handle(&call).await) })
        .boxed()
}

/// All bots at a glance: by type over time, where they come from, what they are after, and which
/// detectors see them.
#[utoipa::path(
    get, path = "/v1/bots", tag = "verdicts", params(BotsQuery), security((), ("read_token" = [])),
    responses((status = 200, description = "The bots", body = Bots)),
)]
pub(super) async fn handle(call: &Call) -> Result<Response, ApiError> {
    let params = call.params(PARAMETERS)?;
    let scope = Scope::read(&params, &call.app)?;
    let most = histogram::most(&params)?;
    let found = query::run(call, move |connection| bots(connection, &scope, most));
    json(&found.await?)
}

fn bots(connection: &Connection, scope: &Scope, most: i64) -> Result<Bots, StoreError> {
    let chosen = scope.choose(connection, false)?;
    ask(connection, &chosen)?;
    let Summary {
        sessions,
        requests,
        bots,
        bot_requests,
        times,
    } = Summary::read(connection)?;
    let buckets = scope.times(times);
    let buckets = buckets.map(|(from_us, to_us)| Buckets::cover(from_us, to_us, most));
    let types = match buckets {
        Some(buckets) => types(connection, &chosen, buckets)?,
        None => Vec::new(),
    };
    let (combinations, combinations_cut) = combinations(connection, &chosen)?;
    let top = |column| {
        let top = top::of_sums(connection, "asked WHERE bot", column, TOP_MAX)?;
        Ok::<_, StoreError>(top.estimated(|count| chosen.estimate(count)))
    };
    Ok(Bots {
        extent: chosen.extent(),
        sessions: chosen.estimate(sessions),
        bots: chosen.estimate(bots),
        requests: chosen.estimate(requests),
        bot_requests: chosen.estimate(bot_requests),
        types,
        width_s: buckets.map_or(1, |it| it.width_us / 1_000_000),
        buckets: buckets
            .into_iter()
            .flat_map(Buckets::each)
            .map(|(_, start)| start)
            .collect(),
        sources: top("client_ip")?,
        targets: top("endpoint")?,
        combinations,
        combinations_cut,
    })
}

/// Makes the tables `bots`, the sessions held for bots, and `asked`: what was chosen, summed by session, and
/// of bots by all that is asked about them. It reads the records once.
fn ask(connection: &Connection, chosen: &Chosen) -> Result<(), StoreError> {
    connection.execute_batch(
        "CREATE TEMP TABLE bots AS
            SELECT unhex(session) AS session, bot_type, votes, position, idx FROM current_verdicts
            WHERE subject_kind = 'session' AND flagged AND label IS DISTINCT FROM 'wrong'",
    )?;
    let sql = format!(
        "CREATE TEMP TABLE asked AS
            SELECT session, bot, CASE WHEN bot THEN client_ip END AS client_ip,
                CASE WHEN bot THEN endpoint END AS endpoint,
                CASE WHEN bot THEN time_bucket(INTERVAL 1 SECOND, start) END AS second,
                count(*)::UBIGINT AS requests, min(start) AS first, max(start) AS last
            FROM (SELECT *, session IN (SELECT session FROM bots) AS bot FROM records)
            WHERE {} GROUP BY ALL",
        chosen.records.sql
    );
    Ok(chosen.records.run(connection, &sql)?)
}

/// What `asked` has.
struct Summary {
    sessions: u64,
    requests: u64,
    bots: u64,
    bot_requests: u64,
    /// Start of the first and of the last request, microseconds since the Unix epoch.
    times: Option<(i64, i64)>,
}

impl Summary {
    fn read(connection: &Connection) -> Result<Self, StoreError> {
        let sql = "SELECT count(DISTINCT session)::UBIGINT, coalesce(sum(requests), 0)::UBIGINT,
                (count(DISTINCT session) FILTER (bot))::UBIGINT,
                coalesce(sum(requests) FILTER (bot), 0)::UBIGINT,
                epoch_us(min(first)), epoch_us(max(last))
            FROM asked";
        let read = |row: &Row<'_>| {
            let ends: (Option<i64>, Option<i64>) = (row.get(4)?, row.get(5)?);
            Ok(Self {
                sessions: row.get(0)?,
                requests: row.get(1)?,
                bots: row.get(2)?,
                bot_requests: row.get(3)?,
                times: ends.0.zip(ends.1),
            })
        };
        Ok(connection.query_row(sql, [], read)?)
    }
}

fn types(
    connection: &Connection,
    chosen: &Chosen,
    buckets: Buckets,
) -> Result<Vec<BotType>, StoreError> {
    let sql = format!(
        "WITH seen AS MATERIALIZED (
            SELECT bot_type, session, {} AS bucket, sum(requests) AS requests
            FROM (SELECT *, second AS start FROM asked WHERE bot) JOIN bots USING (session)
            GROUP BY ALL),
         sizes AS (
            SELECT bot_type, count(DISTINCT session)::UBIGINT AS sessions FROM seen GROUP BY ALL)
         SELECT bot_type, sessions, bucket, sum(requests)::UBIGINT
         FROM seen JOIN sizes USING (bot_type) GROUP BY ALL
         ORDER BY sessions DESC, bot_type, bucket",
        buckets.sql()
    );
    let mut statement = connection.prepare(&sql)?;
    let rows = statement.query_map([], |row: &Row<'_>| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
    })?;
    let rows: Vec<(String, u64, i64, u64)> = rows.collect::<Result<_, _>>()?;
    let numbers: Vec<i64> = buckets.each().map(|(number, _)| number).collect();
    let mut types: Vec<BotType> = Vec::new();
    for (bot_type, sessions, bucket, requests) in rows {
        if types.last().is_none_or(|last| last.bot_type != bot_type) {
            types.push(BotType {
                bot_type,
                sessions: chosen.estimate(sessions),
                requests: 0,
                over_time: vec![0; numbers.len()],
            });
        }
        let requests = chosen.estimate(requests);
        if let Some(last) = types.last_mut() {
            last.requests += requests;
            let place = numbers.iter().position(|number| *number == bucket);
            if let Some(slot) = place.and_then(|place| last.over_time.get_mut(place)) {
                *slot = requests;
            }
        }
    }
    Ok(types)
}

/// What is needed of a vote.
#[derive(Deserialize)]
struct Vote {
    detector: String,
}

fn combinations(
    connection: &Connection,
    chosen: &Chosen,
) -> Result<(Vec<Combination>, bool), StoreError> {
    let sql = format!(
        "SELECT votes FROM bots WHERE session IN (SELECT session FROM asked WHERE bot)
         ORDER BY position DESC, idx DESC LIMIT {}",
        VERDICTS_MAX + 1
    );
    let mut statement = connection.prepare(&sql)?;
    let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
    let mut seen: BTreeMap<Vec<String>, u64> = BTreeMap::new();
    let mut verdicts = 0;
    for votes in rows {
        let votes: Vec<Vote> = serde_json::from_str(&votes?).unwrap_or_default();
        verdicts += 1;
        if verdicts > VERDICTS_MAX {
            break;
        }
        let mut detectors: Vec<_> = votes.into_iter().map(|vote| vote.detector).collect();
        detectors.sort();
        detectors.dedup();
        *seen.entry(detectors).or_default() += 1;
    }
    let mut all: Vec<_> = seen
        .into_iter()
        .map(|(detectors, sessions)| Combination {
            detectors,
            sessions: chosen.estimate(sessions),
        })
        .collect();
    all.sort_by_key(|it| std::cmp::Reverse(it.sessions));
    all.truncate(COMBINATIONS_MAX);
    Ok((all, verdicts > VERDICTS_MAX))
}
