//! Which requests show it? The first one and the last few.

use serde::{Deserialize, Serialize};

use super::array;
use crate::LogPosition;

const LAST: usize = 3;

/// The first position and the last three.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Sample {
    first: Option<LogPosition>,
    #[serde(with = "array")]
    last: [LogPosition; LAST],
    seen: u32,
}

impl Sample {
    /// Adds a position.
    pub(crate) fn add(&mut self, position: LogPosition) {
        if self.first.is_none() {
            self.first = Some(position);
            return;
        }
        let slot = self.seen as usize % LAST;
        if let Some(last) = self.last.get_mut(slot) {
            *last = position;
        }
        self.seen = self.seen.wrapping_add(1);
    }

    /// The positions, oldest first.
    pub(crate) fn positions(&self) -> Vec<LogPosition> {
        let mut last: Vec<_> = self
            .last
            .iter()
            .copied()
            .filter(|position| *position != LogPosition::default())
            .collect();
        last.sort_unstable();
        self.first.into_iter().chain(last).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_first_and_the_last() {
        let mut sample = Sample::default();
        for offset in 1..=9 {
            sample.add(LogPosition { offset, index: 0 });
        }
        let kept: Vec<_> = sample.positions().iter().map(|at| at.offset).collect();
        assert_eq!(kept, [1, 7, 8, 9]);
    }
}
