#![no_main]
//! Any bytes as a line of a batch; what is read is written again as the same, and the quick reader
//! agrees with serde.

use libfuzzer_sys::fuzz_target;
use throughline_session::wire::{BatchHeader, Record, as_written};

fuzz_target!(|data: &[u8]| {
    if let Ok(header) = serde_json::from_slice::<BatchHeader<'_>>(data) {
        let line = serde_json::to_vec(&header).expect("a header can be written");
        assert_eq!(serde_json::from_slice::<BatchHeader<'_>>(&line).expect("read again"), header);
    }
    if let Ok(record) = serde_json::from_slice::<Record<'_>>(data) {
        let line = serde_json::to_vec(&record).expect("a record can be written");
        assert_eq!(serde_json::from_slice::<Record<'_>>(&line).expect("read again"), record);
        let line = std::str::from_utf8(&line).expect("JSON");
        assert!(as_written(line).is_none_or(|quick| quick == record));
    }
    if let Ok(line) = std::str::from_utf8(data)
        && let Some(record) = as_written(line)
    {
        assert_eq!(serde_json::from_str::<Record<'_>>(line).expect("serde reads it too"), record);
    }
});
