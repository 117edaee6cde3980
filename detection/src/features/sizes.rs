//! At what cost: bytes and times against what the endpoint usually takes.

use serde::{Deserialize, Serialize};

use super::Direction::Either;
use super::{Feature, View, feature};
use crate::num::{log1p, share};
use crate::state::Step;

/// Sizes of a visit.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Sizes {
    pub(crate) requests: u32,
    pub(crate) bytes: u64,
    /// Of requests.
    sent_bytes: u64,
    bytes_ranks: u64,
    bytes_ranked: u32,
    time_ranks: u64,
    pub(crate) time_ranked: u32,
    pub(crate) upstream_us: u64,
}

impl Sizes {
    pub(crate) fn observe(&mut self, step: &Step<'_>) {
        self.requests = self.requests.saturating_add(1);
        self.bytes = self.bytes.saturating_add(step.event.response_bytes);
        self.sent_bytes = self.sent_bytes.saturating_add(step.event.request_bytes);
        if let Some(rank) = step.bytes_rank {
            self.bytes_ranks = self.bytes_ranks.saturating_add(u64::from(rank));
            self.bytes_ranked = self.bytes_ranked.saturating_add(1);
        }
        if let Some(us) = step.event.upstream_us {
            self.upstream_us = self.upstream_us.saturating_add(us);
        }
        if let Some(rank) = step.time_rank {
            self.time_ranks = self.time_ranks.saturating_add(u64::from(rank));
            self.time_ranked = self.time_ranked.saturating_add(1);
        }
    }

    /// Seconds of the upstream's time per minute of the visit; `None` where times are unknown.
    pub(crate) fn work(&self, view: &View<'_>) -> Option<f64> {
        (self.upstream_us > 0).then(|| self.upstream_us as f64 / 1e6 / minutes(view))
    }

    /// MiB of bodies per minute of the visit, both ways.
    pub(crate) fn carried(&self, view: &View<'_>) -> Option<f64> {
        let bytes = self.bytes.saturating_add(self.sent_bytes);
        Some(bytes as f64 / 1_048_576.0 / minutes(view))
    }

    /// Mean rank of its times among those of the same endpoints, 0 to 1.
    pub(crate) fn time_rank(&self) -> Option<f64> {
        share(self.time_ranks as f64 / 1e3, self.time_ranked)
    }
}

/// Minutes of the visit, at least one.
fn minutes(view: &View<'_>) -> f64 {
    (view.visit.volume.duration() / 60.0).max(1.0)
}

pub(super) const FEATURES: &[Feature] = &[
    feature("bytes", Either, "Mean response size, logarithm.", |view| {
        share(view.visit.sizes.bytes as f64, view.visit.sizes.requests).map(log1p)
    }),
    feature("bytes_rank", Either, "Mean rank of the size for its endpoint.", |view| {
        let sizes = &view.visit.sizes;
        share(sizes.bytes_ranks as f64 / 1e3, sizes.bytes_ranked)
    }),
    feature("time_rank", Either, "Mean rank of the time for its endpoint.", |view| {
        view.visit.sizes.time_rank()
    }),
    feature("work", Either, "Seconds of the upstream's time per minute, logarithm.", |view| {
        view.visit.sizes.work(view).map(log1p)
    }),
    feature("carried", Either, "MiB of bodies per minute, logarithm.", |view| {
        view.visit.sizes.carried(view).map(log1p)
    }),
];
