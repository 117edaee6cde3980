//! Conversions between numbers that cannot surprise: out of range saturates, no remainder is lost
//! unknowingly, and nothing divides by zero.

/// The share of `part` in `whole`; `None` when the whole is empty.
pub(crate) fn share(part: impl Into<f64>, whole: impl Into<f64>) -> Option<f64> {
    let whole = whole.into();
    (whole > 0.0).then(|| part.into() / whole)
}

/// `ln(1 + value)`: spreads counts of very different size evenly.
pub(crate) fn log1p(value: impl Into<f64>) -> f64 {
    value.into().max(0.0).ln_1p()
}

/// A float as an index up to and including `max`; NaN and negatives give 0.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` saturates, and the value is clamped first"
)]
pub(crate) fn index(value: f64, max: usize) -> usize {
    (value.max(0.0) as usize).min(max)
}

/// A float as a count that saturates.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` saturates; NaN gives 0"
)]
pub(crate) fn count(value: f64) -> u32 {
    value as u32
}

/// A float with half the digits: features are kept this way.
#[expect(
    clippy::cast_possible_truncation,
    reason = "features need no more than seven digits"
)]
pub(crate) fn single(value: f64) -> f32 {
    value as f32
}

/// The low 32 bits of a hash.
#[expect(
    clippy::cast_possible_truncation,
    reason = "any 32 bits of a hash will do"
)]
pub(crate) fn low32(hash: u64) -> u32 {
    hash as u32
}

/// A hash as an index below `size`, which is not zero.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the product's upper half is below `size`"
)]
pub(crate) fn slot(hash: u64, size: usize) -> usize {
    ((u128::from(hash) * size as u128) >> 64) as usize
}

/// Microseconds as whole seconds, never negative.
pub(crate) fn seconds(us: i64) -> f64 {
    us.max(0) as f64 / 1e6
}

/// `1 / (1 + e^-x)`.
pub(crate) fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}
