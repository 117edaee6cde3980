//! batches → records as an arm may know them.

use std::borrow::Cow;

use anyhow::Context as _;
use shop::mix::mix;
use throughline_session::wire::{ParameterKind, Record, SessionId};

/// What is done to the filter's records before detection sees them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Regroup {
    /// Nothing.
    Related,
    /// What says that sessions belong together is taken out: links, the session that a login or a
    /// renewal came from, and users.
    Alone,
    /// As [`Self::Alone`]; then sessions are dealt out anew among the requests of the same hour, so
    /// that each has as many as before, at about the same time, but of other clients.
    Shuffled,
}

/// Requests within which the placebo deals sessions out: about an hour's.
const STRETCH_US: i64 = 3_600_000_000;

/// Records by batch, borrowed from the batches.
///
/// # Errors
/// When a line is none.
pub fn read(batches: &[Vec<u8>]) -> anyhow::Result<Vec<Vec<Record<'_>>>> {
    let lines = |batch| -> anyhow::Result<Vec<Record<'_>>> {
        let text: &str = std::str::from_utf8(batch)?;
        let lines = text.lines().skip(1);
        lines
            .map(|line| serde_json::from_str(line).with_context(|| line.to_owned()))
            .collect()
    };
    batches.iter().map(|batch| lines(batch)).collect()
}

impl Regroup {
    /// Does it. `seed` deals the placebo's sessions.
    pub fn apply(self, batches: &mut [Vec<Record<'_>>], seed: u64) {
        if self == Self::Related {
            return;
        }
        for record in batches.iter_mut().flatten() {
            record.request_session = record.session;
            record.links.clear();
            let users = |kind| kind == ParameterKind::User;
            record.params.retain(|param| !users(param.kind));
        }
        if self == Self::Shuffled {
            shuffle(batches, seed);
        }
    }
}

fn shuffle(batches: &mut [Vec<Record<'_>>], seed: u64) {
    let mut records: Vec<_> = batches.iter_mut().flatten().collect();
    let mut dice = mix(seed);
    let stretch = |record: &Record<'_>| record.start_us.div_euclid(STRETCH_US);
    for hour in records.chunk_by_mut(|one, two| stretch(one) == stretch(two)) {
        let mut dealt: Vec<(SessionId, Cow<'_, str>)> = hour
            .iter()
            .map(|record| (record.session, record.key.clone()))
            .collect();
        for last in (1..dealt.len()).rev() {
            dice = mix(dice);
            let other = dice % u64::try_from(last + 1).unwrap_or(1);
            dealt.swap(last, usize::try_from(other).unwrap_or(0));
        }
        for (record, (session, key)) in hour.iter_mut().zip(dealt) {
            record.session = session;
            record.request_session = session;
            record.key = key;
        }
    }
}
