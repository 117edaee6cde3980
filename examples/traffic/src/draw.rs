//! Dice: every choice of a client is drawn here, from ranges its actor declares.

use rand::Rng;
use rand::rngs::SmallRng;

/// A client's own source of chance.
pub(crate) type Dice = SmallRng;

/// A range of real numbers, drawn evenly.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span(pub(crate) f64, pub(crate) f64);

/// A range of whole numbers, both ends included, drawn evenly.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Count(pub(crate) usize, pub(crate) usize);

impl Span {
    pub(crate) fn draw(self, dice: &mut Dice) -> f64 {
        self.0 + (self.1 - self.0) * dice.random::<f64>()
    }
}

impl Count {
    pub(crate) fn draw(self, dice: &mut Dice) -> usize {
        dice.random_range(self.0..=self.1.max(self.0))
    }
}

/// How long a client waits between two steps: log-normal, as people are, or nearly constant with
/// a small `sigma`, as timers are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    pub(crate) median_s: f64,
    pub(crate) sigma: f64,
}

impl Pace {
    /// A pace of this client's own, drawn from what its actor may have.
    pub(crate) fn of(median_s: Span, sigma: Span, dice: &mut Dice) -> Self {
        Self {
            median_s: median_s.draw(dice),
            sigma: sigma.draw(dice),
        }
    }

    /// One wait in seconds of story time.
    pub(crate) fn draw(self, dice: &mut Dice) -> f64 {
        shop::mix::log_normal(dice.random(), self.median_s, self.sigma)
    }
}

pub(crate) fn chance(dice: &mut Dice, probability: f64) -> bool {
    dice.random::<f64>() < probability
}

/// One entry of a list that is not empty.
pub(crate) fn pick<T: Copy>(dice: &mut Dice, list: &[T]) -> T {
    shop::mix::pick(dice.random(), list)
}

/// A version 4 UUID.
pub(crate) fn uuid(dice: &mut Dice) -> String {
    let bits: u128 = dice.random();
    let bits = (bits & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        bits >> 96,
        (bits >> 80) & 0xffff,
        (bits >> 64) & 0xffff,
        (bits >> 48) & 0xffff,
        bits & 0xffff_ffff_ffff
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn draws_keep_their_ranges() {
        let mut dice = Dice::seed_from_u64(1);
        for _ in 0..200 {
            assert!((2.0..3.0).contains(&Span(2.0, 3.0).draw(&mut dice)));
            assert!((4..=6).contains(&Count(4, 6).draw(&mut dice)));
            let id = uuid(&mut dice);
            assert_eq!((id.len(), id.as_bytes()[14]), (36, b'4'));
            assert!(b"89ab".contains(&id.as_bytes()[19]));
        }
    }
}
