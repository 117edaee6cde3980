//! Durations and sizes as people write them: `30m`, `1h30m`, `8MiB`.

use std::time::Duration;

const DURATIONS_MS: [(&str, u64); 5] = [
    ("ms", 1),
    ("s", 1_000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
];
const SIZES: [(&str, u64); 5] = [
    ("B", 1),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
];

/// Splits `text` into (number, unit) pairs and adds up `number × unit`.
fn sum(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let mut total = 0_u64;
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit())?;
        let (number, after) = rest.split_at_checked(digits)?;
        let letters = after
            .find(|letter: char| letter.is_ascii_digit())
            .unwrap_or(after.len());
        let (unit, after) = after.split_at_checked(letters)?;
        let (_, size) = units.iter().find(|(name, _)| *name == unit)?;
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(*size)?)?;
        rest = after;
    }
    Some(total)
}

/// Reads a duration in `ms`, `s`, `m`, `h` or `d`, e.g. `30m` or `1h30m`; zero is refused.
///
/// # Errors
/// A sentence with examples.
pub fn duration(text: &str) -> Result<Duration, String> {
    match sum(text, &DURATIONS_MS) {
        Some(ms) if ms > 0 && ms <= 36_525 * 86_400_000 => Ok(Duration::from_millis(ms)),
        _ => Err(
            "expected a duration above 0 with its unit, such as 500ms, 15s, 30m, 1h30m or 1d"
                .into(),
        ),
    }
}

/// Reads a name and a duration, e.g. `shop=30d`.
///
/// # Errors
/// A sentence with an example.
pub fn named_duration(text: &str) -> Result<(String, Duration), String> {
    match text.rsplit_once('=') {
        Some((name, text)) if !name.is_empty() => Ok((name.to_owned(), duration(text)?)),
        _ => Err("expected a name and a duration, such as shop=30d".into()),
    }
}

/// Reads a size in `B`, `KiB`, `MiB`, `GiB` or `TiB`, e.g. `8MiB`; zero is refused.
///
/// # Errors
/// A sentence with examples.
pub fn bytes(text: &str) -> Result<u64, String> {
    match sum(text, &SIZES) {
        Some(size) if size > 0 => Ok(size),
        _ => Err("expected a size above 0 with its unit, such as 512KiB, 8MiB or 1GiB".into()),
    }
}

/// Microseconds in `duration`, at most `i64::MAX`.
#[must_use]
pub fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// A whole number, which has no sign.
pub(crate) fn whole<T: std::str::FromStr>(text: &str) -> Option<T> {
    let digits = text.bytes().all(|it| it.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_durations_and_sizes() {
        for (text, expected_ms) in [
            ("500ms", Some(500)),
            ("15s", Some(15_000)),
            ("1h30m", Some(5_400_000)),
            ("1d", Some(86_400_000)),
            ("0s", None),
            ("30", None),
            ("m", None),
            ("1w", None),
            ("-1s", None),
            ("", None),
            ("99999999999999999999d", None),
            ("é", None),
        ] {
            assert_eq!(
                duration(text).ok().map(|it| it.as_millis()),
                expected_ms,
                "{text}"
            );
        }
        for (text, expected) in [
            ("8MiB", Some(8 << 20)),
            ("512B", Some(512)),
            ("8MB", None),
            ("8", None),
        ] {
            assert_eq!(bytes(text).ok(), expected, "{text}");
        }
    }
}
