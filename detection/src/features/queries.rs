//! With which questions: queries, and the same path asked over and over with others.

use serde::{Deserialize, Serialize};

use super::Direction::Either;
use super::{Feature, feature};
use crate::num::{log1p, share};
use crate::sketch::Bits;
use crate::state::Step;

/// Queries of a visit.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Queries {
    pub(crate) requests: u32,
    pub(crate) with: u32,
    pub(crate) distinct: Bits<4>,
    names: u32,
    pub(crate) names_most: u8,
}

impl Queries {
    pub(crate) fn observe(&mut self, step: &Step<'_>) {
        self.requests = self.requests.saturating_add(1);
        let Some(query) = step.event.query else {
            return;
        };
        self.with = self.with.saturating_add(1);
        self.distinct.insert(crate::hash::pair(step.event.path, query));
        self.names = self.names.saturating_add(u32::from(step.event.query_names));
        self.names_most = self.names_most.max(step.event.query_names);
    }
}

pub(super) const FEATURES: &[Feature] = &[
    feature("queries", Either, "Share of requests with a query.", |view| {
        share(view.visit.queries.with, view.visit.queries.requests)
    }),
    feature("distinct_queries", Either, "Different queries per request.", |view| {
        let queries = &view.visit.queries;
        share(queries.distinct.count(), queries.requests).map(|share| share.min(1.0))
    }),
    feature("query_names", Either, "Most parameters in one query, logarithm.", |view| {
        Some(log1p(view.visit.queries.names_most))
    }),
];
