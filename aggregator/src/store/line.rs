//! Is this line a record? If not, why, and what is kept of it.

use throughline_session::wire::Record;

use crate::ingest::TIME_MAX_US;

/// What is kept of a line in quarantine, bytes.
const LINE_LEN_MAX: usize = 4096;
/// A reason may quote the line: what is kept of it, characters.
const REASON_LEN_MAX: usize = 256;
/// A clock may be this far ahead of the batch it is in, microseconds: one day.
const AHEAD_MAX_US: i64 = 86_400_000_000;
/// Counts and durations above this are no measurement: 2^53, which JSON numbers still hold.
const NUMBER_MAX: u64 = 1 << 53;

/// Reads the record on `line`, which is the `index`-th of a batch closed at `closed_us`.
///
/// # Errors
/// A sentence for whoever looks at the quarantine.
pub(super) fn read(line: &[u8], index: u32, closed_us: i64) -> Result<Record<'_>, String> {
    let text = std::str::from_utf8(line)
        .map_err(|error| format!("not UTF-8 at byte {}", error.valid_up_to() + 1))?;
    let record: Record<'_> = serde_json::from_str(text).map_err(|error| {
        error
            .to_string()
            .chars()
            .take(REASON_LEN_MAX)
            .collect::<String>()
    })?;
    if record.index != index {
        return Err(format!(
            "`index` is {}, and the line's position {index}",
            record.index
        ));
    }
    let latest_us = closed_us.saturating_add(AHEAD_MAX_US).min(TIME_MAX_US);
    if !(0..=latest_us).contains(&record.start_us) {
        return Err(format!(
            "`start_us` is {}, and the batch was closed at {closed_us}",
            record.start_us
        ));
    }
    let numbers = [
        ("request_bytes", record.request_bytes),
        ("response_bytes", record.response_bytes),
        ("duration_us", record.duration_us),
        ("upstream_us", record.upstream_us.unwrap_or(0)),
    ];
    match numbers.into_iter().find(|(_, number)| *number > NUMBER_MAX) {
        Some((field, number)) => Err(format!("`{field}` is {number}, which cannot be")),
        None => Ok(record),
    }
}

/// The beginning of `line` as text; bytes that are not UTF-8 are shown as U+FFFD.
pub(super) fn keep(line: &[u8]) -> String {
    let cut = line.get(..LINE_LEN_MAX).unwrap_or(line);
    String::from_utf8_lossy(cut).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"index":3,"start_us":1000,"application":"a","key":"k","request_session":"00000000000000000000000000000001","session":"00000000000000000000000000000001"}"#;

    fn check(line: &str, expected: &str) {
        match read(line.as_bytes(), 3, 2000) {
            Ok(record) => assert_eq!(expected, "", "{record:?}"),
            Err(reason) => assert!(
                reason.contains(expected) && !expected.is_empty(),
                "{reason}"
            ),
        }
    }

    #[test]
    fn takes_records_and_names_what_is_wrong() {
        check(GOOD, "");
        check(
            &GOOD.replace(":3", ":4"),
            "`index` is 4, and the line's position 3",
        );
        check(&GOOD.replace("1000", "-1"), "`start_us` is -1");
        check(&GOOD.replace("1000", "86400002000"), "");
        check(
            &GOOD.replace("1000", "86400002001"),
            "`start_us` is 86400002001",
        );
        check(
            &GOOD.replace("}", ",\"duration_us\":9007199254740993}"),
            "`duration_us`",
        );
        check(
            &GOOD.replace("}", ",\"colour\":1}"),
            "unknown field `colour`",
        );
        check(
            &GOOD.replace("}", ",\"status\":70000}"),
            "invalid value: integer `70000`",
        );
        check("not json", "expected ident at line 1 column 2");
        assert_eq!(read(b"{\"\xff", 0, 0), Err("not UTF-8 at byte 3".into()));
    }

    #[test]
    fn keeps_only_the_beginning() {
        assert_eq!(keep(&[b'x'; 5000]).len(), LINE_LEN_MAX);
        assert_eq!(keep(b"a\xffb"), "a\u{fffd}b");
    }
}
