//! How much, how fast.

use serde::{Deserialize, Serialize};

use super::Direction::{Either, Machine};
use super::{Feature, feature};
use crate::num::{log1p, seconds};
use crate::sketch::{Rolling, Sample};
use crate::state::Step;

/// Counts and peaks of a visit.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Volume {
    pub(crate) requests: u32,
    pub(crate) first_us: i64,
    pub(crate) last_us: i64,
    ten: Rolling<10>,
    minute: Rolling<60>,
    ten_most: u32,
    pub(crate) minute_most: u32,
    /// Minutes with a request in them.
    pub(crate) minutes: u32,
    minute_last: i64,
    pub(crate) sample: Sample,
}

impl Volume {
    pub(crate) fn observe(&mut self, step: &Step<'_>) {
        let at = step.event.at_us;
        if self.requests == 0 {
            self.first_us = at;
        }
        self.requests = self.requests.saturating_add(1);
        self.last_us = self.last_us.max(at);
        self.ten.add(at);
        self.minute.add(at);
        self.ten_most = self.ten_most.max(self.ten.whole(at));
        self.minute_most = self.minute_most.max(self.minute.whole(at));
        let minute = at.div_euclid(60_000_000);
        self.minutes += u32::from(minute != self.minute_last);
        self.minute_last = minute;
        self.sample.add(step.event.position);
    }

    /// From the first to the last request, seconds.
    pub(crate) fn duration(&self) -> f64 {
        seconds(self.last_us.saturating_sub(self.first_us))
    }

    /// Requests per second over the visit so far.
    pub(crate) fn rate(&self) -> f64 {
        f64::from(self.requests) / self.duration().max(1.0)
    }
}

pub(super) const FEATURES: &[Feature] = &[
    feature("requests", Either, "Requests in the visit, logarithm.", |view| {
        Some(log1p(view.visit.volume.requests))
    }),
    feature("duration", Either, "Seconds from the first to the last, logarithm.", |view| {
        Some(log1p(view.visit.volume.duration()))
    }),
    feature("rate", Either, "Requests per minute over the visit, logarithm.", |view| {
        Some(log1p(view.visit.volume.rate() * 60.0))
    }),
    feature("peak_10s", Either, "Most requests in ten seconds, logarithm.", |view| {
        Some(log1p(view.visit.volume.ten_most))
    }),
    feature("peak_minute", Either, "Most requests in a minute, logarithm.", |view| {
        Some(log1p(view.visit.volume.minute_most))
    }),
    feature("busy_minutes", Machine, "Minutes with a request, logarithm.", |view| {
        Some(log1p(view.visit.volume.minutes))
    }),
];
