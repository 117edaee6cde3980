//! `GET /v1/sources`: where requests come from, and `GET /v1/sources/{source}`: one of them.

use std::sync::Arc;

use duckdb::Connection;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use super::error::ApiError;
use super::params::Params;
use super::ranked::{self, Asked};
use super::request::{Access, Call, call, decoded, json, respond};
use super::scope::{Extent, Scope};
use super::top::{self, Figures, Top};
use super::verdicts::Verdict;
use super::{App, query, verdicts};
use crate::filters::{Clause, address};
use crate::store::StoreError;

/// Values listed of one source.
const TOP_MAX: u64 = 20;
/// Verdicts listed of one source, the latest.
pub(super) const VERDICTS_MAX: u64 = 20;

/// Addresses that differ in their last part only: /24 of IPv4, /64 of IPv6.
const PREFIX: &str = "CASE WHEN contains(client_ip, '.') AND NOT contains(client_ip, ':')
        THEN regexp_replace(client_ip, '\\.[0-9]+$', '.0/24')
    ELSE array_to_string(list_slice(list_concat(
            list_filter(string_split(split_part(client_ip, '::', 1), ':'), lambda it: it <> ''),
            list_transform(range(8 - len(list_filter(string_split(client_ip, ':'),
                lambda it: it <> ''))), lambda it: '0'),
            list_filter(string_split(split_part(client_ip, '::', 2), ':'), lambda it: it <> '')),
        1, 4), ':') || '::/64' END";

/// An address or a network.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub(super) struct Source {
    /// The address, or the network.
    #[schema(example = "203.0.113.0/24")]
    source: String,
    /// What selects its sessions: to be added to `q`.
    #[schema(example = "ip:203.0.113.0/24")]
    term: String,
    /// What came from there.
    #[serde(flatten)]
    figures: Figures,
}

impl Source {
    fn new(source: String, figures: Figures) -> Self {
        Self {
            term: format!("ip:{source}"),
            source,
            figures,
        }
    }
}

/// A page of sources.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SourcePage {
    /// What was looked at.
    extent: Extent,
    /// The sources.
    items: Vec<Source>,
    /// How many there are on all pages.
    count: u64,
    /// `cursor` of the next page; null on the last.
    next: Option<String>,
}

/// Which sources.
#[derive(Debug, Default, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters in the OpenAPI document")]
struct SourcesQuery {
    /// A filter, as `docs/filters.md` describes it: requests of its sessions, within its time.
    #[param(example = "app:shop last:24h")]
    q: Option<String>,
    /// `address` (when absent), or `network`: /24 of IPv4, /64 of IPv6.
    by: Option<String>,
    /// What the list is ordered by: `requests` (when absent), `sessions`, `bots`, `errors`,
    /// `bytes`, `first` or `last`.
    sort: Option<String>,
    /// `desc`, the most first (when absent), or `asc`.
    order: Option<String>,
    /// Sources per page, 1 to 500; 50 when absent.
    limit: Option<u64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

const PARAMETERS: &[&str] = &["q", "by", "sort", "order", "limit", "cursor"];

pub(super) fn list_route(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    warp::path!("v1" / "sources")
        .and(call(app, Access::Read))
        .then(|call: Call| async move { respond(list(&call).await) })
        .boxed()
}

fn by(params: &Params) -> Result<&'static str, ApiError> {
    match params.get("by") {
        None | Some("address") => Ok("client_ip"),
        Some("network") => Ok(PREFIX),
        Some(by) => Err(ApiError::BadParameter {
            parameter: "by",
            detail: format!("`by` is `{by}`"),
            remedy: "give `address` or `network`",
        }),
    }
}

/// Where requests come from, the most first unless asked otherwise.
#[utoipa::path(
    get, path = "/v1/sources", tag = "sources", params(SourcesQuery),
    security((), ("read_token" = [])),
    responses((status = 200, description = "A page of sources", body = SourcePage)),
)]
pub(super) async fn list(call: &Call) -> Result<Response, ApiError> {
    let params = call.params(PARAMETERS)?;
    let asked = Asked::read(&params, &call.app)?;
    let by = by(&params)?;
    let found = query::run(call, move |connection| {
        let chosen = asked.scope.choose(connection, false)?;
        let rows = top::rows(&chosen.records, &format!(", {by} AS value"));
        let rows = (rows, chosen.records.values.clone());
        let page = ranked::page(connection, &asked, &chosen, rows, Source::new)?;
        Ok(SourcePage {
            extent: page.extent,
            items: page.items,
            count: page.count,
            next: page.next,
        })
    });
    json(&found.await?)
}

/// One source.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SourceDetail {
    /// The source and its figures.
    #[serde(flatten)]
    source: Source,
    /// What was looked at.
    extent: Extent,
    /// What it asked for.
    endpoints: Top,
    /// As what it did.
    user_agents: Top,
    /// Users of its sessions.
    users: Top,
    /// Its addresses.
    addresses: Top,
    /// Verdicts on it and its sessions, the latest 20.
    verdicts: Vec<Verdict>,
}

/// Which part.
#[derive(Debug, Default, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters in the OpenAPI document")]
pub(super) struct ScopeQuery {
    /// A filter, as `docs/filters.md` describes it: requests of its sessions, within its time.
    #[param(example = "app:shop last:24h")]
    q: Option<String>,
}

pub(super) fn route(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    warp::path!("v1" / "sources" / String)
        .and(call(app, Access::Read))
        .then(|source: String, call: Call| async move { respond(show(&source, &call).await) })
        .boxed()
}

/// One source: what it asked for, as what, and what is held against it.
#[utoipa::path(
    get, path = "/v1/sources/{source}", tag = "sources", security((), ("read_token" = [])),
    params(
        ("source" = String, Path, description = "An address, or a network with its `/` as `%2F`",
            example = "203.0.113.0%2F24"),
        ScopeQuery,
    ),
    responses(
        (status = 200, description = "The source", body = SourceDetail),
        (status = 404, description = "No request came from there"),
    ),
)]
pub(super) async fn show(text: &str, call: &Call) -> Result<Response, ApiError> {
    let params = call.params(&["q"])?;
    let name = decoded(text);
    let Some(from) = address("client_ip", &name) else {
        return Err(ApiError::BadParameter {
            parameter: "source",
            detail: format!(
                "`{}` is no address or network",
                name.chars().take(64).collect::<String>()
            ),
            remedy: "give 192.0.2.7, or a network such as 10.0.0.0%2F8 or 2001:db8::%2F32",
        });
    };
    let scope = Scope::read(&params, &call.app)?;
    let now_us = call.app.clock.now_us();
    let source = name.clone();
    let found = query::run(call, move |connection| {
        detail(connection, source, from, &scope, now_us)
    });
    let found = found.await?;
    json(&found.ok_or(ApiError::NothingOf {
        parameter: "source",
        name,
    })?)
}

fn detail(
    connection: &Connection,
    source: String,
    from: Clause,
    scope: &Scope,
    now_us: i64,
) -> Result<Option<SourceDetail>, StoreError> {
    let (which, extent) = scope.of(connection, from)?;
    let figures = top::figures(connection, &which)?;
    if figures.requests == 0 {
        return Ok(None);
    }
    let top = |expression| top::of_records(connection, expression, &which, TOP_MAX);
    let sessions = format!(
        "SELECT lower(hex(session)) FROM records WHERE {}",
        which.sql
    );
    let against = Clause::new(
        format!("subject_kind = 'source' AND subject = ? OR session IN ({sessions})"),
        [duckdb::types::Value::Text(source.clone())]
            .into_iter()
            .chain(which.values.clone()),
    );
    Ok(Some(SourceDetail {
        extent,
        endpoints: top("endpoint")?,
        user_agents: top("user_agent")?,
        addresses: top("client_ip")?,
        users: top::users(connection, &which, TOP_MAX)?,
        verdicts: verdicts::against(connection, &against, VERDICTS_MAX, now_us)?,
        source: Source::new(source, figures),
    }))
}
