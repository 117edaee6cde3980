//! `POST /v1/backup`: a copy of everything, to start another service from.

use std::path::PathBuf;
use std::sync::Arc;

use http::StatusCode;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use super::error::ApiError;
use super::request::{Access, Call, call, json, respond};
use super::{App, admin};
use crate::backup::{self, BackupError};

/// Where to, and who asks.
#[derive(Debug, Default, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters in the OpenAPI document")]
struct BackupQuery {
    /// The folder to be made, on the service's machine: an absolute path, outside of the data
    /// folder.
    to: String,
    /// Who you are, for the service's log; `admin` when absent.
    author: Option<String>,
}

/// A backup.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BackupMade {
    /// Its folder.
    folder: String,
    /// Position up to which its database has the log; what was acknowledged until then or shortly
    /// after is in its log.
    position: u64,
    /// Records in its database.
    records: u64,
    /// How many files it has.
    files: u64,
    /// Their bytes; segments share theirs with the data folder, where that is on the same disk.
    bytes: u64,
}

pub(super) fn route(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    warp::path!("v1" / "backup")
        .and(call(app, Access::Admin))
        .then(|call: Call| async move { respond(handle(&call).await) })
        .boxed()
}

/// Copy everything into a new folder, while the service runs.
#[utoipa::path(
    post, path = "/v1/backup", tag = "service", params(BackupQuery),
    security(("admin_token" = [])),
    description = "Answers when the copy is complete and durable. Batches are taken meanwhile; the \
        store waits while DuckDB's file is copied. `throughline restore` makes a data folder of it.",
    responses((status = 201, description = "The backup is complete", body = BackupMade)),
)]
pub(super) async fn handle(call: &Call) -> Result<Response, ApiError> {
    let params = call.params(&["to", "author"])?;
    let author = admin::by(call, &params).author;
    let refused = |detail: String| ApiError::BadParameter {
        parameter: "to",
        detail,
        remedy: "name a folder that is not there yet, by an absolute path",
    };
    let to = params.get("to").map(PathBuf::from).unwrap_or_default();
    if !to.is_absolute() {
        return Err(refused(format!("`to` is `{}`", to.display())));
    }
    let now_us = call.app.clock.now_us();
    let folder = to.clone();
    let made = call.app.errands.quietly(move |database| {
        let data = database.segments().parent().unwrap_or(&to).to_path_buf();
        backup::make(database, &data, &to, now_us)
    });
    let contents = made.await?.map_err(|error| match error {
        BackupError::Exists(_) | BackupError::Inside(_) => refused(error.to_string()),
        BackupError::Files { .. } => refused(error.to_string()),
        BackupError::Store(_) | BackupError::Copy(_) => ApiError::Database(error.to_string()),
    })?;
    tracing::info!(author, folder = %folder.display(), bytes = contents.bytes(), "backed up");
    let mut response = json(&BackupMade {
        folder: folder.display().to_string(),
        position: contents.position,
        records: contents.records,
        files: contents.files.len() as u64,
        bytes: contents.bytes(),
    })?;
    *response.status_mut() = StatusCode::CREATED;
    Ok(response)
}
