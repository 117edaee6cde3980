//! What answers have in common for which detection judges stored records anew: one at a time, so many
//! records, so long.

use std::sync::Arc;
use std::time::Duration;

use duckdb::Connection;
use serde::Serialize;
use utoipa::ToSchema;

use super::error::ApiError;
use super::query;
use super::request::Call;
use crate::store::StoreError;

/// Records judged at most: the latest ones.
pub(super) const RECORDS_MAX: u64 = 200_000;

/// Why not all was judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Cut {
    /// There are more than 200,000 records: the latest ones were judged.
    Records,
    /// It took eight tenths of `--query-timeout`: the earliest of these were judged.
    Time,
}

impl Cut {
    /// `None` where all of the `records` that there are were judged; `ended` when time was enough.
    pub(super) fn of(ended: bool, records: u64) -> Option<Self> {
        match ended {
            false => Some(Self::Time),
            true => (records > RECORDS_MAX).then_some(Self::Records),
        }
    }
}

/// Does `work` when it is its turn; it has the time that it is given, and the rest is for the answer.
pub(super) async fn run<T: Send + 'static>(
    call: &Call,
    work: impl FnOnce(&Connection, Duration) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, ApiError> {
    let patience = call.app.query_timeout;
    let turn = Arc::clone(&call.app.replays).acquire_owned();
    let Ok(Ok(turn)) = tokio::time::timeout(patience, turn).await else {
        return Err(ApiError::QueriesBusy);
    };
    query::run(call, move |connection| {
        let _turn = turn;
        work(connection, patience * 8 / 10)
    })
    .await
}
