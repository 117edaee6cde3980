//! Points in time as text: RFC 3339, UTC, microseconds.

use chrono::{DateTime, SecondsFormat};

use crate::config::units;

/// `micros` since the Unix epoch as RFC 3339, e.g. `2026-01-02T03:04:05.000006Z`.
#[must_use]
pub fn text(micros: i64) -> String {
    DateTime::from_timestamp_micros(micros)
        .unwrap_or_default()
        .to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// Reads RFC 3339, or a duration before `now_us` such as `24h`: microseconds since the epoch.
#[must_use]
pub fn parse(given: &str, now_us: i64) -> Option<i64> {
    if let Ok(ago) = units::duration(given) {
        return Some(now_us.saturating_sub(units::micros(ago)));
    }
    // In a query string a `+` that was not encoded has become a space.
    let given = given.replace(' ', "+");
    DateTime::parse_from_rfc3339(&given)
        .ok()
        .map(|at| at.timestamp_micros())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes() {
        assert_eq!(text(1_700_000_000_000_001), "2023-11-14T22:13:20.000001Z");
        for (given, expected) in [
            ("2023-11-14T22:13:20.000001Z", Some(1_700_000_000_000_001)),
            ("2023-11-14T23:13:20+01:00", Some(1_700_000_000_000_000)),
            ("2023-11-14T23:13:20 01:00", Some(1_700_000_000_000_000)),
            ("10s", Some(90_000_000)),
            ("yesterday", None),
            ("2023-11-14", None),
            ("", None),
        ] {
            assert_eq!(parse(given, 100_000_000), expected, "{given}");
        }
    }
}
