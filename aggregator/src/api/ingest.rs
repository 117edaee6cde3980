//! `POST /v1/ingest`: takes a batch, and says so once it is on disk.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use bytes::Buf;
use futures_util::Stream;
use http::header::CONTENT_ENCODING;
use serde::Deserialize;
use throughline_session::wire::Reply;
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use super::App;
use super::error::ApiError;
use super::request::{Access, Call, call, json, respond};
use crate::ingest::body::{self, BodyError};
use crate::ingest::check;
use crate::ingest::unpack::Encoding;
use crate::log::{Appended, Batch, WorkerKey};
use crate::tokens::{Denied, Scope};

/// A body must be complete after this long.
const BODY_TIME: Duration = Duration::from_secs(30);

pub(super) fn route(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    warp::path!("v1" / "ingest")
        .and(call(app, Access::Ingest))
        .and(warp::body::stream())
        .then(|call: Call, stream| async move {
            let outcome = handle(&call, stream).await;
            if let Err(error) = &outcome {
                call.app.metrics.reject(error.name());
            }
            respond(outcome)
        })
        .boxed()
}

/// Take a batch of records.
#[utoipa::path(
    post, path = "/v1/ingest", tag = "ingest", security(("ingest_token" = [])),
    description = "Takes one batch as NDJSON: a header line, then one line per record. The reply comes \
        after the batch is on disk. A batch that was taken before is acknowledged again and not \
        stored twice. A record line that cannot be understood is put in quarantine and does not \
        keep the others out. The body may be packed (`content-encoding: gzip` or `zstd`, several \
        members or frames included). docs/ingest.md describes the format, and \
        docs/ingest.schema.json each line.",
    request_body(content = String, content_type = "application/x-ndjson"),
    responses(
        (status = 200, description = "On disk", body = super::openapi::Acknowledgement),
        (status = 403, description = "A token for something else, or for other applications"),
        (status = 408, description = "The body came too slowly"),
        (status = 409, description = "Too old to tell whether it was taken before"),
        (status = 413, description = "Longer than --max-batch-bytes, packed or unpacked"),
        (status = 415, description = "Packed in another way than gzip or zstd"),
    ),
)]
async fn handle<B: Buf>(
    call: &Call,
    stream: impl Stream<Item = Result<B, warp::Error>>,
) -> Result<Response, ApiError> {
    let app = &call.app;
    let encoding = encoding(&call.headers)?;
    let read = body::unpack(stream, encoding, app.max_batch_bytes, &app.budget);
    let read = tokio::time::timeout(BODY_TIME, read)
        .await
        .map_err(|_| ApiError::BodyTimeout)?;
    let most = app.max_batch_bytes;
    let (body, room) = read.map_err(|error| match error {
        BodyError::TooLong => ApiError::TooLarge { most },
        BodyError::UnpacksTooLong => ApiError::UnpacksTooLarge { most },
        BodyError::NotUnpackable(reason) => ApiError::BadEncoding { reason },
        BodyError::Full => ApiError::QueueFull,
        BodyError::Broken => ApiError::BodyBroken,
    })?;
    let arrived_us = app.clock.now_us();
    let (source, sequence, records) = {
        let header = check(&body).map_err(ApiError::BadBatch)?;
        let source = WorkerKey {
            boot: header.boot,
            worker: header.worker,
        };
        app.books.hear(source, &header, arrived_us);
        (source, header.sequence, header.records)
    };
    check_scope(call, &body)?;
    let len = body.len() as u64;
    let batch = Batch {
        source,
        sequence,
        arrived_us,
        body,
        room,
    };
    let appended = app.log.append(batch).await.map_err(ApiError::Refused)?;
    let metrics = &app.metrics;
    match (appended, sequence) {
        (Appended::Duplicate, _) => metrics.duplicates.inc(),
        (Appended::Stored, None) => metrics.heartbeats.inc(),
        (Appended::Stored, Some(_)) => {
            metrics.records.inc_by(u64::from(records));
            metrics.bytes.inc_by(len);
            metrics.batches.inc()
        }
    };
    json(&Reply {
        acknowledged: sequence,
        duplicate: appended == Appended::Duplicate,
        live_version: app
            .policies
            .live(app.clock.now_us())
            .map(|live| live.version.clone()),
    })
}

fn encoding(headers: &http::HeaderMap) -> Result<Encoding, ApiError> {
    let mut named = headers.get_all(CONTENT_ENCODING).iter();
    let first = named.next().map_or(&b""[..], http::HeaderValue::as_bytes);
    let name = String::from_utf8_lossy(first).into_owned();
    let encoding = Encoding::named(&name).filter(|_| named.next().is_none());
    encoding.ok_or(ApiError::UnsupportedEncoding { encoding: name })
}

/// A record's application.
#[derive(Deserialize)]
struct Named<'a> {
    #[serde(borrow)]
    application: Cow<'a, str>,
}

/// Refuses a batch with a record of an application that the token is not for. Lines that cannot be
/// read are nobody's: they end in quarantine.
pub(super) fn check_scope(call: &Call, body: &[u8]) -> Result<(), ApiError> {
    if call.grant.scope == Scope::All {
        return Ok(());
    }
    for (number, line) in (1..).zip(body.split(|byte| *byte == b'\n')).skip(1) {
        let Ok(record) = serde_json::from_slice::<Named<'_>>(line) else {
            continue;
        };
        if !call.grant.scope.covers(&record.application) {
            let application: String = record.application.chars().take(128).collect();
            return Err(ApiError::Denied(Denied::OutOfScope {
                token: call.grant.name.clone(),
                what: format!("line {number} is a record of the application `{application}`"),
            }));
        }
    }
    Ok(())
}
