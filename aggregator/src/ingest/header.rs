//! Is this body a batch? Reads the header line and counts the lines below it.

use throughline_session::wire::{BatchHeader, WIRE_VERSION};

/// Longest text in a header, bytes.
pub(super) const TEXT_LEN_MAX: usize = 1024;
/// End of the year 9999, microseconds since the Unix epoch: what RFC 3339 can still write.
pub const TIME_MAX_US: i64 = 253_402_300_799_999_999;

/// Why a body is no batch: the sender must not send it again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// No line at all.
    #[error("the body is empty: expected a header line")]
    Empty,
    /// The header is not UTF-8.
    #[error("line 1 is not UTF-8: the byte at column {column} is wrong")]
    NotUtf8 {
        /// From 1.
        column: usize,
    },
    /// Another wire version.
    #[error("the batch is in wire version {found}; this aggregator reads version {WIRE_VERSION}")]
    Version {
        /// What the batch says.
        found: u64,
    },
    /// The header cannot be read.
    #[error("line 1, column {column}: {reason}")]
    Header {
        /// From 1.
        column: usize,
        /// What is wrong there.
        reason: String,
    },
    /// A text that no sender has.
    #[error("line 1: `{field}` has more than {TEXT_LEN_MAX} bytes")]
    TooLong {
        /// Name of the field.
        field: &'static str,
    },
    /// A time that cannot be one.
    #[error("line 1: `closed_us` is {found}, which lies outside of 1970 to 9999")]
    Time {
        /// What the header says.
        found: i64,
    },
    /// Lines are missing, or there are too many.
    #[error("the header announces {announced} records, and {found} lines follow")]
    Count {
        /// `records` of the header.
        announced: u32,
        /// Lines that are not empty, after the header.
        found: usize,
    },
    /// Records without a name.
    #[error("the header has no `sequence`, and {announced} records: only a heartbeat has none")]
    NoSequence {
        /// `records` of the header.
        announced: u32,
    },
}

/// The lines of `body` that are not empty.
pub(super) fn lines(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(body);
    let next = move || {
        let text = rest.take()?;
        let end = memchr::memchr(b'\n', text).unwrap_or(text.len());
        let (line, left) = text.split_at_checked(end)?;
        // Without the line's end, where there is one.
        rest = left.split_first().map(|(_, left)| left);
        Some(line)
    };
    std::iter::from_fn(next).filter(|line| !line.trim_ascii().is_empty())
}

#[derive(serde::Deserialize)]
struct Version {
    throughline: u64,
}

/// Reads the header line of `body`.
///
/// # Errors
/// What is wrong with it, and where.
pub fn read(body: &[u8]) -> Result<BatchHeader<'_>, BatchError> {
    let line = lines(body).next().ok_or(BatchError::Empty)?;
    let text = std::str::from_utf8(line).map_err(|error| BatchError::NotUtf8 {
        column: error.valid_up_to() + 1,
    })?;
    if let Ok(Version { throughline }) = serde_json::from_str(text)
        && throughline != u64::from(WIRE_VERSION)
    {
        return Err(BatchError::Version { found: throughline });
    }
    let header: BatchHeader<'_> = serde_json::from_str(text).map_err(|error| {
        let full = error.to_string();
        let reason = full.split(" at line ").next().unwrap_or(&full).to_owned();
        BatchError::Header {
            column: error.column(),
            reason,
        }
    })?;
    let texts = [
        ("capture_point", &header.capture_point),
        ("node", &header.node),
        ("policy_version", &header.policy_version),
        ("filter_version", &header.filter_version),
    ];
    if let Some((field, _)) = texts
        .into_iter()
        .find(|(_, text)| text.len() > TEXT_LEN_MAX)
    {
        return Err(BatchError::TooLong { field });
    }
    if !(0..=TIME_MAX_US).contains(&header.closed_us) {
        return Err(BatchError::Time {
            found: header.closed_us,
        });
    }
    Ok(header)
}

/// Reads the header line and checks it against the lines below.
///
/// # Errors
/// What is wrong with the batch as a whole; a bad record line is no such thing.
pub fn check(body: &[u8]) -> Result<BatchHeader<'_>, BatchError> {
    let header = read(body)?;
    let found = lines(body).count().saturating_sub(1);
    if u32::try_from(found).ok() != Some(header.records) {
        return Err(BatchError::Count {
            announced: header.records,
            found,
        });
    }
    if header.records > 0 && header.sequence.is_none() {
        return Err(BatchError::NoSequence {
            announced: header.records,
        });
    }
    Ok(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"throughline":1,"boot":"00000000000000ff","worker":3,"sequence":7,"records":1,"closed_us":5,"capture_point":"gateway","node":"n","policy_version":"p","filter_version":"0.1.0","ledger":{"seen":9,"acknowledged":4,"dropped":{"buffer_full":0,"rejected":0,"unwritable":0}}}"#;

    fn verdict(body: &str) -> String {
        match check(body.as_bytes()) {
            Ok(header) => format!("{} records", header.records),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn says_what_is_wrong_and_where() {
        let heartbeat = GOOD.replace(r#""sequence":7,"records":1"#, r#""records":0"#);
        for (body, expected) in [
            (format!("{GOOD}\n{{}}\n"), "1 records"),
            (format!("\n{GOOD}\r\n\r\n{{}}"), "1 records"),
            (heartbeat.clone(), "0 records"),
            (String::new(), "the body is empty"),
            (GOOD.to_owned(), "announces 1 records, and 0 lines follow"),
            (
                format!("{GOOD}\na\nb\n"),
                "announces 1 records, and 2 lines follow",
            ),
            (
                format!("{}\na", GOOD.replace(r#""sequence":7,"#, "")),
                "no `sequence`",
            ),
            (
                GOOD.replace(":1,\"boot", ":2,\"boot"),
                "wire version 2; this aggregator reads version 1",
            ),
            (r#"{"throughline":9,"new":1}"#.to_owned(), "wire version 9"),
            (
                GOOD.replace("worker\":3", "worker\":-3"),
                "line 1, column 54: invalid value: integer `-3`",
            ),
            (
                GOOD.replace("closed_us\":5", "closed_us\":-5"),
                "`closed_us` is -5",
            ),
            (
                GOOD.replace(
                    "\"node\":\"n\"",
                    &format!("\"node\":\"{}\"", "n".repeat(1025)),
                ),
                "`node` has more",
            ),
            (
                "GET / HTTP/1.1".to_owned(),
                "line 1, column 1: expected value",
            ),
        ] {
            assert!(
                verdict(&body).contains(expected),
                "{body}: {}",
                verdict(&body)
            );
        }
        assert_eq!(check(b"{\"a\xff"), Err(BatchError::NotUtf8 { column: 4 }));
    }
}
