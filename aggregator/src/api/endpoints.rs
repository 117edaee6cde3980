//! `GET /v1/endpoints`: what the applications are asked for, and how that goes.

use std::sync::Arc;

use duckdb::types::Value;
use duckdb::{Connection, Row, params_from_iter};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use super::cursor::Pages;
use super::error::ApiError;
use super::facets::share;
use super::marks::Marks;
use super::params::Params;
use super::request::{Access, Call, call, json, respond};
use super::scope::{Chosen, Extent, HEAVY_RECORDS_MAX, IS_BOT, Scope, SeenBefore};
use super::{App, query};
use crate::endpoints::sums;
use crate::filters::Clause;
use crate::store::StoreError;
use crate::time;

/// A method and a template of paths of an application.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(super) struct Endpoint {
    /// Names it: 16 hex digits.
    #[schema(example = "0f3a9c2d4b5e6f70")]
    pub(super) id: String,
    /// The application.
    #[schema(example = "shop")]
    pub(super) application: String,
    /// Method and template, as the filter field `endpoint` takes it.
    #[schema(example = "GET /api/orders/{id}")]
    pub(super) endpoint: String,
    /// What selects its sessions: to be added to `q`.
    #[schema(example = "app:\"shop\" endpoint:\"GET /api/orders/{id}\"")]
    pub(super) term: String,
    /// Number of requests.
    pub(super) requests: u64,
    /// Sessions with a request to it; 1 where no session of the sample has one.
    pub(super) sessions: u64,
    /// Requests answered with 400 to 499.
    pub(super) errors_4xx: u64,
    /// Requests answered with 500 to 599.
    pub(super) errors_5xx: u64,
    /// Share of the requests answered with 400 to 599, 0 to 1.
    pub(super) error_share: f64,
    /// Half of the requests took no longer, milliseconds, to about 4 %; null without requests.
    pub(super) p50_ms: Option<f64>,
    /// 95 % took no longer.
    pub(super) p95_ms: Option<f64>,
    /// 99 % took no longer.
    pub(super) p99_ms: Option<f64>,
    /// Bytes of request bodies.
    pub(super) request_bytes: u64,
    /// Bytes of response bodies.
    pub(super) response_bytes: u64,
    /// Share of the requests that are of sessions held for bots, 0 to 1; 0 where no session of the sample
    /// has one.
    pub(super) bot_share: f64,
    /// Start of its first request in the time asked about; null without requests.
    #[schema(format = DateTime)]
    pub(super) first: Option<String>,
    /// Start of its last request in the time asked about; null without requests.
    #[schema(format = DateTime)]
    pub(super) last: Option<String>,
    /// Start of its first request ever, as far as it is remembered; null when there was none.
    #[schema(format = DateTime)]
    pub(super) first_seen: Option<String>,
    /// Start of its last request ever.
    #[schema(format = DateTime)]
    pub(super) last_seen: Option<String>,
    /// It was asked for first within `new_within`, and its application before.
    pub(super) new: bool,
    /// Whether it is an operation of its application's document; null where there is none, and of
    /// files of pages and paths that were never answered.
    pub(super) documented: Option<bool>,
    /// An operation of the document that nobody asked for in the time.
    pub(super) unused: bool,
}

/// Columns of [`Endpoint::read`].
const COLUMNS: &str = "id, application, endpoint, requests, sessions, errors_4xx,
    errors_5xx, p50_ms, p95_ms, p99_ms, request_bytes, response_bytes, bot_requests, sampled,
    epoch_us(first), epoch_us(last), epoch_us(first_seen), epoch_us(last_seen), is_new, documented,
    unused";

impl Endpoint {
    fn read(row: &Row<'_>, of: &Counted) -> duckdb::Result<Self> {
        let count = |column| row.get::<_, u64>(column);
        let all = |column| Ok::<_, duckdb::Error>(of.all(count(column)?));
        let time = |column| -> duckdb::Result<Option<String>> {
            Ok(row.get::<_, Option<i64>>(column)?.map(time::text))
        };
        let (application, endpoint): (String, String) = (row.get(1)?, row.get(2)?);
        let (requests, errors_4xx, errors_5xx) = (count(3)?, count(5)?, count(6)?);
        Ok(Self {
            id: row.get(0)?,
            term: format!(
                "app:{} endpoint:{}",
                quoted(&application),
                quoted(&endpoint)
            ),
            application,
            endpoint,
            requests: of.all(requests),
            // Somebody asked for it, if nobody of the sample.
            sessions: of.chosen.estimate(count(4)?).max(requests.min(1)),
            errors_4xx: of.all(errors_4xx),
            errors_5xx: of.all(errors_5xx),
            error_share: share(errors_4xx.saturating_add(errors_5xx), requests),
            p50_ms: row.get(7)?,
            p95_ms: row.get(8)?,
            p99_ms: row.get(9)?,
            request_bytes: all(10)?,
            response_bytes: all(11)?,
            bot_share: share(count(12)?, count(13)?),
            first: time(14)?,
            last: time(15)?,
            first_seen: time(16)?,
            last_seen: time(17)?,
            new: row.get(18)?,
            documented: row.get(19)?,
            unused: row.get(20)?,
        })
    }
}

/// A text as a filter takes it.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', r"\\").replace('"', r#"\""#))
}

/// A page of endpoints.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct EndpointPage {
    /// What was looked at.
    extent: Extent,
    /// Requests, errors, percentiles, bytes, first and last are of all requests, and `sampled` holds for
    /// sessions and the share of bots only.
    requests_exact: bool,
    /// The endpoints.
    items: Vec<Endpoint>,
    /// How many there are on all pages.
    count: u64,
    /// `cursor` of the next page; null on the last.
    next: Option<String>,
}

/// Which endpoints.
#[derive(Debug, Default, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters in the OpenAPI document")]
struct EndpointsQuery {
    /// A filter, as `docs/filters.md` describes it: requests of its sessions, within its time.
    #[param(example = "app:shop last:24h")]
    q: Option<String>,
    /// What the list is ordered by: `requests` (when absent), `sessions`, `errors`,
    /// `error_share`, `p50`, `p95`, `p99`, `bytes`, `bot_share`, `first`, `last`, `first_seen` or
    /// `last_seen`.
    sort: Option<String>,
    /// `desc`, the most first (when absent), or `asc`.
    order: Option<String>,
    /// Only those with one of these marks, with commas between: `new`, `documented`,
    /// `undocumented`, `unused`.
    #[param(example = "new,undocumented")]
    mark: Option<String>,
    /// For how long an endpoint is new; `7d` when absent.
    #[param(example = "7d")]
    new_within: Option<String>,
    /// Endpoints per page, 1 to 500; 50 when absent.
    limit: Option<u64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

const PARAMETERS: &[&str] = &[
    "q",
    "sort",
    "order",
    "mark",
    "new_within",
    "limit",
    "cursor",
];

/// What a list can be ordered by: a number of each endpoint.
const ORDERS: &[(&str, &str)] = &[
    ("requests", "requests"),
    ("sessions", "sessions"),
    ("errors", "errors_4xx + errors_5xx"),
    (
        "error_share",
        "(errors_4xx + errors_5xx) / nullif(requests, 0)",
    ),
    ("p50", "p50_ms"),
    ("p95", "p95_ms"),
    ("p99", "p99_ms"),
    ("bytes", "request_bytes::DOUBLE + response_bytes"),
    ("bot_share", "bot_requests / nullif(sampled, 0)"),
    ("first", "epoch_us(first)"),
    ("last", "epoch_us(last)"),
    ("first_seen", "epoch_us(first_seen)"),
    ("last_seen", "epoch_us(last_seen)"),
];

/// Where a page ended: what its last endpoint is ordered by and its id; and what all its pages see.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Cursor(f64, String, SeenBefore);

struct Asked {
    scope: Scope,
    by: &'static str,
    ascending: bool,
    pages: Pages,
    after: Option<Cursor>,
    marks: Marks,
    limit: usize,
}

fn asked(params: &Params, app: &App) -> Result<Asked, ApiError> {
    let sort = params.get("sort").unwrap_or("requests");
    let Some((_, by)) = ORDERS.iter().find(|(name, _)| *name == sort) else {
        return Err(ApiError::BadParameter {
            parameter: "sort",
            detail: format!("`sort` is `{sort}`"),
            remedy: "order by requests, sessions, errors, error_share, p50, p95, p99, bytes, \
                bot_share, first, last, first_seen or last_seen",
        });
    };
    let mut scope = Scope::read(params, app)?.at_most(HEAVY_RECORDS_MAX);
    let pages = Pages::of(params);
    let after: Option<Cursor> = pages.read(params)?;
    if let Some(Cursor(_, _, seen)) = &after {
        scope.see(seen);
    }
    Ok(Asked {
        scope,
        by,
        ascending: params.ascending()?,
        pages,
        after,
        marks: Marks::read(params, app.clock.now_us())?,
        limit: params.limit()?,
    })
}

pub(super) fn route(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    warp::path!("v1" / "endpoints")
        .and(call(app, Access::Read))
        .then(|call: Call| async move { respond(handle(&call).await) })
        .boxed()
}

/// Endpoints with their figures, the one asked for most first unless asked otherwise.
#[utoipa::path(
    get, path = "/v1/endpoints", tag = "endpoints",
    params(EndpointsQuery), security((), ("read_token" = [])),
    description = "An endpoint is a method and a template of paths, learnt from the paths that were \
        answered with success; requests for others are those of `(unknown)`. Pages that follow a \
        cursor see the endpoints as they were on the first page. Where there are more than about 200,000 \
        requests, `sessions` and `bot_share` are estimates by a share of the sessions, and the rest \
        is of all requests in whole hours, as long as the filter says no more than `app:` and when, and that \
        is a day or more; the extent tells both. Where a document describes the \
        application (`PUT /v1/applications/{application}/openapi`), its operations that nobody asked \
        for in the time are listed too.",
    responses((status = 200, description = "A page of endpoints", body = EndpointPage)),
)]
async fn handle(call: &Call) -> Result<Response, ApiError> {
    let params = call.params(PARAMETERS)?;
    let asked = asked(&params, &call.app)?;
    let found = query::run(call, move |connection| page(connection, &asked));
    json(&found.await?)
}

/// What figures are made of.
struct Counted {
    chosen: Chosen,
    /// Rows of `endpoint_sums`, where these know all that was chosen from.
    sums: Option<Clause>,
}

impl Counted {
    fn in_records(chosen: Chosen) -> Self {
        Self { chosen, sums: None }
    }

    fn in_sums(chosen: Chosen, sums: Clause) -> Self {
        Self {
            chosen,
            sums: Some(sums),
        }
    }

    /// What stands for all, where `count` was counted.
    fn all(&self, count: u64) -> u64 {
        match self.sums {
            Some(_) => count,
            None => self.chosen.estimate(count),
        }
    }

    /// One row per endpoint: WITH …, of which the last table is `found`.
    fn sql(&self) -> (String, Vec<Value>) {
        let records = &self.chosen.records;
        let (asking, sums, values) = match &self.sums {
            Some(sums) => (
                sums::asking(&records.sql, IS_BOT),
                sums::by_bucket(&format!("(FROM endpoint_sums WHERE {})", sums.sql)),
                records.values.iter().chain(&sums.values).cloned().collect(),
            ),
            None => (
                sums::of_records(&records.sql, IS_BOT),
                sums::by_bucket("asking"),
                records.values.clone(),
            ),
        };
        let sql = format!(
            "WITH asking AS MATERIALIZED ({asking}), sums AS ({sums}), found AS (
                SELECT left(md5(application || chr(10) || endpoint), 16) AS id, * FROM ({}))",
            sums::figures("sums", "asking")
        );
        (sql, values)
    }
}

fn page(connection: &Connection, asked: &Asked) -> Result<EndpointPage, StoreError> {
    let chosen = asked.scope.choose(connection, false)?;
    let (scope, of) = match asked.scope.in_slots(connection, &chosen)? {
        Some((slots, chosen, sums)) => (slots, Counted::in_sums(chosen, sums)),
        None => (asked.scope.clone(), Counted::in_records(chosen)),
    };
    let (figures, mut values) = of.sql();
    let (marked, of_marks) = asked.marks.table(scope.range(), scope.is_plain());
    let wanted = &asked.marks.wanted;
    values.extend(of_marks);
    let (beyond, direction) = if asked.ascending {
        (">", "ASC")
    } else {
        ("<", "DESC")
    };
    let by = format!("coalesce(({})::DOUBLE, 0)", asked.by);
    let after = match &asked.after {
        Some(Cursor(value, id, _)) => {
            values.extend([Value::Double(*value), Value::Double(*value)]);
            values.push(Value::Text(id.clone()));
            format!("({by} {beyond} ? OR ({by} = ? AND id {beyond} ?))")
        }
        None => "true".into(),
    };
    let sql = format!(
        "{figures}{marked} SELECT {COLUMNS}, {by} AS ordered_by,
            (SELECT count(*) FROM marked WHERE {wanted})::UBIGINT
         FROM marked WHERE {wanted} AND {after} ORDER BY ordered_by {direction}, id {direction} LIMIT ?"
    );
    values.push(Value::UBigInt(asked.limit as u64 + 1));
    let mut statement = connection.prepare(&sql)?;
    let read = |row: &Row<'_>| Ok((Endpoint::read(row, &of)?, row.get(21)?, row.get(22)?));
    let rows = statement.query_map(params_from_iter(values), read)?;
    let mut rows: Vec<(Endpoint, f64, u64)> = rows.collect::<Result<_, _>>()?;
    let more = rows.len() > asked.limit;
    rows.truncate(asked.limit);
    let next = rows.last().filter(|_| more).and_then(|(last, by, _)| {
        asked
            .pages
            .write(&Cursor(*by, last.id.clone(), scope.seen(&of.chosen)))
    });
    Ok(EndpointPage {
        requests_exact: of.sums.is_some() || !of.chosen.is_share(),
        extent: of.chosen.extent(),
        count: rows.first().map_or(0, |(_, _, count)| *count),
        items: rows.into_iter().map(|(item, _, _)| item).collect(),
        next,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filters::SessionFilter;
    use crate::store::{Database, SLOT_US, close_hot};

    /// Requests of four sessions an hour, each second one, for three days.
    fn fill(connection: &Connection, from: u32, to: u32) {
        let sql = format!(
            "INSERT INTO hot_records BY NAME
             SELECT n AS position, 1 AS boot, 0 AS worker, n AS sequence, 0 AS idx,
                make_timestamp(n * 30_000_000) AS start, unhex(md5((n // 30)::VARCHAR)) AS session,
                session AS request_session, start AS visit_start,
                CASE WHEN n // 30 % 2 = 0 THEN 'shop' ELSE 'bank' END AS application,
                'cookie' AS key, 'g' AS capture_point, 'p' AS policy_version, 'n' AS node,
                'GET' AS method, '/a' || n % 3 AS path, 'GET /a' || n % 3 AS endpoint,
                (CASE WHEN n % 30 = 0 THEN 503 ELSE 200 END)::USMALLINT AS status, '' AS flags,
                1 AS request_bytes, 2 AS response_bytes, 1000 * (n % 100) AS duration_us
             FROM range({from}, {to}) t(n);
             INSERT INTO hot_visit_parts BY NAME
             SELECT {to} AS position, session, visit_start, application, key, min(start) AS first,
                max(start) AS last, count(*) AS requests, 0 AS errors_4xx, 0 AS errors_5xx,
                0 AS request_bytes, 0 AS response_bytes, 0 AS duration_us, ['10.0.0.1'] AS ips,
                ['ua'] AS user_agents, false AS more, max(sequence) AS ordinal,
                max(start) AS arrived, ['p'] AS policy_versions
             FROM hot_records GROUP BY session, visit_start, application, key;"
        );
        connection.execute_batch(&sql).unwrap();
    }

    fn ask(database: &Arc<Database>, q: &str, records_max: u64, limit: usize) -> EndpointPage {
        let reading = database.read().unwrap();
        let filter = SessionFilter::parse(q, 0).unwrap();
        let asked = Asked {
            scope: Scope::of_all(database, filter, 3 * 24 * SLOT_US).at_most(records_max),
            by: "requests",
            ascending: false,
            pages: Pages::of(&Params::default()),
            after: None,
            marks: Marks {
                wanted: "true".into(),
                new_since_us: 0,
            },
            limit,
        };
        reading
            .connection
            .execute_batch("BEGIN TRANSACTION")
            .unwrap();
        page(&reading.connection, &asked).unwrap()
    }

    /// What is counted of all requests.
    fn counted(endpoint: &Endpoint) -> impl PartialEq + std::fmt::Debug + use<> {
        (
            endpoint.application.clone(),
            endpoint.endpoint.clone(),
            (endpoint.requests, endpoint.errors_5xx),
            (endpoint.request_bytes, endpoint.response_bytes),
            (endpoint.p50_ms, endpoint.p99_ms),
            (endpoint.first.clone(), endpoint.last.clone()),
        )
    }

    #[test]
    fn sums_count_all_requests_of_whole_hours() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("hot.duckdb"), 64 << 20).unwrap();
        let database = Arc::new(database);
        let reading = database.read().unwrap();
        for from in [0, 3000] {
            fill(&reading.connection, from, from + 3000);
            close_hot(&database).unwrap();
        }
        fill(&reading.connection, 6000, 8640);
        drop(reading);
        for (q, aligned, from, to) in [
            ("", "", None, None),
            (
                "from:1970-01-01T10:30:00Z to:1970-01-02T20:00:01Z",
                "from:1970-01-01T10:00:00Z to:1970-01-02T21:00:00Z",
                Some("1970-01-01T10:00:00.000000Z"),
                Some("1970-01-02T21:00:00.000000Z"),
            ),
            ("app:shop", "app:shop", None, None),
        ] {
            let summed = ask(&database, q, 4000, 50);
            let exact = ask(&database, aligned, 100_000, 50);
            assert!(summed.extent.sampled < 0.5 && !summed.extent.exact, "{q}");
            assert!(exact.extent.exact, "{q}");
            assert!(summed.requests_exact && exact.requests_exact, "{q}");
            let extent = &summed.extent;
            assert_eq!((extent.from.as_deref(), extent.to.as_deref()), (from, to));
            let all = |page: &EndpointPage| page.items.iter().map(counted).collect::<Vec<_>>();
            assert_eq!(all(&summed), all(&exact), "{q}");
            for (summed, exact) in summed.items.iter().zip(&exact.items) {
                let off = summed.sessions.abs_diff(exact.sessions) * 2;
                assert!(off < exact.sessions, "{summed:?}, not {exact:?}");
            }
        }
        // Too short for whole hours, or a filter that sums know nothing of: a sample of records.
        let begin = "1970-01-01T10:30:00.000000Z";
        for (q, from) in [
            (
                "from:1970-01-01T10:30:00Z to:1970-01-02T09:00:00Z",
                Some(begin),
            ),
            ("status:503", None),
        ] {
            let page = ask(&database, q, 100, 50);
            let extent = page.extent;
            assert!(extent.sampled < 0.5 && !page.requests_exact, "{q}");
            assert_eq!(extent.from.as_deref(), from, "{q}");
        }
    }
}
