//! A part of `GET /v1/status`: what is on the disk, and for how long.

use serde::Serialize;
use utoipa::ToSchema;

use super::App;

/// What is on the disk, and for how long: as of the compactor's last look, at most 10 s ago.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct StorageStatus {
    /// Bytes of everything in the data folder.
    disk_bytes: u64,
    /// Bytes that it may take; null: as many as there are.
    budget_bytes: Option<u64>,
    /// At the present rate, until the budget is reached; null without a budget, or when what
    /// expires makes room for what comes.
    days_until_budget: Option<f64>,
    /// For how long records are to be kept.
    retention_days: f64,
    /// For how long they were kept when the budget cut them short; null when it never did.
    retention_achieved_days: Option<f64>,
    /// Records went before their time: the budget is too small for `retention_days`.
    retention_alarm: bool,
    /// Closed segments.
    segments: u64,
    /// Records in them.
    segment_records: u64,
    /// Records that were left out of them, because only a share of their path's are kept
    /// (`--sample`). Sessions count them.
    segment_sampled_out: u64,
    /// Bytes of their files.
    segment_bytes: u64,
    /// Sessions to be forgotten that are still in files.
    forgetting: u64,
    /// Files of closed segments that should be there and are not: what they held is missing.
    missing_files: u64,
    /// Why segments cannot be closed or expired; null when they can.
    failing: Option<String>,
}

pub(super) fn status(app: &App) -> StorageStatus {
    let standing = app.segments.get();
    StorageStatus {
        disk_bytes: standing.disk_bytes,
        budget_bytes: standing.budget_bytes,
        days_until_budget: standing.days_until_budget,
        retention_days: standing.retention_days,
        retention_achieved_days: standing.achieved_days,
        retention_alarm: standing.alarm,
        segments: standing.segments,
        segment_records: standing.records,
        segment_sampled_out: standing.sampled_out,
        segment_bytes: standing.bytes,
        forgetting: standing.forgetting,
        missing_files: standing.missing,
        failing: standing.failing,
    }
}
