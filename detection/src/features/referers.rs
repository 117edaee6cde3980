//! From where: a browser says which page led to a request; most programs do not.

use serde::{Deserialize, Serialize};

use super::Direction::{Either, Machine, Person};
use super::{Feature, feature};
use crate::event::Referer;
use crate::num::share;
use crate::state::Step;

/// Referers of a visit.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Referers {
    pub(crate) requests: u32,
    pub(crate) none: u32,
    pub(crate) own: u32,
    foreign: u32,
    /// With the path known: one that this visit asked for before, and any.
    here: u32,
    with_path: u32,
    /// The page names itself as its referer.
    itself: u32,
    /// Assets, and those without a referer.
    assets: u32,
    assets_none: u32,
    documents: u32,
    documents_none: u32,
}

impl Referers {
    pub(crate) fn observe(&mut self, step: &Step<'_>) {
        let event = step.event;
        self.requests = self.requests.saturating_add(1);
        let none = event.referer == Referer::None;
        match event.referer {
            Referer::None => self.none = self.none.saturating_add(1),
            Referer::Own => self.own = self.own.saturating_add(1),
            Referer::Foreign => self.foreign = self.foreign.saturating_add(1),
        }
        if event.referer == Referer::Own && event.referer_path.is_some() {
            self.with_path = self.with_path.saturating_add(1);
            self.here += u32::from(step.came_from_here);
            self.itself += u32::from(event.referer_path == Some(event.path));
        }
        if event.kind.is_asset() {
            self.assets = self.assets.saturating_add(1);
            self.assets_none += u32::from(none);
        } else if self.requests > 1 {
            self.documents = self.documents.saturating_add(1);
            self.documents_none += u32::from(none);
        }
    }
}

pub(super) const FEATURES: &[Feature] = &[
    feature("none", Machine, "Share of requests without a referer.", |view| {
        share(view.visit.referers.none, view.visit.referers.requests)
    }),
    feature("own", Person, "Share that came from the application's own pages.", |view| {
        share(view.visit.referers.own, view.visit.referers.requests)
    }),
    feature("foreign", Either, "Share that came from elsewhere.", |view| {
        share(view.visit.referers.foreign, view.visit.referers.requests)
    }),
    feature("here", Person, "Of own referers, those that this visit asked for.", |view| {
        share(view.visit.referers.here, view.visit.referers.with_path)
    }),
    feature("itself", Machine, "Of own referers, those that name the page itself.", |view| {
        share(view.visit.referers.itself, view.visit.referers.with_path)
    }),
    feature("assets_none", Machine, "Share of assets without a referer.", |view| {
        share(view.visit.referers.assets_none, view.visit.referers.assets)
    }),
    feature("documents_none", Machine, "Later pages and data without a referer.", |view| {
        share(view.visit.referers.documents_none, view.visit.referers.documents)
    }),
];
