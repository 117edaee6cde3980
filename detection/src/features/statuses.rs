//! With what success: how the application answered, and to which methods.

use serde::{Deserialize, Serialize};

use super::Direction::{Either, Machine};
use super::{Feature, View, feature};
use crate::event::{LogPosition, Method, Protocol};
use crate::num::share;
use crate::sketch::{Bits, Rare, Sample};
use crate::state::Step;

/// Answers of a visit.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Statuses {
    requests: u32,
    pub(crate) ok: u32,
    unchanged: u32,
    redirected: u32,
    pub(crate) denied: u32,
    pub(crate) not_found: u32,
    pub(crate) other_4xx: u32,
    server_errors: u32,
    head: u32,
    options: u32,
    pub(crate) writes: u32,
    odd_methods: u32,
    http10: u32,
    /// 401, 403, 404 and 410, logins aside.
    pub(crate) misses: u32,
    pub(crate) missed_paths: Bits<4>,
    /// Misses of paths that only scanners know.
    pub(crate) probe_paths: Bits<1>,
    /// Writes that were turned down, logins aside.
    pub(crate) writes_failed: u32,
    refused: Rare<Sample>,
    sample: Rare<Sample>,
}

impl Statuses {
    pub(crate) fn observe(&mut self, step: &Step<'_>) {
        let event = step.event;
        self.requests = self.requests.saturating_add(1);
        let counter = match event.status {
            304 => Some(&mut self.unchanged),
            200..=299 => Some(&mut self.ok),
            300..=399 => Some(&mut self.redirected),
            401 | 403 => Some(&mut self.denied),
            404 | 410 => Some(&mut self.not_found),
            400..=499 => Some(&mut self.other_4xx),
            500.. => Some(&mut self.server_errors),
            _ => None,
        };
        if let Some(counter) = counter {
            *counter = counter.saturating_add(1);
        }
        match event.method {
            Method::Get => {}
            Method::Head => self.head = self.head.saturating_add(1),
            Method::Options => self.options = self.options.saturating_add(1),
            Method::Write => self.writes = self.writes.saturating_add(1),
            Method::Other => self.odd_methods = self.odd_methods.saturating_add(1),
        }
        let turned_down = matches!(event.status, 400 | 402 | 403 | 404 | 409 | 410 | 422);
        if event.method == Method::Write && turned_down && !event.login {
            self.writes_failed = self.writes_failed.saturating_add(1);
            self.refused.make().add(event.position);
        }
        self.http10 += u32::from(event.protocol == Protocol::Http10);
        if event.missed() && !event.login {
            self.misses = self.misses.saturating_add(1);
            self.missed_paths.insert(event.path);
            if event.probe {
                self.probe_paths.insert(event.path);
            }
            self.sample.make().add(event.position);
        }
    }

    /// Refused writes.
    pub(crate) fn refused(&self) -> Vec<LogPosition> {
        self.refused.get().map(Sample::positions).unwrap_or_default()
    }

    /// Misses.
    pub(crate) fn missed(&self) -> Vec<LogPosition> {
        self.sample.get().map(Sample::positions).unwrap_or_default()
    }

    /// HEAD, HTTP/1.0 and methods that no browser uses.
    pub(crate) fn unlike_browsers(&self) -> u32 {
        self.head.saturating_add(self.odd_methods).saturating_add(self.http10)
    }
}

fn of_all(view: &View<'_>, count: fn(&Statuses) -> u32) -> Option<f64> {
    let statuses = &view.visit.statuses;
    share(count(statuses), statuses.requests)
}

pub(super) const FEATURES: &[Feature] = &[
    feature("ok", Either, "Share of 2xx.", |view| of_all(view, |s| s.ok)),
    feature("unchanged", Either, "Share of 304.", |view| of_all(view, |s| s.unchanged)),
    feature("redirected", Either, "Share of other 3xx.", |view| of_all(view, |s| s.redirected)),
    feature("denied", Machine, "Share of 401 and 403.", |view| of_all(view, |s| s.denied)),
    feature("not_found", Machine, "Share of 404 and 410.", |view| of_all(view, |s| s.not_found)),
    feature("other_4xx", Machine, "Share of other 4xx.", |view| of_all(view, |s| s.other_4xx)),
    feature("server_errors", Either, "Share of 5xx by the application itself.", |view| {
        of_all(view, |s| s.server_errors)
    }),
    feature("head", Machine, "Share of HEAD.", |view| of_all(view, |s| s.head)),
    feature("options", Either, "Share of OPTIONS.", |view| of_all(view, |s| s.options)),
    feature("writes", Either, "Share of POST, PUT, PATCH and DELETE.", |view| {
        of_all(view, |s| s.writes)
    }),
    feature("odd_methods", Machine, "Share of other methods and of what is no HTTP.", |view| {
        of_all(view, |s| s.odd_methods)
    }),
    feature("http10", Machine, "Share of HTTP/1.0.", |view| of_all(view, |s| s.http10)),
    feature("missed_paths", Machine, "Different missed paths per request.", |view| {
        let statuses = &view.visit.statuses;
        share(statuses.missed_paths.count(), statuses.requests).map(|share| share.min(1.0))
    }),
];
