//! What browsers here send and which versions they are: to hold a claim against.

use serde::{Deserialize, Serialize};
use throughline_session::shape::mark;

use crate::event::{Browser, Claim, Event, Family};
use crate::features::Visit;
use crate::num;
use crate::sketch::Top;

/// Headers that browsers send with everything, or, over plain HTTP, with nothing.
pub(crate) const FETCH: u32 = mark("sec-fetch-mode");
/// The same, Chromium alone.
pub(crate) const BRANDS: u32 = mark("sec-ch-ua");

/// Visits that claim one family of browsers, and in how many of them there was a header.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Usual {
    visits: u32,
    fetch: u32,
    brands: u32,
}

/// Header shapes by claim, and what goes with which browser.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Shapes {
    browsers: Top<32>,
    others: Top<32>,
    /// TLS fingerprints by claim.
    browser_prints: Top<32>,
    other_prints: Top<32>,
    usual: [Usual; 3],
    /// By family and version.
    versions: Top<48>,
}

impl Shapes {
    pub(crate) fn learn(&mut self, event: &Event) {
        if let Some(print) = event.fingerprint.map(num::low32) {
            match event.claim {
                Claim::Browser => self.browser_prints.add(print),
                Claim::Tool | Claim::Crawler => self.other_prints.add(print),
                _ => {}
            }
        }
        let Some(shape) = event.header_shape.map(num::low32) else {
            return;
        };
        match event.claim {
            Claim::Browser => self.browsers.add(shape),
            Claim::Tool | Claim::Crawler => self.others.add(shape),
            _ => {}
        }
    }

    /// Learns from a visit that came to its third request: each counts once, however long.
    pub(crate) fn learn_visit(&mut self, visit: &Visit) {
        let identity = &visit.identity;
        let Some(browser) = identity
            .browser
            .filter(|_| identity.claim == Claim::Browser)
        else {
            return;
        };
        self.versions.add(browser.key());
        let Some(marks) = identity.marks else {
            return;
        };
        if let Some(usual) = self.usual.get_mut(browser.family.index()) {
            usual.visits = usual.visits.saturating_add(1);
            usual.fetch += u32::from(marks & FETCH != 0);
            usual.brands += u32::from(marks & BRANDS != 0);
        }
    }

    /// Whether a shape is that of tools, and of hardly any browser.
    pub(crate) fn foreign(&self, shape: u64) -> bool {
        Self::of_others(&self.browsers, &self.others, shape)
    }

    /// The same of a TLS fingerprint: the library that shook hands is not the one that was named.
    pub(crate) fn foreign_print(&self, print: u64) -> bool {
        Self::of_others(&self.browser_prints, &self.other_prints, print)
    }

    fn of_others(browsers: &Top<32>, others: &Top<32>, hash: u64) -> bool {
        const KNOWN: u32 = 200;
        let key = num::low32(hash);
        let rare = browsers.count(key).saturating_mul(50) < browsers.total();
        browsers.total() >= KNOWN && others.count(key) >= 5 && rare
    }

    /// The headers that most visits with this browser have here: what over plain HTTP nobody
    /// sends, nobody is missed for.
    pub(crate) fn usual(&self, family: Family) -> u32 {
        const KNOWN: u32 = 20;
        let Some(usual) = self
            .usual
            .get(family.index())
            .filter(|it| it.visits >= KNOWN)
        else {
            return 0;
        };
        let mostly = |count: u32, mark| {
            if count.saturating_mul(5) >= usual.visits.saturating_mul(3) {
                mark
            } else {
                0
            }
        };
        mostly(usual.fetch, FETCH) | mostly(usual.brands, BRANDS)
    }

    /// How many versions a browser is behind the newest that one in twenty visits with the same
    /// family have; `None` where too few are known.
    pub(crate) fn behind(&self, browser: Browser) -> Option<u16> {
        const KNOWN: u32 = 40;
        let own = |key: u32| Browser::of_key(key).filter(|it| it.family == browser.family);
        let family = || {
            self.versions
                .slots()
                .filter_map(|(key, count)| Some((own(key)?, count)))
        };
        let all: u32 = family().map(|(_, count)| count).sum();
        if all < KNOWN {
            return None;
        }
        let common = family().filter(|(_, count)| count.saturating_mul(20) >= all);
        let newest = common.map(|(it, _)| it.version).max()?;
        Some(newest.saturating_sub(browser.version))
    }
}
