//! How the closed segments stand, for the status page and the operator's alarms.

use std::sync::{Mutex, PoisonError};

use super::manifest::Segment;
use super::retention::Retention;
use crate::config::units::micros;

const DAY_US: f64 = 86_400_000_000.0;

/// How the closed segments stand.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Standing {
    /// How many there are.
    pub segments: u64,
    /// Records in them.
    pub records: u64,
    /// Records that were left out of them, because only a share of their path's are kept.
    pub sampled_out: u64,
    /// Bytes of their files.
    pub bytes: u64,
    /// Bytes of everything in the data folder.
    pub disk_bytes: u64,
    /// Bytes that it may be.
    pub budget_bytes: Option<u64>,
    /// How long records are to be kept, days.
    pub retention_days: f64,
    /// How far back there are all records, days; `None` while nothing ever had to go.
    pub achieved_days: Option<f64>,
    /// Records went before their time, because the disk budget is too small for them.
    pub alarm: bool,
    /// At the present rate, until the disk budget is reached; `None` without a budget, or when
    /// what expires makes room for what comes.
    pub days_until_budget: Option<f64>,
    /// Sessions to be forgotten that are still in files.
    pub forgetting: u64,
    /// Files that should be there and are not.
    pub missing: u64,
    /// Why the last compaction failed; `None` when it did not.
    pub failing: Option<String>,
}

/// A standing that one thread writes and everybody reads.
#[derive(Debug, Default)]
pub struct Shared(Mutex<Standing>);

impl Shared {
    /// How it stands.
    #[must_use]
    pub fn get(&self) -> Standing {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(super) fn set(&self, change: impl FnOnce(&mut Standing)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

#[expect(clippy::cast_precision_loss, reason = "days for people")]
fn days(micros: i64) -> f64 {
    micros as f64 / DAY_US
}

/// Figures of `segments`.
pub(super) fn figures(
    segments: &[Segment],
    retention: &Retention,
    disk_bytes: u64,
    now_us: i64,
) -> Standing {
    let timely = segments.iter().filter(|it| !it.applications.is_empty());
    let trimmed_to = timely
        .clone()
        .filter(|it| it.trimmed)
        .map(|it| it.arrived_us.1)
        .max();
    let age_us = micros(retention.age);
    let achieved_us = trimmed_to.map(|to_us| now_us.saturating_sub(to_us).max(0));
    Standing {
        segments: segments.len() as u64,
        records: segments.iter().map(|it| it.records).sum(),
        sampled_out: segments.iter().map(|it| it.sampled_out).sum(),
        bytes: segments.iter().map(|it| it.bytes).sum(),
        disk_bytes,
        budget_bytes: retention.budget,
        retention_days: days(age_us),
        achieved_days: achieved_us.map(days),
        alarm: achieved_us.is_some_and(|it| it < age_us),
        days_until_budget: until_budget(segments, retention, disk_bytes),
        ..Standing::default()
    }
}

#[expect(clippy::cast_precision_loss, reason = "an estimate")]
fn until_budget(segments: &[Segment], retention: &Retention, disk_bytes: u64) -> Option<f64> {
    let budget = retention.budget?;
    let left = budget.saturating_sub(disk_bytes) as f64;
    let (first, last) = (segments.first()?, segments.last()?);
    let span = days(last.arrived_us.1.saturating_sub(first.arrived_us.0));
    let bytes: u64 = segments.iter().map(|it| it.bytes).sum();
    let rate = bytes as f64 / span;
    if left <= 0.0 {
        return Some(0.0);
    }
    // Once the age is reached, as much goes as comes.
    let growing = (days(micros(retention.age)) - span).max(0.0);
    let until = left / rate;
    (span > 0.0 && until < growing).then_some(until)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const DAY: i64 = 86_400_000_000;

    fn segment(day: i64, bytes: u64, detail_bytes: u64) -> Segment {
        Segment {
            arrived_us: (day * DAY, (day + 1) * DAY),
            bytes,
            detail_bytes,
            applications: vec!["shop".into()],
            ..Segment::new(1, 0)
        }
    }

    #[test]
    fn says_when_the_budget_is_reached_and_what_it_cost() {
        let retention = Retention {
            age: Duration::from_secs(7 * 86_400),
            budget: Some(1000),
            ..Retention::default()
        };
        let two = [segment(0, 100, 80), segment(1, 100, 80)];
        let found = figures(&two, &retention, 200, 2 * DAY);
        assert_eq!(
            found.days_until_budget, None,
            "300 more fit before the first expires"
        );
        assert!(!found.alarm);
        let large = [segment(0, 300, 280), segment(1, 300, 280)];
        let found = figures(&large, &retention, 600, 2 * DAY);
        assert_eq!(found.days_until_budget, Some(400.0 / 300.0));
        let trimmed = [
            Segment {
                trimmed: true,
                ..segment(0, 20, 0)
            },
            segment(1, 300, 280),
        ];
        let found = figures(&trimmed, &retention, 600, 2 * DAY);
        assert_eq!(found.achieved_days, Some(1.0));
        assert!(found.alarm);
    }
}
