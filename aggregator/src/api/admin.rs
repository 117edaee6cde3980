//! What changes have in common: who, why, the body, and which version is meant.

use std::time::Duration;

use bytes::Buf;
use futures_util::Stream;
use http::header::{CONTENT_TYPE, IF_MATCH};
use serde::de::DeserializeOwned;
use utoipa::IntoParams;

use super::error::ApiError;
use super::params::Params;
use super::request::Call;
use crate::ingest::body::{self, BodyError};
use crate::policy::{By, DOCUMENT_BYTES_MAX, Format, Refused};
use crate::store::desk::Doer;

/// A body must be complete after this long.
const BODY_TIME: Duration = Duration::from_secs(30);
/// Room for what surrounds a policy in a candidate's body, bytes.
const AROUND_BYTES_MAX: u64 = 4 * 1024;

/// A body that is no policy and no document, bytes.
const SMALL_BYTES_MAX: u64 = 16 * 1024;

/// Who changes something, and why.
#[derive(Debug, Default, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters in the OpenAPI document")]
pub(super) struct ByQuery {
    /// Who you are, for the audit log; `admin` when absent.
    author: Option<String>,
    /// Why, for the audit log.
    comment: Option<String>,
}

/// The parameters that every change takes.
pub(super) const PARAMETERS: &[&str] = &["author", "comment"];

/// Who changes something, and why.
pub(super) fn by(call: &Call, params: &Params) -> By {
    By {
        author: params.get("author").unwrap_or("admin").to_owned(),
        comment: params.get("comment").unwrap_or_default().to_owned(),
        now_us: call.app.clock.now_us(),
    }
}

/// The same for what is done at the desk.
pub(super) fn doer(by: By) -> Doer {
    Doer {
        author: by.author,
        comment: by.comment,
    }
}

/// The version that `If-Match` names; `None` for `*`, which stands for any.
pub(super) fn if_match(call: &Call) -> Result<Option<u64>, ApiError> {
    let text = call
        .headers
        .get(IF_MATCH)
        .and_then(|value| value.to_str().ok())
        .ok_or(ApiError::NoIfMatch)?;
    if text == "*" {
        return Ok(None);
    }
    let number = text.trim_matches('"').strip_prefix('v');
    match number.and_then(|number| number.parse().ok()) {
        Some(number) => Ok(Some(number)),
        // An ETag that we never gave out matches nothing.
        None => Ok(Some(u64::MAX)),
    }
}

/// How the body is written.
pub(super) fn format(call: &Call) -> Result<Format, ApiError> {
    let Some(value) = call.headers.get(CONTENT_TYPE) else {
        return Ok(Format::Json);
    };
    let text = String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase();
    match text.split(';').next().unwrap_or_default().trim() {
        "application/json" | "text/json" => Ok(Format::Json),
        "application/yaml" | "application/x-yaml" | "text/yaml" | "text/x-yaml" => Ok(Format::Yaml),
        other => Err(ApiError::UnsupportedMediaType {
            media_type: other.chars().take(128).collect(),
        }),
    }
}

/// Reads a body with a policy in it.
pub(super) async fn read<B: Buf>(
    call: &Call,
    stream: impl Stream<Item = Result<B, warp::Error>>,
) -> Result<Vec<u8>, ApiError> {
    let too_long = ApiError::PolicyTooLarge {
        most: DOCUMENT_BYTES_MAX,
    };
    read_up_to(
        call,
        stream,
        DOCUMENT_BYTES_MAX + AROUND_BYTES_MAX,
        too_long,
    )
    .await
}

/// Reads a body of at most `most` bytes; `too_long` says that it is longer.
pub(super) async fn read_up_to<B: Buf>(
    call: &Call,
    stream: impl Stream<Item = Result<B, warp::Error>>,
    most: u64,
    too_long: ApiError,
) -> Result<Vec<u8>, ApiError> {
    let read = body::read(stream, most, &call.app.budget);
    let read = tokio::time::timeout(BODY_TIME, read)
        .await
        .map_err(|_| ApiError::BodyTimeout)?;
    let (body, _room) = read.map_err(|error| match error {
        BodyError::TooLong | BodyError::UnpacksTooLong => too_long,
        BodyError::Full => ApiError::QueueFull,
        BodyError::Broken | BodyError::NotUnpackable(_) => ApiError::BodyBroken,
    })?;
    Ok(body)
}

/// Refuses a policy that is longer than one may be.
pub(super) fn check_length(bytes: usize) -> Result<(), ApiError> {
    if bytes as u64 > DOCUMENT_BYTES_MAX {
        return Err(ApiError::PolicyTooLarge {
            most: DOCUMENT_BYTES_MAX,
        });
    }
    Ok(())
}

/// A small body of JSON or YAML as what it must be.
pub(super) async fn read_small<T: DeserializeOwned, B: Buf>(
    call: &Call,
    stream: impl Stream<Item = Result<B, warp::Error>>,
) -> Result<T, ApiError> {
    let format = format(call)?;
    let most = SMALL_BYTES_MAX;
    let body = read_up_to(call, stream, most, ApiError::BodyTooLong { most }).await?;
    let read = match format {
        Format::Json => serde_json::from_slice(&body).map_err(|error| error.to_string()),
        Format::Yaml => serde_yaml_ng::from_slice(&body).map_err(|error| error.to_string()),
    };
    read.map_err(ApiError::BadBody)
}

/// The body as what it must be, in either format.
pub(super) fn parse<T: DeserializeOwned>(body: &[u8], format: Format) -> Result<T, ApiError> {
    let parsed = match format {
        Format::Json => serde_json::from_slice(body).map_err(|error| error.to_string()),
        Format::Yaml => serde_yaml_ng::from_slice(body).map_err(|error| error.to_string()),
    };
    parsed.map_err(|problem| Refused::whole(problem).into())
}
