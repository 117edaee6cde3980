//! `/v1/policy`: the policy, its versions, and what filters are told.

use std::sync::Arc;

use bytes::Buf;
use futures_util::Stream;
use http::header::{CONTENT_TYPE, ETAG};
use http::{HeaderValue, Method};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use super::App;
use super::admin::{self, ByQuery};
use super::error::ApiError;
use super::request::{Access, Call, Methods, call, json, respond};
use crate::policy::{self, Difference, PolicyError, Version, difference};
use crate::time;

/// Where the policy comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Mode {
    /// Nothing was set: every filter runs the policy of its plugin configuration.
    Bootstrap,
    /// A version that was put here.
    Live,
    /// The file that `--policy-file` names.
    File,
}

/// The policy as it is now.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CurrentPolicy {
    /// Where it comes from.
    mode: Mode,
    /// Number of the version, for `If-Match: "v<number>"`; 0 where there is none.
    version: u64,
    /// Its name on records; null where filters run their own.
    policy_version: Option<String>,
    /// Since when; null where it is no version.
    #[schema(format = DateTime)]
    time: Option<String>,
    /// Who made it.
    author: Option<String>,
    /// Why.
    comment: Option<String>,
    /// The file that it is.
    file: Option<String>,
    /// Why what stands in the file now is not used; null when it is.
    failing: Option<String>,
    /// The policy; null where filters run their own.
    #[schema(value_type = Option<Object>)]
    policy: Value,
}

impl CurrentPolicy {
    fn of(app: &App) -> Self {
        let current = app.policies.current();
        let version = current.as_ref().map_or(0, |current| current.version);
        let empty = Self {
            mode: Mode::Bootstrap,
            version,
            policy_version: None,
            time: None,
            author: None,
            comment: None,
            file: None,
            failing: None,
            policy: Value::Null,
        };
        match (app.policies.file(), current) {
            (Some(file), _) => Self {
                mode: Mode::File,
                policy_version: Some(file.version),
                file: Some(file.path.display().to_string()),
                failing: file.failing,
                policy: file.document,
                ..empty
            },
            (None, Some(current)) => Self {
                mode: Mode::Live,
                policy_version: Some(current.name()),
                time: Some(time::text(current.at_us)),
                author: Some(current.author),
                comment: Some(current.comment),
                policy: current.document,
                ..empty
            },
            (None, None) => empty,
        }
    }
}

fn with_tag(mut response: Response, version: u64) -> Response {
    if let Ok(tag) = HeaderValue::from_str(&format!("\"v{version}\"")) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}

const METHODS: Methods = Methods {
    each: &[("GET", Access::ReadAll), ("PUT", Access::Admin)],
    allow: "GET, HEAD, PUT",
};

pub(super) fn route(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    warp::path!("v1" / "policy")
        .and(call(app, METHODS))
        .and(warp::body::stream())
        .then(|call: Call, stream| async move {
            respond(match call.method {
                Method::PUT => put(&call, stream).await,
                _ => show(&call),
            })
        })
        .boxed()
}

/// The policy as it is now.
#[utoipa::path(
    get, path = "/v1/policy", tag = "policy", security((), ("read_token" = [])),
    description = "The header `ETag` names the version, for `If-Match` of a change.",
    responses(
        (status = 200, description = "The policy", body = CurrentPolicy),
    ),
)]
pub(super) fn show(call: &Call) -> Result<Response, ApiError> {
    call.params(&[])?;
    let current = CurrentPolicy::of(&call.app);
    Ok(with_tag(json(&current)?, current.version))
}

/// Make a document the policy.
#[utoipa::path(
    put, path = "/v1/policy", tag = "policy", security(("admin_token" = [])),
    params(
        ByQuery,
        ("If-Match" = String, Header, description = "ETag of the version to be replaced, `\"v0\"` when there is none; `*` for any"),
    ),
    description = "Filters have it within two seconds. `content-type: application/yaml` is taken too.",
    request_body(content = Object, content_type = "application/json", description = "The policy: docs/policy.md"),
    responses(
        (status = 200, description = "The new version", body = CurrentPolicy),
        (status = 409, description = "The policy is a file"),
        (status = 412, description = "It is another version by now"),
        (status = 413, description = "The policy is too long"),
        (status = 415, description = "Neither JSON nor YAML"),
        (status = 422, description = "The policy cannot be used: the place and the remedy"),
        (status = 428, description = "No If-Match"),
    ),
)]
pub(super) async fn put<B: Buf>(
    call: &Call,
    stream: impl Stream<Item = Result<B, warp::Error>>,
) -> Result<Response, ApiError> {
    let params = call.params(admin::PARAMETERS)?;
    let format = admin::format(call)?;
    let body = admin::read(call, stream).await?;
    admin::check_length(body.len())?;
    let read = policy::read(&body, format)?;
    let expected = match call.app.policies.file() {
        // It is refused for another reason, which helps more.
        Some(_) => None,
        None => admin::if_match(call)?,
    };
    let by = admin::by(call, &params);
    let policies = Arc::clone(&call.app.policies);
    let version = blocking(move || policies.put(read.value, expected, by)).await?;
    call.app.announce_profiles().await;
    Ok(with_tag(
        json(&CurrentPolicy::of(&call.app))?,
        version.version,
    ))
}

/// Runs what writes to the disk away from the async threads.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, PolicyError> + Send + 'static,
) -> Result<T, ApiError> {
    let done = tokio::task::spawn_blocking(work).await;
    let done = done.map_err(|error| PolicyError::Unwritable(error.to_string()))?;
    Ok(done?)
}

/// A version of the policy.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PolicyVersion {
    /// Its number.
    version: u64,
    /// Its name on records.
    policy_version: String,
    /// When it was made.
    #[schema(format = DateTime)]
    time: String,
    /// Who made it, as they called themselves.
    author: String,
    /// Why.
    comment: String,
    /// The version whose document it is again; null when it is a new one.
    rollback_to: Option<u64>,
}

impl From<&Version> for PolicyVersion {
    fn from(version: &Version) -> Self {
        Self {
            version: version.version,
            policy_version: version.name(),
            time: time::text(version.at_us),
            author: version.author.clone(),
            comment: version.comment.clone(),
            rollback_to: version.rollback_to,
        }
    }
}

/// The versions, the newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PolicyVersions {
    /// The versions.
    items: Vec<PolicyVersion>,
}

pub(super) fn versions_route(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    warp::path!("v1" / "policy" / "versions")
        .and(call(app, Access::ReadAll))
        .then(|call: Call| async move { respond(versions(&call)) })
        .boxed()
}

/// The versions of the policy, the newest first, at most 1,000.
#[utoipa::path(
    get, path = "/v1/policy/versions", tag = "policy", security((), ("read_token" = [])),
    responses(
        (status = 200, description = "The versions", body = PolicyVersions),
    ),
)]
pub(super) fn versions(call: &Call) -> Result<Response, ApiError> {
    call.params(&[])?;
    let versions = call.app.policies.versions();
    json(&PolicyVersions {
        items: versions.iter().map(PolicyVersion::from).collect(),
    })
}

/// A version with its document, and how it differs from the one before.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PolicyVersionWithDocument {
    /// The version.
    #[serde(flatten)]
    version: PolicyVersion,
    /// What differs from the version before; from an empty policy for the first.
    changes: Vec<Difference>,
    /// The policy.
    #[schema(value_type = Object)]
    policy: Value,
}

fn number(text: &str) -> Result<u64, ApiError> {
    let number = text.strip_prefix('v').unwrap_or(text).parse();
    number.map_err(|_| ApiError::BadParameter {
        parameter: "version",
        detail: format!(
            "`{}` is no version",
            text.chars().take(64).collect::<String>()
        ),
        remedy: "give its number, e.g. 3",
    })
}

pub(super) fn version_route(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    warp::path!("v1" / "policy" / "versions" / String)
        .and(call(app, Access::ReadAll))
        .then(|text: String, call: Call| async move { respond(version(&text, &call)) })
        .boxed()
}

/// One version of the policy.
#[utoipa::path(
    get, path = "/v1/policy/versions/{version}", tag = "policy",
    security((), ("read_token" = [])),
    params(("version" = u64, Path, description = "Its number")),
    responses(
        (status = 200, description = "The version", body = PolicyVersionWithDocument),
        (status = 404, description = "There is none"),
    ),
)]
pub(super) fn version(text: &str, call: &Call) -> Result<Response, ApiError> {
    call.params(&[])?;
    let policies = &call.app.policies;
    let version = policies.version(number(text)?)?;
    let before = document(policies, version.version - 1)?;
    let response = json(&PolicyVersionWithDocument {
        version: (&version).into(),
        changes: difference(&before, &version.document),
        policy: version.document,
    })?;
    Ok(with_tag(response, version.version))
}

/// The document of a version; an empty one for 0 and for those no longer kept.
fn document(policies: &policy::Policies, number: u64) -> Result<Value, ApiError> {
    match policies.version(number) {
        Ok(version) => Ok(version.document),
        Err(PolicyError::UnknownVersion(_)) => Ok(Value::Object(serde_json::Map::new())),
        Err(error) => Err(error.into()),
    }
}

/// What differs between two versions.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PolicyDifference {
    /// The one.
    from: u64,
    /// The other.
    to: u64,
    /// Every place that differs, at most 1,000.
    changes: Vec<Difference>,
}

pub(super) fn diff_route(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    warp::path!("v1" / "policy" / "diff")
        .and(call(app, Access::ReadAll))
        .then(|call: Call| async move { respond(diff(&call)) })
        .boxed()
}

/// What differs between two versions of the policy.
#[utoipa::path(
    get, path = "/v1/policy/diff", tag = "policy", security((), ("read_token" = [])),
    params(
        ("from" = u64, Query, description = "Number of the one version"),
        ("to" = Option<u64>, Query, description = "Number of the other; the current one when absent"),
    ),
    responses(
        (status = 200, description = "What differs", body = PolicyDifference),
        (status = 404, description = "There is no such version"),
    ),
)]
pub(super) fn diff(call: &Call) -> Result<Response, ApiError> {
    let params = call.params(&["from", "to"])?;
    let policies = &call.app.policies;
    let current = policies.current().map_or(0, |current| current.version);
    let from = number(params.get("from").unwrap_or_default())?;
    let to = params.get("to").map_or(Ok(current), number)?;
    let (before, after) = (policies.version(from)?, policies.version(to)?);
    json(&PolicyDifference {
        from,
        to,
        changes: difference(&before.document, &after.document),
    })
}

/// Which version.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RollBack {
    /// Its number.
    version: u64,
}

pub(super) fn rollback_route(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    warp::path!("v1" / "policy" / "rollback")
        .and(call(app, Access::Admin))
        .and(warp::body::stream())
        .then(|call: Call, stream| async move { respond(roll_back(&call, stream).await) })
        .boxed()
}

/// Make an old version the policy again.
#[utoipa::path(
    post, path = "/v1/policy/rollback", tag = "policy", security(("admin_token" = [])),
    params(ByQuery),
    description = "It becomes a new version with the old one's document. `If-Match` is looked at \
        where it is sent, and not needed: a roll-back is mostly urgent.",
    request_body(content = RollBack),
    responses(
        (status = 200, description = "The new version", body = CurrentPolicy),
        (status = 404, description = "There is no such version"),
        (status = 409, description = "The policy is a file"),
        (status = 412, description = "It is another version by now"),
        (status = 422, description = "The body is something else"),
    ),
)]
pub(super) async fn roll_back<B: Buf>(
    call: &Call,
    stream: impl Stream<Item = Result<B, warp::Error>>,
) -> Result<Response, ApiError> {
    let params = call.params(admin::PARAMETERS)?;
    let format = admin::format(call)?;
    let body = admin::read(call, stream).await?;
    let RollBack { version } = admin::parse(&body, format)?;
    let expected = match admin::if_match(call) {
        Err(ApiError::NoIfMatch) => None,
        other => other?,
    };
    let by = admin::by(call, &params);
    let policies = Arc::clone(&call.app.policies);
    let version = blocking(move || policies.roll_back(version, expected, by)).await?;
    call.app.announce_profiles().await;
    Ok(with_tag(
        json(&CurrentPolicy::of(&call.app))?,
        version.version,
    ))
}

const LIVE: Methods = Methods {
    each: &[("GET", Access::Ingest)],
    allow: "GET, HEAD",
};

pub(super) fn live_route(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    warp::path!("v1" / "policy" / "live")
        .and(call(app, LIVE))
        .then(|call: Call| async move { respond(live(&call)) })
        .boxed()
}

/// What filters are told: the policy, candidates and the key finder.
#[utoipa::path(
    get, path = "/v1/policy/live", tag = "ingest", security(("ingest_token" = [])),
    description = "A filter asks for it when the reply to a batch or heartbeat names a \
        `live_version` that it does not have.",
    responses(
        (status = 200, description = "`live_version`, `policy`, `candidates`, `finder`", body = Object),
        (status = 404, description = "Nothing was ever set"),
    ),
)]
pub(super) fn live(call: &Call) -> Result<Response, ApiError> {
    call.params(&[])?;
    let app = &call.app;
    let live = app
        .policies
        .live(app.clock.now_us())
        .ok_or(ApiError::NotFound)?;
    let mut response = Response::new(live.json.clone().into());
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    Ok(response)
}
