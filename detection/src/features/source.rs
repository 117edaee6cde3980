//! Whence: what its address and network did before and beside this visit.

use serde::{Deserialize, Serialize};

use super::Direction::{Either, Machine, Person};
use super::{Feature, View, feature};
use crate::num::{log1p, share};
use crate::state::Step;
use crate::state::source::Source;

/// Nothing of its own: the state is the source's.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct FromSource {}

impl FromSource {
    #[expect(clippy::unused_self, reason = "every group has this shape")]
    pub(crate) fn observe(&mut self, _step: &Step<'_>) {}
}

fn hours(source: &Source) -> f64 {
    f64::from(source.hours.count_ones())
}

fn repeats(view: &View<'_>) -> Option<f64> {
    let address = view.address?;
    share(address.paths.count(), address.requests).map(|share| 1.0 - share.min(1.0))
}

pub(super) const FEATURES: &[Feature] = &[
    feature("address_sessions", Either, "Sessions from the address, logarithm.", |view| {
        view.address.map(|source| log1p(source.sessions.count()))
    }),
    feature("address_requests", Either, "Requests from the address, logarithm.", |view| {
        view.address.map(|source| log1p(source.requests))
    }),
    feature("address_hours", Machine, "Hours of the day it was seen, logarithm.", |view| {
        view.address.map(|source| log1p(hours(source)))
    }),
    feature("address_days", Machine, "Days on which it was seen.", |view| {
        view.address.map(|source| f64::from(source.days.count_ones()))
    }),
    feature("address_repeats", Either, "Share of its requests for paths it had already.", |view| {
        repeats(view)
    }),
    feature("address_assets", Person, "Share of assets in all its requests.", |view| {
        view.address.and_then(|source| share(source.assets, source.requests))
    }),
    feature("address_referers", Person, "Share of its requests with a referer.", |view| {
        view.address.and_then(|source| share(source.referers, source.requests))
    }),
    feature("fingerprint_sessions", Either, "Sessions with the TLS fingerprint, logarithm.", |view| {
        view.fingerprint.map(|source| log1p(source.sessions.count()))
    }),
    feature("fingerprint_assets", Person, "Share of assets in all its requests.", |view| {
        view.fingerprint.and_then(|source| share(source.assets, source.requests))
    }),
    feature("subnet_sessions", Either, "Sessions from the network, logarithm.", |view| {
        view.subnet.map(|source| log1p(source.sessions.count()))
    }),
    feature("subnet_addresses", Machine, "Addresses in the network, logarithm.", |view| {
        view.subnet.map(|source| log1p(source.addresses.count()))
    }),
    feature("subnet_assets", Person, "Share of assets in all its requests.", |view| {
        view.subnet.and_then(|source| share(source.assets, source.requests))
    }),
    feature("subnet_referers", Person, "Share of its requests with a referer.", |view| {
        view.subnet.and_then(|source| share(source.referers, source.requests))
    }),
];
