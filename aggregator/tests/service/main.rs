//! The aggregator as a whole: its endpoints (`api/`, one file per file of `src/api/`), its log on
//! a failing disk, and its process, killed; and `throughline evaluate`.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests, outside of `#[test]`"
)]

mod api;
mod ask;
mod backtest;
mod backup;
mod common;
mod crawlers;
mod evaluate;
mod faults;
mod geo;
mod hostile;
mod import;
mod ledger;
mod live;
mod log;
mod migrate;
mod process;
mod replay;
mod segments;
mod send;
mod sql;
mod store;
mod verdicts;
mod visits;
