//! Which requests show it? The first one and the last few.

use serde::{Deserialize, Serialize};

use crate::LogPosition;

const LAST: usize = 3;

/// The first position and the last three. Kept several times per session, so it is small:
/// positions are packed without the gaps that alignment would leave.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Sample {
    first: Packed,
    last: [Packed; LAST],
    next: u8,
}

/// A position in twelve bytes: upper and lower half of the offset, index.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Packed(u32, u32, u32);

impl From<LogPosition> for Packed {
    fn from(position: LogPosition) -> Self {
        let [a, b, c, d, e, f, g, h] = position.offset.to_be_bytes();
        let half = u32::from_be_bytes;
        Self(half([a, b, c, d]), half([e, f, g, h]), position.index)
    }
}

impl Packed {
    /// `None` for the place of a position that was not added yet.
    fn position(self) -> Option<LogPosition> {
        let offset = u64::from(self.0) << 32 | u64::from(self.1);
        let index = self.2;
        (self != Self::default()).then_some(LogPosition { offset, index })
    }
}

impl Sample {
    /// A sample of nothing.
    pub(crate) const EMPTY: Self = Self {
        first: Packed(0, 0, 0),
        last: [Packed(0, 0, 0); LAST],
        next: 0,
    };

    /// Adds a position.
    pub(crate) fn add(&mut self, position: LogPosition) {
        if self.first == Packed::default() {
            self.first = position.into();
            return;
        }
        if let Some(last) = self.last.get_mut(usize::from(self.next)) {
            *last = position.into();
        }
        self.next = (self.next + 1) % 3;
    }

    /// The positions, oldest first.
    pub(crate) fn positions(&self) -> Vec<LogPosition> {
        let mut last: Vec<_> = self.last.iter().filter_map(|it| it.position()).collect();
        last.sort_unstable();
        self.first.position().into_iter().chain(last).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_first_and_the_last() {
        let mut sample = Sample::default();
        let far = u64::from(u32::MAX) * 3;
        for offset in 1..=9 {
            sample.add(LogPosition {
                offset: far + offset,
                index: 7,
            });
        }
        let kept: Vec<_> = sample.positions();
        let at = |offset| LogPosition {
            offset: far + offset,
            index: 7,
        };
        assert_eq!(kept, [at(1), at(7), at(8), at(9)]);
        assert_eq!(size_of::<Sample>(), 52);
    }
}
