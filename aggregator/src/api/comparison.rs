//! `GET /v1/policy/candidates/{name}/comparison`: what a candidate would change.

use std::sync::Arc;

use duckdb::types::Value;
use duckdb::{Connection, params};
use serde::Serialize;
use throughline_session::hex::Hex;
use utoipa::ToSchema;
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use super::error::ApiError;
use super::prediction::{Sample, as_float, predict, rounded};
use super::request::{Access, Call, call, json, respond};
use super::{App, SharedKey, query};
use crate::policy::Candidate;
use crate::store::StoreError;
use crate::time;

/// Examples of merged and split sessions.
const EXAMPLES_MAX: u64 = 5;
/// Sessions listed with an example.
const EXAMPLE_SESSIONS_MAX: usize = 5;
/// Rules listed.
const RULES_MAX: u64 = 130;

/// The sessions that one policy makes of the sampled clients' records.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(super) struct Side {
    /// How many there are in the sample.
    sessions: u64,
    /// How many there would be of all clients: the sample's number divided by its share.
    sessions_estimated: u64,
    /// Requests of a session: the middle one.
    requests_median: f64,
    /// Nine of ten have at most this many.
    requests_p90: f64,
    /// The largest.
    requests_max: u64,
    /// Sessions with 1 request, 2 to 5, 6 to 20, 21 to 100, and more.
    sizes: Vec<u64>,
    /// Sessions with more than one client (address and user agent) of the sample.
    several_clients: u64,
    /// Sessions with more clients or users of the sample than `--shared-key-ips` and
    /// `--shared-key-users` allow: at least this many would have a shared key.
    shared_keys: u64,
    /// Users of a session, on average over sessions with any; null: not recorded.
    users_per_session: Option<f64>,
    /// The most users of a session; null: not recorded.
    users_per_session_max: Option<u64>,
    /// Sessions of a user, on average; null: not recorded.
    sessions_per_user: Option<f64>,
}

/// What a rule or fallback stands for.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(super) struct RuleShare {
    /// The key rule or fallback.
    key: String,
    /// Share of the sample's requests whose session it makes now.
    now: f64,
    /// The same under the candidate.
    then: f64,
}

/// Sessions that become one, or one that becomes several.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(super) struct Regrouped {
    /// The one: the candidate's where sessions are merged, today's where one is split. A
    /// candidate's session is no session that can be looked up.
    session: String,
    /// The others, the first 5.
    others: Vec<String>,
    /// How many others.
    count: u64,
    /// Requests of them all.
    requests: u64,
}

/// What a candidate would change, over the records of the sampled clients.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Comparison {
    /// The candidate.
    name: String,
    /// Its name on records.
    policy_version: String,
    /// Share of the clients.
    clients_share: f64,
    /// Clients in the sample.
    clients: u64,
    /// Their requests.
    requests: u64,
    /// Start of the first of these; null while there are none.
    #[schema(format = DateTime)]
    first: Option<String>,
    /// Start of the last.
    #[schema(format = DateTime)]
    last: Option<String>,
    /// Sessions of all clients that were active in this time, sampled or not: what
    /// `now.sessions_estimated` should be.
    sessions_actual: u64,
    /// What `then` makes of it: `sessions_actual × then.sessions / now.sessions`, mostly closer
    /// than `then.sessions_estimated`; null while there are none.
    sessions_predicted: Option<u64>,
    /// Where the number of sessions lies in 9 of 10 cases or more: two standard errors below
    /// `sessions_predicted`, by how much the sampled clients differ. Null with fewer than 20 of
    /// them. Too narrow where a few clients that are not in the sample make most of the sessions.
    sessions_predicted_low: Option<u64>,
    /// Two standard errors above.
    sessions_predicted_high: Option<u64>,
    /// Today.
    now: Side,
    /// With the candidate.
    then: Side,
    /// Requests per rule and fallback, the most frequent first.
    rules: Vec<RuleShare>,
    /// Sessions of the candidate that bring several of today's together.
    merged: u64,
    /// The largest of them.
    merged_examples: Vec<Regrouped>,
    /// Sessions of today that the candidate divides.
    split: u64,
    /// The largest of them.
    split_examples: Vec<Regrouped>,
    /// What cannot be known from these records, and why.
    not_recorded: Vec<String>,
}

pub(super) fn route(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    warp::path!("v1" / "policy" / "candidates" / String / "comparison")
        .and(call(app, Access::ReadAll))
        .then(|name: String, call: Call| async move { respond(handle(&name, &call).await) })
        .boxed()
}

/// What a candidate would change.
#[utoipa::path(
    get, path = "/v1/policy/candidates/{name}/comparison", tag = "policy",
    security((), ("read_token" = [])),
    params(("name" = String, Path, description = "The candidate's name")),
    responses(
        (status = 200, description = "Today and then", body = Comparison),
        (status = 404, description = "There is none"),
    ),
)]
pub(super) async fn handle(name: &str, call: &Call) -> Result<Response, ApiError> {
    call.params(&[])?;
    let candidate = call.app.policies.candidate(name)?;
    let limit = call.app.shared_key;
    let compared = query::run(call, move |connection| {
        compare(connection, candidate, limit)
    });
    json(&compared.await?)
}

/// Whose sessions: the columns of `trials`.
#[derive(Clone, Copy)]
struct Columns {
    session: &'static str,
    other: &'static str,
}

const NOW: Columns = Columns {
    session: "session",
    other: "trial_session",
};
const THEN: Columns = Columns {
    session: "trial_session",
    other: "session",
};

fn compare(
    connection: &Connection,
    candidate: Candidate,
    limit: SharedKey,
) -> Result<Comparison, StoreError> {
    let id = candidate.id.as_str();
    let share = f64::from(candidate.clients_ppm) / 1e6;
    let sql = "SELECT count(DISTINCT client)::UBIGINT, count(*)::UBIGINT, epoch_us(min(start)),
        epoch_us(max(start)), count(user)::UBIGINT FROM trials WHERE candidate = ?";
    let (clients, requests, first_us, last_us, with_user) =
        connection.query_row(sql, params![id], |row| {
            Ok((
                row.get(0)?,
                row.get(1)?,
                row.get::<_, Option<i64>>(2)?,
                row.get::<_, Option<i64>>(3)?,
                row.get::<_, u64>(4)?,
            ))
        })?;
    let sessions_actual = match (first_us, last_us) {
        (Some(first_us), Some(last_us)) => {
            let sql = "SELECT count(DISTINCT session)::UBIGINT FROM records
                WHERE start >= make_timestamp(?) AND start <= make_timestamp(?)";
            connection.query_row(sql, params![first_us, last_us], |row| row.get(0))?
        }
        _ => 0,
    };
    let now = side(connection, NOW, id, share, limit)?;
    let then = side(connection, THEN, id, share, limit)?;
    let (merged, merged_examples) = regrouped(connection, THEN, id)?;
    let (split, split_examples) = regrouped(connection, NOW, id)?;
    let mut not_recorded = Vec::new();
    if with_user == 0 {
        not_recorded.push(
            "users: no record of the sample has a user parameter; the active policy must name one"
                .to_owned(),
        );
    }
    not_recorded.push("clients outside of the sample that use the same keys".to_owned());
    let sample = Sample {
        share,
        clients,
        now: now.sessions,
        then: then.sessions,
    };
    let predicted = predict(connection, id, sample, sessions_actual)?;
    let interval = predicted.and_then(|it| it.interval);
    Ok(Comparison {
        clients_share: share,
        clients,
        requests,
        first: first_us.map(time::text),
        last: last_us.map(time::text),
        sessions_actual,
        sessions_predicted: predicted.map(|it| it.sessions),
        sessions_predicted_low: interval.map(|(low, _)| low),
        sessions_predicted_high: interval.map(|(_, high)| high),
        rules: rules(connection, id, requests)?,
        now,
        then,
        merged,
        merged_examples,
        split,
        split_examples,
        not_recorded,
        policy_version: candidate.id,
        name: candidate.name,
    })
}

fn side(
    connection: &Connection,
    columns: Columns,
    id: &str,
    share: f64,
    limit: SharedKey,
) -> Result<Side, StoreError> {
    let session = columns.session;
    let sql = format!(
        "WITH each AS (
            SELECT count(*)::UBIGINT AS n, count(DISTINCT client)::UBIGINT AS clients,
                count(DISTINCT user)::UBIGINT AS users
            FROM trials WHERE candidate = ? GROUP BY {session}
         )
         SELECT count(*)::UBIGINT, coalesce(median(n), 0)::DOUBLE,
            coalesce(quantile_cont(n, 0.9), 0)::DOUBLE, coalesce(max(n), 0)::UBIGINT,
            [count(*) FILTER (n = 1), count(*) FILTER (n BETWEEN 2 AND 5),
             count(*) FILTER (n BETWEEN 6 AND 20), count(*) FILTER (n BETWEEN 21 AND 100),
             count(*) FILTER (n > 100)]::UBIGINT[],
            count(*) FILTER (clients > 1)::UBIGINT,
            count(*) FILTER (clients > ? OR users > ?)::UBIGINT,
            avg(users) FILTER (users > 0)::DOUBLE, max(users) FILTER (users > 0)::UBIGINT,
            (SELECT avg(sessions)::DOUBLE FROM (
                SELECT count(DISTINCT {session}) AS sessions FROM trials
                WHERE candidate = ? AND user IS NOT NULL GROUP BY user))
         FROM each"
    );
    let given = params![id, limit.ips, limit.users, id];
    Ok(connection.query_row(&sql, given, |row| {
        let sessions: u64 = row.get(0)?;
        let sizes = match row.get(4)? {
            Value::List(sizes) => sizes,
            _ => Vec::new(),
        };
        let size = |size| match size {
            Value::UBigInt(size) => size,
            _ => 0,
        };
        Ok(Side {
            sessions,
            sessions_estimated: rounded(as_float(sessions) / share),
            requests_median: row.get(1)?,
            requests_p90: row.get(2)?,
            requests_max: row.get(3)?,
            sizes: sizes.into_iter().map(size).collect(),
            several_clients: row.get(5)?,
            shared_keys: row.get(6)?,
            users_per_session: row.get(7)?,
            users_per_session_max: row.get(8)?,
            sessions_per_user: row.get(9)?,
        })
    })?)
}

fn rules(connection: &Connection, id: &str, requests: u64) -> Result<Vec<RuleShare>, StoreError> {
    let mut statement = connection.prepare(
        "SELECT name, sum(now)::UBIGINT, sum(later)::UBIGINT FROM (
            SELECT key AS name, 1 AS now, 0 AS later FROM trials WHERE candidate = ?
            UNION ALL SELECT trial_key, 0, 1 FROM trials WHERE candidate = ?
         ) GROUP BY name ORDER BY greatest(sum(now), sum(later)) DESC, name LIMIT ?",
    )?;
    let share = |count: u64| as_float(count) / as_float(requests.max(1));
    let rows = statement.query_map(params![id, id, RULES_MAX], |row| {
        Ok(RuleShare {
            key: row.get(0)?,
            now: share(row.get(1)?),
            then: share(row.get(2)?),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Sessions of `columns.session` with several of the other side's: how many, and the largest.
fn regrouped(
    connection: &Connection,
    columns: Columns,
    id: &str,
) -> Result<(u64, Vec<Regrouped>), StoreError> {
    let Columns { session, other } = columns;
    let sql = format!(
        "SELECT {session}, list_sort(list(DISTINCT {other}))[1:{EXAMPLE_SESSIONS_MAX}],
            count(DISTINCT {other})::UBIGINT, count(*)::UBIGINT, (count(*) OVER ())::UBIGINT
         FROM trials WHERE candidate = ? GROUP BY {session} HAVING count(DISTINCT {other}) > 1
         ORDER BY count(*) DESC, {session} LIMIT ?"
    );
    let hex = |value: Value| match value {
        Value::Blob(bytes) => bytes
            .try_into()
            .map(|id: [u8; 16]| Hex(id).to_string())
            .ok(),
        _ => None,
    };
    let mut all = 0;
    let mut statement = connection.prepare(&sql)?;
    let rows = statement.query_map(params![id, EXAMPLES_MAX], |row| {
        let others = match row.get(1)? {
            Value::List(others) => others.into_iter().filter_map(hex).collect(),
            _ => Vec::new(),
        };
        let group = Regrouped {
            session: hex(row.get(0)?).unwrap_or_default(),
            others,
            count: row.get(2)?,
            requests: row.get(3)?,
        };
        Ok((group, row.get::<_, u64>(4)?))
    })?;
    let mut groups = Vec::new();
    for row in rows {
        let (group, count) = row?;
        all = count;
        groups.push(group);
    }
    Ok((all, groups))
}
