//! What for: pages, and what a browser fetches for them without being told.

use serde::{Deserialize, Serialize};

use super::Direction::{Either, Machine, Person};
use super::{Feature, View, feature};
use crate::event::Kind;
use crate::num::{log1p, share};
use crate::state::Step;

/// A browser asks for a page's assets within so many microseconds.
const FOLLOW_US: i64 = 10_000_000;

/// Kinds of a visit's requests.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Assets {
    requests: u32,
    pub(crate) pages: u32,
    pub(crate) code: u32,
    pub(crate) images: u32,
    data: u32,
    pub(crate) feeds: u32,
    files: u32,
    pub(crate) favicon: u32,
    pub(crate) robots: u32,
    /// Pages that an asset followed soon.
    pub(crate) followed: u32,
    page_us: i64,
    waiting: bool,
}

impl Assets {
    pub(crate) fn observe(&mut self, step: &Step<'_>) {
        let at = step.event.at_us;
        self.requests = self.requests.saturating_add(1);
        let counter = match step.event.kind {
            Kind::Page => &mut self.pages,
            Kind::Code => &mut self.code,
            Kind::Image => &mut self.images,
            Kind::Data => &mut self.data,
            Kind::Feed => &mut self.feeds,
            Kind::File => &mut self.files,
            Kind::Favicon => &mut self.favicon,
            Kind::Robots => &mut self.robots,
        };
        *counter = counter.saturating_add(1);
        if step.event.kind == Kind::Page {
            self.waiting = true;
            self.page_us = at;
        } else if step.event.kind.is_asset() && self.waiting {
            self.followed += u32::from(at.saturating_sub(self.page_us) <= FOLLOW_US);
            self.waiting = false;
        }
    }

    pub(crate) fn assets(&self) -> u32 {
        self.code.saturating_add(self.images).saturating_add(self.favicon)
    }
}

fn of_all(view: &View<'_>, count: fn(&Assets) -> u32) -> Option<f64> {
    let assets = &view.visit.assets;
    share(count(assets), assets.requests)
}

pub(super) const FEATURES: &[Feature] = &[
    feature("assets", Person, "Share of requests for assets.", |view| {
        of_all(view, Assets::assets)
    }),
    feature("code", Person, "Share of requests for styles, scripts and fonts.", |view| {
        of_all(view, |assets| assets.code)
    }),
    feature("images", Either, "Share of requests for pictures.", |view| {
        of_all(view, |assets| assets.images)
    }),
    feature("pages", Either, "Share of requests for pages.", |view| {
        of_all(view, |assets| assets.pages)
    }),
    feature("data", Either, "Share of requests for data.", |view| {
        of_all(view, |assets| assets.data)
    }),
    feature("feeds", Machine, "Share of requests for feeds.", |view| {
        of_all(view, |assets| assets.feeds)
    }),
    feature("files", Either, "Share of requests for downloads.", |view| {
        of_all(view, |assets| assets.files)
    }),
    feature("favicon", Person, "Asked for the favicon.", |view| {
        Some(f64::from(u8::from(view.visit.assets.favicon > 0)))
    }),
    feature("robots", Machine, "Asked for robots.txt or a sitemap.", |view| {
        Some(f64::from(u8::from(view.visit.assets.robots > 0)))
    }),
    feature("followed", Person, "Share of pages that assets followed.", |view| {
        share(view.visit.assets.followed, view.visit.assets.pages)
    }),
    feature("assets_per_page", Person, "Assets per page, logarithm.", |view| {
        let assets = &view.visit.assets;
        share(assets.assets(), assets.pages).map(log1p)
    }),
];
