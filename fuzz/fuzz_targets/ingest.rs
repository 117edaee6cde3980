#![no_main]
//! Any bytes as the body of `POST /v1/ingest`, packed or not, in parts of any length: unpacked within
//! the limits, then read as header and lines, as the aggregator does before anything is stored.
#![allow(dead_code, unused_imports, reason = "the aggregator uses more of its files than this")]

#[path = "../../aggregator/src/log/budget.rs"]
mod budget;
#[path = "../../aggregator/src/ingest/mod.rs"]
mod ingest;
mod log {
    pub use crate::budget::{Budget, Room};
}

use std::convert::Infallible;

use bytes::Bytes;
use futures_util::{FutureExt as _, stream};
use ingest::body::unpack;
use ingest::unpack::Encoding;
use log::Budget;

/// Small, so that inputs of a few kilobytes reach them.
const LEN_MAX: u64 = 64 << 10;
const BUDGET: u64 = 2 << 20;

fn unpacked(encoding: Encoding, packed: &[u8], step: usize) -> Option<Vec<u8>> {
    let budget = Budget::new(BUDGET);
    let parts = packed.chunks(step).map(|part| Ok::<_, Infallible>(Bytes::copy_from_slice(part)));
    let read = unpack(stream::iter(parts), encoding, LEN_MAX, &budget);
    let read = read.now_or_never().expect("nothing is waited for");
    assert!(budget.used() <= BUDGET);
    let (body, room) = read.ok()?;
    assert!(body.len() as u64 <= LEN_MAX);
    assert_eq!(budget.used(), body.len() as u64);
    drop(room);
    assert_eq!(budget.used(), 0);
    Some(body)
}

fn read(body: &[u8]) {
    if let Ok(header) = ingest::check(body) {
        let lines = ingest::line::read_all(body, header.closed_us);
        assert_eq!(u32::try_from(lines.count()), Ok(header.records));
    }
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((how, rest)) = data.split_first() else {
        return;
    };
    let step = usize::from(how / 4) * 17 + 1;
    for encoding in [Encoding::Identity, Encoding::Gzip, Encoding::Zstd] {
        if let Some(body) = unpacked(encoding, rest, step) {
            read(&body);
        }
    }
    let packed = match how % 4 {
        0 => (Encoding::Gzip, fuzz::gzip(rest)),
        1 => {
            let mut packed = vec![0; zstd_safe::compress_bound(rest.len())];
            let len = zstd_safe::compress(&mut packed[..], rest, 1).expect("it can be packed");
            packed.truncate(len);
            (Encoding::Zstd, packed)
        }
        _ => return,
    };
    assert_eq!(unpacked(packed.0, &packed.1, step).as_deref(), Some(rest));
});
