//! Which ones: different values in one place, in what order, and how many were there at all.

use serde::{Deserialize, Serialize};

use super::Direction::{Either, Machine};
use super::{Feature, feature};
use crate::event::Templates;
use crate::num::{self, log1p, share};
use crate::sketch::{Bits, Sample};
use crate::state::Step;

/// Values tried at one endpoint.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Place {
    /// Endpoint plus one; 0 is free.
    endpoint: u32,
    pub(crate) requests: u32,
    pub(crate) values: Bits<4>,
    pub(crate) misses: u32,
    /// Numbers one or a few above or below the one before.
    pub(crate) steps: u32,
    pub(crate) numbers: u32,
    last: u64,
    pace: Pace,
    pub(crate) sample: Sample,
}

/// Time from one new value to the next. Sums are thousandths, so that snapshots are exact.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Pace {
    last_us: i64,
    gaps: u32,
    /// Of `ln(1 + ms)`.
    log_sum: u32,
    log_squares: u32,
}

impl Pace {
    /// More tell nothing new, and would not fit.
    const GAPS_MAX: u32 = 4_096;
    /// Shorter gaps are values asked for side by side.
    const SHORTEST_MS: f64 = 200.0;

    fn observe(&mut self, at_us: i64) {
        let before = self.last_us;
        self.last_us = at_us.max(before);
        let ms = at_us.saturating_sub(before) as f64 / 1e3;
        if before == 0 || ms < Self::SHORTEST_MS || self.gaps >= Self::GAPS_MAX {
            return;
        }
        let log = log1p(ms);
        self.gaps += 1;
        self.log_sum = self.log_sum.saturating_add(num::count((log * 1e3).round()));
        self.log_squares = self.log_squares.saturating_add(num::count((log * log * 1e3).round()));
    }
}

impl Place {
    /// The endpoint the values belong to.
    pub(crate) fn endpoint(&self) -> u32 {
        self.endpoint.saturating_sub(1)
    }

    /// How many different values.
    pub(crate) fn distinct(&self) -> f64 {
        self.values.count().min(f64::from(self.requests))
    }

    /// Standard deviation of the logarithm of the time from one value to the next; `None` before
    /// there were ten.
    pub(crate) fn pace_spread(&self) -> Option<f64> {
        const ENOUGH: u32 = 10;
        let pace = &self.pace;
        if pace.gaps < ENOUGH {
            return None;
        }
        let mean = share(pace.log_sum, pace.gaps)? / 1e3;
        let square = share(pace.log_squares, pace.gaps)? / 1e3;
        Some((square - mean * mean).max(0.0).sqrt())
    }
}

/// The two endpoints with most values in a visit.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Parameters {
    places: [Place; 2],
}

impl Parameters {
    pub(crate) fn observe(&mut self, step: &Step<'_>) {
        const NEAR: u64 = 3;
        let event = step.event;
        let Some(parameter) = event.parameter else {
            return;
        };
        // What was never served is no endpoint whose values could be tried: that is scanning.
        if event.kind.is_asset() || event.endpoint / 2 == Templates::UNKNOWN / 2 {
            return;
        }
        let key = event.endpoint + 1;
        let position = self.places.iter().position(|place| place.endpoint == key);
        let position = position.unwrap_or_else(|| {
            let [one, two] = &self.places;
            usize::from(two.requests < one.requests)
        });
        let Some(place) = self.places.get_mut(position) else {
            return;
        };
        if place.endpoint != key {
            // As in space saving: the newcomer must outlive what it replaces.
            if place.requests > 1 && place.endpoint != 0 {
                place.requests -= 1;
                return;
            }
            *place = Place { endpoint: key, ..Place::default() };
        }
        place.requests = place.requests.saturating_add(1);
        let new = !place.values.contains(parameter.value);
        place.values.insert(parameter.value);
        if event.missed() {
            place.misses = place.misses.saturating_add(1);
        }
        if new {
            place.pace.observe(event.at_us);
        }
        if new || event.missed() {
            place.sample.add(event.position);
        }
        if let Some(number) = parameter.number {
            place.numbers = place.numbers.saturating_add(1);
            let apart = number.abs_diff(place.last);
            place.steps += u32::from(place.numbers > 1 && (1..=NEAR).contains(&apart));
            place.last = number;
        }
    }

    /// The values at an endpoint, as far as it is among the places.
    pub(crate) fn at(&self, endpoint: u32) -> Option<&Place> {
        self.places().find(|place| place.endpoint() == endpoint)
    }

    /// The place with most different values.
    pub(crate) fn widest(&self) -> Option<&Place> {
        self.places
            .iter()
            .filter(|place| place.endpoint != 0)
            .max_by(|one, two| one.distinct().total_cmp(&two.distinct()))
    }

    /// All places in use.
    pub(crate) fn places(&self) -> impl Iterator<Item = &Place> {
        self.places.iter().filter(|place| place.endpoint != 0)
    }
}

pub(super) const FEATURES: &[Feature] = &[
    feature("values", Either, "Most different values in one place, logarithm.", |view| {
        Some(view.visit.parameters.widest().map_or(0.0, |place| log1p(place.distinct())))
    }),
    feature("values_missed", Machine, "Share of misses in that place.", |view| {
        let place = view.visit.parameters.widest()?;
        share(place.misses, place.requests)
    }),
    feature("values_stepped", Machine, "Share of neighbouring numbers in that place.", |view| {
        let place = view.visit.parameters.widest()?;
        share(place.steps, place.numbers.saturating_sub(1))
    }),
    feature("values_new", Either, "Different values per request in that place.", |view| {
        let place = view.visit.parameters.widest()?;
        share(place.distinct(), place.requests)
    }),
];
