//! `/v1/policy/candidates`: policies that are tried beside the active one, for some clients.

use std::sync::Arc;

use bytes::Buf;
use futures_util::Stream;
use http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use super::App;
use super::admin::{self, ByQuery};
use super::error::ApiError;
use super::policy::blocking;
use super::request::{Access, Call, Methods, call, json, respond};
use crate::policy::{self, Format, Refused};
use crate::time;

/// The longest trial, minutes: a week.
const MINUTES_MAX: u32 = 7 * 24 * 60;

/// For whom and how long.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Sampling {
    /// Share of the clients (address and user agent), above 0 and at most 1.
    clients_share: f64,
    /// How long, 1 to 10,080.
    minutes: u32,
}

impl Sampling {
    /// Clients in a million, and the end in microseconds since the Unix epoch.
    pub(super) fn check(self, now_us: i64) -> Result<(u32, i64), ApiError> {
        let refuse = |place: &str, problem: String| {
            Err(ApiError::PolicyRefused(Refused {
                place: place.into(),
                problem,
            }))
        };
        if !(1..=MINUTES_MAX).contains(&self.minutes) {
            let problem = format!("{} is not in 1..={MINUTES_MAX}", self.minutes);
            return refuse("minutes", problem);
        }
        if !(self.clients_share > 0.0 && self.clients_share <= 1.0) {
            let problem = format!(
                "{} is no share: write e.g. 0.1 for every tenth client",
                self.clients_share
            );
            return refuse("clients_share", problem);
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 0 and a million"
        )]
        let ppm = (self.clients_share * 1e6).round() as u32;
        Ok((
            ppm.max(1),
            now_us.saturating_add(i64::from(self.minutes) * 60_000_000),
        ))
    }
}

/// A policy to be tried.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewCandidate {
    /// The policy: docs/policy.md.
    #[schema(value_type = Object)]
    policy: Value,
    /// Share of the clients (address and user agent), above 0 and at most 1.
    clients_share: f64,
    /// How long, minutes, 1 to 10,080.
    minutes: u32,
}

/// A policy that is tried.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Candidate {
    /// Its name.
    name: String,
    /// Its name on records; another one after each change.
    policy_version: String,
    /// Share of the clients.
    clients_share: f64,
    /// Since when.
    #[schema(format = DateTime)]
    since: String,
    /// Until when.
    #[schema(format = DateTime)]
    until: String,
    /// Whether filters compute it now.
    running: bool,
    /// Who put it there, as they called themselves.
    author: String,
    /// The policy.
    #[schema(value_type = Object)]
    policy: Value,
}

impl Candidate {
    fn of(candidate: policy::Candidate, now_us: i64) -> Self {
        Self {
            policy_version: candidate.id,
            clients_share: f64::from(candidate.clients_ppm) / 1e6,
            since: time::text(candidate.since_us),
            until: time::text(candidate.until_us),
            running: now_us < candidate.until_us,
            author: candidate.author,
            policy: candidate.document,
            name: candidate.name,
        }
    }
}

/// The candidates.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Candidates {
    /// By name, at most 4.
    items: Vec<Candidate>,
}

pub(super) fn list_route(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    warp::path!("v1" / "policy" / "candidates")
        .and(call(app, Access::ReadAll))
        .then(|call: Call| async move { respond(list(&call)) })
        .boxed()
}

/// Policies that are tried.
#[utoipa::path(
    get, path = "/v1/policy/candidates", tag = "policy", security((), ("read_token" = [])),
    responses(
        (status = 200, description = "The candidates", body = Candidates),
    ),
)]
pub(super) fn list(call: &Call) -> Result<Response, ApiError> {
    call.params(&[])?;
    let now_us = call.app.clock.now_us();
    let all = call.app.policies.candidates().into_iter();
    json(&Candidates {
        items: all
            .map(|candidate| Candidate::of(candidate, now_us))
            .collect(),
    })
}

pub(super) fn route(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    warp::path!("v1" / "policy" / "candidates" / String)
        .and(call(app, Methods::PUT_DELETE))
        .and(warp::body::stream())
        .then(|name: String, call: Call, stream| async move {
            respond(match call.method {
                Method::DELETE => delete(&name, &call).await,
                _ => put(name, &call, stream).await,
            })
        })
        .boxed()
}

/// Try a policy beside the active one.
#[utoipa::path(
    put, path = "/v1/policy/candidates/{name}", tag = "policy", security(("admin_token" = [])),
    params(("name" = String, Path, description = "1 to 32 lower-case letters, digits, `-` and `_`"), ByQuery),
    description = "For a share of the clients, all of whose exchanges then carry the session that \
        the candidate would have made. Putting it again starts a new trial.",
    request_body(content = NewCandidate),
    responses(
        (status = 200, description = "The candidate", body = Candidate),
        (status = 409, description = "There are four"),
        (status = 422, description = "It cannot be used: the place and the remedy"),
    ),
)]
pub(super) async fn put<B: Buf>(
    name: String,
    call: &Call,
    stream: impl Stream<Item = Result<B, warp::Error>>,
) -> Result<Response, ApiError> {
    let params = call.params(admin::PARAMETERS)?;
    let fits = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
    if !(1..=32).contains(&name.len()) || !name.bytes().all(fits) {
        return Err(ApiError::BadParameter {
            parameter: "name",
            detail: "the candidate's name does not fit".into(),
            remedy: "take 1 to 32 lower-case letters, digits, `-` and `_`",
        });
    }
    let format = admin::format(call)?;
    let body = admin::read(call, stream).await?;
    let new: NewCandidate = admin::parse(&body, format)?;
    let text = new.policy.to_string();
    admin::check_length(text.len())?;
    let read = policy::read(text.as_bytes(), Format::Json).map_err(|refused| Refused {
        place: format!("policy.{}", refused.place),
        ..refused
    })?;
    let by = admin::by(call, &params);
    let now_us = by.now_us;
    let (clients_share, minutes) = (new.clients_share, new.minutes);
    let sampling = Sampling {
        clients_share,
        minutes,
    };
    let (ppm, until_us) = sampling.check(now_us)?;
    let policies = Arc::clone(&call.app.policies);
    let made =
        blocking(move || policies.put_candidate(&name, read.value, ppm, until_us, by)).await?;
    json(&Candidate::of(made, now_us))
}

/// End a candidate.
#[utoipa::path(
    delete, path = "/v1/policy/candidates/{name}", tag = "policy", security(("admin_token" = [])),
    params(("name" = String, Path, description = "Its name"), ByQuery),
    responses(
        (status = 204, description = "It is gone"),
        (status = 404, description = "There is none"),
    ),
)]
pub(super) async fn delete(name: &str, call: &Call) -> Result<Response, ApiError> {
    let by = admin::by(call, &call.params(admin::PARAMETERS)?);
    let policies = Arc::clone(&call.app.policies);
    let name = name.to_owned();
    blocking(move || policies.delete_candidate(&name, by)).await?;
    Ok(no_content())
}

/// An answer without a body.
pub(super) fn no_content() -> Response {
    let mut response = Response::new(Vec::new().into());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}
