//! `GET /v1/sessions/facets`: the values of a field, under any filter.

use std::sync::Arc;

use duckdb::types::Value;
use duckdb::{Connection, Row, params_from_iter};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use super::error::ApiError;
use super::request::{Access, Call, call, json, respond};
use super::scope::{Chosen, Extent, HEAVY_RECORDS_MAX, Scope};
use super::{App, query};
use crate::filters::{Clause, Facet, Source};
use crate::store::StoreError;

/// A value of the field.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub(super) struct FacetValue {
    /// The value; of numbers a range such as `5..9` or `1ms..2ms`, whose end belongs to the next.
    #[schema(example = "404")]
    value: String,
    /// What selects its sessions: to be added to `q`, or with `-` before it to exclude them. Of `ua`, which
    /// is searched by parts, also those with more in their text.
    #[schema(example = "status:404")]
    term: String,
    /// Sessions with it.
    sessions: u64,
    /// Requests with it; null for fields that are not of requests.
    requests: Option<u64>,
    /// Of all sessions, 0 to 1. A session may have several values.
    share: f64,
}

/// What was not listed.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub(super) struct OtherValues {
    /// How many values.
    values: u64,
    /// Sessions with them; one with two of them counts twice.
    sessions: u64,
    /// Requests with them; null for fields that are not of requests.
    requests: Option<u64>,
}

/// The values of a field.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub(super) struct Facets {
    /// The field.
    #[schema(example = "status")]
    field: String,
    /// What was looked at.
    extent: Extent,
    /// Sessions that the filter selects.
    sessions: u64,
    /// Those without any value.
    without: u64,
    /// The values that most sessions have, first.
    values: Vec<FacetValue>,
    /// The other values.
    other: OtherValues,
}

/// Which values.
#[derive(Debug, Default, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters in the OpenAPI document")]
struct FacetsQuery {
    /// A field of the filter language, such as `status`, `endpoint`, `user` or `param.plan`.
    #[param(example = "status")]
    field: String,
    /// A filter, as `docs/filters.md` describes it.
    #[param(example = "app:shop last:24h")]
    q: Option<String>,
    /// Values, 1 to 500; 50 when absent.
    limit: Option<u64>,
}

const PARAMETERS: &[&str] = &["field", "q", "limit"];

pub(super) fn route(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    warp::path!("v1" / "sessions" / "facets")
        .and(call(app, Access::Read))
        .then(|call: Call| async move { respond(handle(&call).await) })
        .boxed()
}

/// The values of a field, and how many sessions have each.
#[utoipa::path(
    get, path = "/v1/sessions/facets", tag = "sessions",
    params(FacetsQuery), security((), ("read_token" = [])),
    description = "Values of requests are those within the filter's time, of requests that have all else \
        that the filter asks of one: with `path:/login` the statuses of logins, and `term` added to `q` \
        selects the sessions counted, where no time is asked for; with one it also selects those whose request was \
        earlier, which count as without a value here. Values of sessions are those of the whole session. Numbers go by \
        ranges; an empty text is no value.",
    responses((status = 200, description = "The values", body = Facets)),
)]
async fn handle(call: &Call) -> Result<Response, ApiError> {
    let params = call.params(PARAMETERS)?;
    let name = params.get("field").unwrap_or_default();
    let facet = Facet::find(name).map_err(|error| ApiError::BadParameter {
        parameter: "field",
        detail: format!("{}; {}", error.problem, error.remedy),
        remedy: "give a field of the filter language, such as `status`, `endpoint` or `user`",
    })?;
    let scope = Scope::read(&params, &call.app)?.at_most(HEAVY_RECORDS_MAX);
    let limit = params.limit()?;
    let found = query::run(call, move |connection| {
        facets(connection, &facet, &scope, limit)
    });
    json(&found.await?)
}

/// Rows of session, group and number of requests: one for each value of a session. Where they are of
/// requests, a session is a number: 64 bits tell those of one answer apart, and are counted sooner.
fn each(facet: &Facet, scope: &Scope, chosen: &Chosen) -> (Clause, bool) {
    let position = || Value::UBigInt(chosen.position());
    match facet.source() {
        Source::Requests(column) => {
            let which = Clause::all([chosen.records.clone(), scope.request()]);
            let mut sql = format!(
                "SELECT hash(session) AS session, {} AS value, count(*) AS requests FROM records
                 WHERE {} GROUP BY ALL",
                facet.group(column),
                which.sql
            );
            if facet.is_joined() {
                sql = format!(
                    "SELECT session, value, sum(requests) AS requests FROM (
                        SELECT session, requests, unnest(CASE WHEN value IS NULL THEN [NULL]
                            ELSE list_distinct(string_split(value, ',')) END) AS value FROM ({sql}))
                     GROUP BY ALL"
                );
            }
            (Clause::new(sql, which.values), true)
        }
        Source::Sessions(value) => {
            let sql = format!(
                "SELECT session, {} AS value, 0 AS requests FROM (
                    SELECT session, {value} AS value FROM session_sums WHERE {})",
                facet.group("value"),
                chosen.sessions.sql
            );
            (Clause::new(sql, chosen.sessions.values.clone()), false)
        }
        Source::Rows(rows) => {
            let sql = format!(
                "SELECT DISTINCT session, {} AS value, 0 AS requests FROM {}
                 WHERE position <= ? AND {}",
                facet.group("value"),
                rows.sql,
                chosen.sessions.sql
            );
            let values = rows.values.into_iter().chain([position()]);
            let values = values.chain(chosen.sessions.values.clone());
            (Clause::new(sql, values), false)
        }
    }
}

fn facets(
    connection: &Connection,
    facet: &Facet,
    scope: &Scope,
    limit: usize,
) -> Result<Facets, StoreError> {
    let of_requests = matches!(facet.source(), Source::Requests(_));
    let chosen = scope.choose(connection, !of_requests)?;
    if facet.is_parameter() {
        scope.narrow_to(connection, &chosen, "param_parts")?;
    }
    let (each, of_requests) = each(facet, scope, &chosen);
    let sql = format!(
        "WITH each AS MATERIALIZED ({}),
         grouped AS (
            SELECT value, count(*)::UBIGINT AS sessions, sum(requests)::UBIGINT AS requests
            FROM each WHERE value IS NOT NULL GROUP BY value)
         SELECT value, sessions, requests, count(*) OVER ()::UBIGINT,
            sum(sessions) OVER ()::UBIGINT, sum(requests) OVER ()::UBIGINT,
            (SELECT count(DISTINCT session) FROM each WHERE value IS NOT NULL)::UBIGINT,
            (SELECT count(DISTINCT session) FROM each)::UBIGINT
         FROM grouped ORDER BY sessions DESC, value LIMIT ?",
        each.sql
    );
    let mut values = each.values;
    values.push(Value::UBigInt(limit as u64));
    let mut statement = connection.prepare(&sql)?;
    let read = |row: &Row<'_>| {
        let number = |column| row.get::<_, u64>(column);
        let all = [number(3)?, number(4)?, number(5)?, number(6)?, number(7)?];
        Ok((row.get::<_, String>(0)?, number(1)?, number(2)?, all))
    };
    let rows = statement.query_map(params_from_iter(values), read)?;
    let rows: Vec<_> = rows.collect::<Result<_, _>>()?;
    let [count, all_sessions, all_requests, with, looked_at] =
        rows.first().map_or([0; 5], |(_, _, _, all)| *all);
    let sessions = match looked_at {
        // Those without a value are among the rows of requests too.
        1.. if of_requests && !scope.asks_for_requests() => looked_at,
        _ => chosen.totals(connection)?.0,
    };
    let listed_sessions: u64 = rows.iter().map(|(_, sessions, _, _)| sessions).sum();
    let listed_requests: u64 = rows.iter().map(|(_, _, requests, _)| requests).sum();
    let requests = |count| of_requests.then(|| chosen.estimate(count));
    Ok(Facets {
        field: facet.name(),
        extent: chosen.extent(),
        sessions: chosen.estimate(sessions),
        without: chosen.estimate(sessions.saturating_sub(with)),
        other: OtherValues {
            values: count.saturating_sub(rows.len() as u64),
            sessions: chosen.estimate(all_sessions.saturating_sub(listed_sessions)),
            requests: requests(all_requests.saturating_sub(listed_requests)),
        },
        values: rows
            .into_iter()
            .map(|(group, having, asked, _)| {
                let (value, term) = facet.shown(&group);
                FacetValue {
                    value,
                    term,
                    sessions: chosen.estimate(having),
                    requests: requests(asked),
                    share: share(having, sessions),
                }
            })
            .collect(),
    })
}

/// `part` of `all`, 0 to 1 with four digits.
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
pub(super) fn share(part: u64, all: u64) -> f64 {
    if all == 0 {
        return 0.0;
    }
    (part as f64 / all as f64 * 10_000.0).round() / 10_000.0
}
