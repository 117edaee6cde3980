//! Where to: how many different places, how deep, how evenly.

use serde::{Deserialize, Serialize};

use super::Direction::{Either, Machine};
use super::{Feature, feature};
use crate::event::Templates;
use crate::num::{log1p, share};
use crate::sketch::{Bits, Top};
use crate::state::Step;

/// Places of a visit.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Endpoints {
    pub(crate) requests: u32,
    pub(crate) paths: Bits<8>,
    pub(crate) top: Top<12>,
    /// Different endpoints.
    pub(crate) distinct: Bits<4>,
    roots: Bits<1>,
    /// Requests for paths that nobody was ever served.
    pub(crate) unknown: u32,
    pub(crate) unknown_paths: Bits<4>,
    depth_sum: u32,
    depth_most: u8,
    rarity_sum: u64,
    /// The commonest, without what belongs to pages.
    documents: u32,
    document_paths: Bits<4>,
}

impl Endpoints {
    pub(crate) fn observe(&mut self, step: &Step<'_>) {
        let event = step.event;
        self.requests = self.requests.saturating_add(1);
        self.paths.insert(event.path);
        self.top.add(event.endpoint);
        self.distinct.insert(crate::hash::mix(u64::from(event.endpoint) + 1));
        self.roots.insert(event.root);
        let unknown = event.endpoint / 2 == Templates::UNKNOWN / 2;
        if unknown && event.missed() && !event.kind.is_asset() {
            self.unknown = self.unknown.saturating_add(1);
            self.unknown_paths.insert(event.path);
        }
        self.depth_sum = self.depth_sum.saturating_add(u32::from(event.depth));
        self.depth_most = self.depth_most.max(event.depth);
        self.rarity_sum = self.rarity_sum.saturating_add(u64::from(step.rarity));
        if !event.kind.is_asset() {
            self.documents = self.documents.saturating_add(1);
            self.document_paths.insert(event.path);
        }
    }
}

pub(super) const FEATURES: &[Feature] = &[
    feature("unique_paths", Either, "Different paths per request.", |view| {
        let endpoints = &view.visit.endpoints;
        share(endpoints.paths.count(), endpoints.requests).map(|share| share.min(1.0))
    }),
    feature("unique_documents", Either, "Different paths per request, assets aside.", |view| {
        let endpoints = &view.visit.endpoints;
        share(endpoints.document_paths.count(), endpoints.documents).map(|share| share.min(1.0))
    }),
    feature("unique_endpoints", Either, "Different endpoints per request.", |view| {
        let endpoints = &view.visit.endpoints;
        share(endpoints.distinct.count(), endpoints.requests).map(|share| share.min(1.0))
    }),
    feature("endpoints", Either, "Different endpoints, logarithm.", |view| {
        Some(log1p(view.visit.endpoints.distinct.count()))
    }),
    feature("evenness", Either, "Entropy over endpoints, of its largest value.", |view| {
        view.visit.endpoints.top.evenness()
    }),
    feature("commonest", Either, "Share of the commonest endpoint.", |view| {
        let top = &view.visit.endpoints.top;
        top.first().and_then(|(_, count)| share(count, top.total()))
    }),
    feature("roots", Either, "Different first path segments per request.", |view| {
        let endpoints = &view.visit.endpoints;
        share(endpoints.roots.count(), endpoints.requests).map(|share| share.min(1.0))
    }),
    feature("depth", Either, "Mean depth of the paths.", |view| {
        share(view.visit.endpoints.depth_sum, view.visit.endpoints.requests)
    }),
    feature("rarity", Either, "How rare its endpoints are in the application, mean.", |view| {
        let endpoints = &view.visit.endpoints;
        share(endpoints.rarity_sum as f64 / 1e3, endpoints.requests)
    }),
    feature("unknown", Machine, "Share of requests for paths that were never served.", |view| {
        share(view.visit.endpoints.unknown, view.visit.endpoints.requests)
    }),
];
