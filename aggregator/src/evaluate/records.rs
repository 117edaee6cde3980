//! NDJSON in the wire format: batches one after the other, or record lines alone.

use std::collections::HashSet;

use throughline_detection::evaluate::{Hide, Traffic};
use throughline_detection::{Exchange, Named};
use throughline_session::wire::{BatchHeader, BootId, Record, WIRE_VERSION};

use super::input::{InputError, Text};
use crate::ingest::TIME_MAX_US;

/// The record lines of a file, each with its number; batches that are there twice count once.
pub(super) struct Records<'a> {
    lines: Vec<(usize, &'a str)>,
    end: usize,
}

/// A batch whose records are being read.
struct Open {
    line: usize,
    announced: u32,
    found: u32,
    repeated: bool,
}

impl Open {
    fn close(&self) -> Result<(), String> {
        let Self {
            line,
            announced,
            found,
            ..
        } = self;
        if announced == found {
            return Ok(());
        }
        Err(format!(
            "line {line}: the header announces {announced} records, and {found} lines follow: give \
             whole batches, or record lines without headers"
        ))
    }
}

fn header(line: &str, number: usize) -> Result<BatchHeader<'_>, String> {
    #[derive(serde::Deserialize)]
    struct Version {
        throughline: u64,
    }
    if let Ok(Version { throughline }) = serde_json::from_str(line)
        && throughline != u64::from(WIRE_VERSION)
    {
        return Err(format!(
            "line {number}: wire version {throughline}; this program reads version {WIRE_VERSION}: \
             use the release that the filter is of"
        ));
    }
    serde_json::from_str(line).map_err(|error| refused(number, "batch header", &error))
}

fn refused(number: usize, what: &str, error: &serde_json::Error) -> String {
    let said = error.to_string();
    let reason: String = said
        .split(" at line ")
        .next()
        .unwrap_or("")
        .chars()
        .take(200)
        .collect();
    let column = error.column();
    format!("line {number}, column {column}: no {what}: {reason}: mend or remove the line")
}

fn record(line: &str, number: usize) -> Result<Record<'_>, String> {
    let record: Record<'_> =
        serde_json::from_str(line).map_err(|error| refused(number, "record", &error))?;
    if !(0..=TIME_MAX_US).contains(&record.start_us) {
        return Err(format!(
            "line {number}: `start_us` is {}, which lies outside of 1970 to 9999: it counts \
             microseconds since the Unix epoch",
            record.start_us
        ));
    }
    Ok(record)
}

impl<'a> Records<'a> {
    /// Checks every line.
    pub(super) fn read(text: &'a Text) -> Result<Self, InputError> {
        Self::lines(&text.bytes).map_err(|what| text.error(what))
    }

    fn lines(bytes: &'a [u8]) -> Result<Self, String> {
        let mut records = Self {
            lines: Vec::new(),
            end: 0,
        };
        let mut batches = HashSet::<(BootId, u32, u64)>::new();
        let mut open = None::<Open>;
        for (number, line) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
            let line = line.trim_ascii();
            if line.is_empty() {
                continue;
            }
            records.end = number;
            let line = std::str::from_utf8(line).map_err(|error| {
                let column = error.valid_up_to() + 1;
                format!("line {number}, column {column}: not UTF-8: mend or remove the line")
            })?;
            if line.starts_with("{\"throughline\"") {
                if let Some(open) = &open {
                    open.close()?;
                }
                let header = header(line, number)?;
                let name = header.sequence.map(|it| (header.boot, header.worker, it));
                open = Some(Open {
                    line: number,
                    announced: header.records,
                    found: 0,
                    repeated: name.is_some_and(|name| !batches.insert(name)),
                });
                continue;
            }
            record(line, number)?;
            let repeated = open.as_mut().is_some_and(|open| {
                open.found = open.found.saturating_add(1);
                open.repeated
            });
            if !repeated {
                records.lines.push((number, line));
            }
        }
        if let Some(open) = &open {
            open.close()?;
        }
        Ok(records)
    }
}

impl Traffic for Records<'_> {
    fn each(&self, hide: Hide, take: &mut dyn FnMut(usize, Exchange<'_>)) {
        for (number, line) in &self.lines {
            let Ok(record) = record(line, *number) else {
                continue;
            };
            let exchange = Exchange::of_record(&record, Named::default());
            if !hide.leaves_out(&exchange) {
                take(*number, exchange);
            }
        }
    }

    fn lines(&self) -> usize {
        self.end
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HEADER: &str = r#"{"throughline":1,"boot":"00000000000000ff","worker":3,"sequence":7,"records":2,"closed_us":5,"capture_point":"gateway","node":"n","policy_version":"p","filter_version":"0.1.0","ledger":{"seen":9,"acknowledged":4,"dropped":{"buffer_full":0,"rejected":0,"unwritable":0}}}"#;
    const RECORD: &str = r#"{"index":3,"start_us":1000,"application":"a","key":"k","request_session":"00000000000000000000000000000001","session":"00000000000000000000000000000001"}"#;

    fn check(text: &str, expected: Result<&[usize], &str>) {
        match (Records::lines(text.as_bytes()), expected) {
            (Ok(records), Ok(numbers)) => {
                let mut found = Vec::new();
                records.each(Hide::default(), &mut |number, _| found.push(number));
                assert_eq!(found, numbers, "{text}");
            }
            (Err(error), Err(part)) => assert!(error.contains(part), "{error}"),
            (outcome, _) => panic!("{text}: {:?}", outcome.map(|it| it.lines)),
        }
    }

    #[test]
    fn reads_batches_and_bare_records_and_says_what_is_wrong() {
        let batch = format!("{HEADER}\n{RECORD}\n{RECORD}\n");
        check(&format!("{RECORD}\r\n\n{RECORD}"), Ok(&[1, 3]));
        check(&batch, Ok(&[2, 3]));
        check(&format!("{batch}{batch}"), Ok(&[2, 3]));
        let next = batch.replace("\"sequence\":7", "\"sequence\":8");
        check(&format!("{batch}\n{next}"), Ok(&[2, 3, 6, 7]));
        let short = format!("{HEADER}\n{RECORD}\n");
        check(
            &short,
            Err("line 1: the header announces 2 records, and 1 lines follow"),
        );
        check(
            &format!("{short}{next}"),
            Err("line 1: the header announces 2"),
        );
        check(
            &batch.replace("line\":1", "line\":2"),
            Err("line 1: wire version 2"),
        );
        check(&batch.replace("closed_us", "close"), Err("line 1, column"));
        check(
            &format!("{RECORD}\n[]"),
            Err("line 2, column 2: no record: "),
        );
        check(
            &RECORD.replace("1000", "-1"),
            Err("line 1: `start_us` is -1"),
        );
        let error = Records::lines(b"{\"\xff").map(|_| ()).unwrap_err();
        assert!(error.contains("line 1, column 3: not UTF-8"), "{error}");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            drop(Records::lines(&bytes));
        }
    }
}
