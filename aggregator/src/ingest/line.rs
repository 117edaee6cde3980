//! Is this line a record? If not, why, and what is kept of it.

use std::borrow::Cow;

use throughline_session::wire::{Record, read_record};

use super::header::{TIME_MAX_US, lines};

/// What is kept of a line in quarantine, bytes.
const LINE_LEN_MAX: usize = 4096;
/// A reason may quote the line: what is kept of it, characters.
const REASON_LEN_MAX: usize = 256;
/// A clock may be this far ahead of the batch it is in, microseconds: one day.
const AHEAD_MAX_US: i64 = 86_400_000_000;
/// Counts and durations above this are no measurement: 2^53, which JSON numbers still hold.
pub(super) const NUMBER_MAX: u64 = 1 << 53;
/// Entries of a list: three times what the filter sends at most.
pub(super) const ENTRIES_MAX: usize = 3 * 64;

/// The lines after the header of a batch closed at `closed_us`: index, text, and what is read there.
pub(crate) fn read_all(
    body: &[u8],
    closed_us: i64,
) -> impl Iterator<Item = (u32, &[u8], Result<Record<'_>, String>)> {
    let numbered = (0..).zip(lines(body).skip(1));
    numbered.map(move |(index, line)| (index, line, read(line, index, closed_us)))
}

/// Reads the record on `line`, which is the `index`-th of a batch closed at `closed_us`.
///
/// # Errors
/// A sentence for whoever looks at the quarantine.
fn read(line: &[u8], index: u32, closed_us: i64) -> Result<Record<'_>, String> {
    let text = std::str::from_utf8(line)
        .map_err(|error| format!("not UTF-8 at byte {}", error.valid_up_to() + 1))?;
    let record = read_record(text).map_err(|error| {
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
    if let Some((field, number)) = numbers.into_iter().find(|(_, number)| *number > NUMBER_MAX) {
        return Err(format!("`{field}` is {number}, which cannot be"));
    }
    match too_long(&record) {
        Some(reason) => Err(reason),
        None => Ok(record),
    }
}

/// What is longer than any filter sends: its limits times three, because a byte that is not
/// UTF-8 takes three as U+FFFD, and for the path what hashing its segments makes of it.
fn too_long(record: &Record<'_>) -> Option<String> {
    let mut texts = single_texts(record).into_iter().chain(listed_texts(record));
    if let Some((field, len, max)) = texts.find(|(_, len, max)| len > max) {
        return Some(format!("`{field}` has {len} bytes; the limit is {max}"));
    }
    let tried_links = record.trials.iter().map(|trial| trial.links.len());
    let lists = [
        ("query_names", record.query_names.len()),
        ("query_values", record.query_values.len()),
        ("truncated", record.truncated.len()),
        ("links", record.links.len()),
        ("params", record.params.len()),
        ("extract_failed", record.extract_failed.len()),
        ("trials", record.trials.len()),
        ("trials", tried_links.max().unwrap_or(0)),
        ("finder", record.finder.len()),
    ];
    let (field, entries) = lists.into_iter().find(|(_, len)| *len > ENTRIES_MAX)?;
    Some(format!(
        "`{field}` has {entries} entries; the limit is {ENTRIES_MAX}"
    ))
}

/// Field, length, limit.
type Measured = (&'static str, usize, usize);

fn single_texts(record: &Record<'_>) -> [Measured; 13] {
    fn len(text: Option<&Cow<'_, str>>) -> usize {
        text.map_or(0, |text| text.len())
    }
    [
        ("application", record.application.len(), 3 * 64),
        ("key", record.key.len(), 3 * 64),
        ("request_id", len(record.request_id.as_ref()), 3 * 128),
        ("trace_id", len(record.trace_id.as_ref()), 32),
        ("method", len(record.method.as_ref()), 3 * 128),
        ("scheme", len(record.scheme.as_ref()), 3 * 128),
        ("host", len(record.host.as_ref()), 3 * 255),
        ("path", len(record.path.as_ref()), 40 * 1024),
        ("protocol", len(record.protocol.as_ref()), 3 * 128),
        ("client_ip", len(record.client_ip.as_ref()), 3 * 128),
        ("user_agent", len(record.user_agent.as_ref()), 3 * 512),
        ("referer_host", len(record.referer_host.as_ref()), 3 * 255),
        ("content_type", len(record.content_type.as_ref()), 3 * 128),
    ]
}

/// The longest text of each list.
fn listed_texts(record: &Record<'_>) -> [Measured; 14] {
    fn longest<'a>(texts: impl Iterator<Item = &'a Cow<'a, str>>) -> usize {
        texts.map(|text| text.len()).max().unwrap_or(0)
    }
    let (values, params) = (&record.query_values, &record.params);
    let (failed, trials) = (&record.extract_failed, &record.trials);
    let tried_links = trials.iter().flat_map(|trial| &trial.links);
    [
        ("query_names", longest(record.query_names.iter()), 3 * 64),
        (
            "query_values",
            longest(values.iter().map(|(name, _)| name)),
            3 * 64,
        ),
        (
            "query_values",
            longest(values.iter().map(|(_, value)| value)),
            3 * 256,
        ),
        ("truncated", longest(record.truncated.iter()), 3 * 64),
        (
            "links",
            longest(record.links.iter().map(|link| &link.key)),
            3 * 64,
        ),
        (
            "params",
            longest(params.iter().map(|param| &param.name)),
            3 * 64,
        ),
        (
            "params",
            longest(params.iter().map(|param| &param.value)),
            3 * 1024,
        ),
        (
            "extract_failed",
            longest(failed.iter().map(|(name, _)| name)),
            3 * 64,
        ),
        (
            "extract_failed",
            longest(failed.iter().map(|(_, why)| why)),
            3 * 64,
        ),
        (
            "trials",
            longest(trials.iter().map(|trial| &trial.policy_version)),
            3 * 128,
        ),
        (
            "trials",
            longest(trials.iter().map(|trial| &trial.application)),
            3 * 64,
        ),
        (
            "trials",
            longest(trials.iter().map(|trial| &trial.key)),
            3 * 64,
        ),
        ("trials", longest(tried_links.map(|link| &link.key)), 3 * 64),
        (
            "finder",
            longest(record.finder.iter().map(|(place, _)| place)),
            3 * 128,
        ),
    ]
}

/// The beginning of `line` as text; bytes that are not UTF-8 are shown as U+FFFD.
pub(crate) fn keep(line: &[u8]) -> String {
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
    fn nothing_is_longer_than_filters_send() {
        let with = |field: &str, json: &str| {
            let known = format!("\"{field}\":\"");
            match GOOD.split_once(&known) {
                Some((head, tail)) => {
                    let (_, tail) = tail.split_once('"').unwrap();
                    format!("{head}\"{field}\":{json}{tail}")
                }
                None => GOOD.replace('}', &format!(",\"{field}\":{json}}}")),
            }
        };
        for (field, max) in [
            ("application", 192),
            ("key", 192),
            ("request_id", 384),
            ("trace_id", 32),
            ("method", 384),
            ("scheme", 384),
            ("host", 765),
            ("path", 40_960),
            ("protocol", 384),
            ("client_ip", 384),
            ("user_agent", 1536),
            ("referer_host", 765),
            ("content_type", 384),
        ] {
            let text = |len| with(field, &format!("\"{}\"", "x".repeat(len)));
            check(&text(max), "");
            check(
                &text(max + 1),
                &format!("`{field}` has {} bytes; the limit is {max}", max + 1),
            );
        }
        let list = |entry: &str, entries| format!("[{}]", vec![entry; entries].join(","));
        for (field, entry) in [
            ("query_names", "\"n\""),
            ("query_values", "[\"n\",\"v\"]"),
            ("truncated", "\"n\""),
            ("extract_failed", "[\"n\",\"w\"]"),
        ] {
            check(&with(field, &list(entry, 192)), "");
            let reason = format!("`{field}` has 193 entries; the limit is 192");
            check(&with(field, &list(entry, 193)), &reason);
            let long = entry.replace('n', &"n".repeat(193));
            let reason = format!("`{field}` has 193 bytes");
            check(&with(field, &list(&long, 1)), &reason);
        }
        let value = format!("[[\"n\",\"{}\"]]", "v".repeat(769));
        check(
            &with("query_values", &value),
            "`query_values` has 769 bytes",
        );
    }

    #[test]
    fn keeps_only_the_beginning() {
        assert_eq!(keep(&[b'x'; 5000]).len(), LINE_LEN_MAX);
        assert_eq!(keep(b"a\xffb"), "a\u{fffd}b");
    }
}
