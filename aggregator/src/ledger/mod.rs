//! record → (is it still there?): the loss ledger, per filter worker.
//!
//! `seen = stored + quarantined + dropped + pending + lost`, for every worker at every moment.
//! The figures are those of the store's last transaction: a batch that is durable in the log
//! and not yet in DuckDB still counts as pending.

mod book;
mod books;
pub mod report;

pub use book::{Balance, RefusedPolicy, Share, WorkerBook};
pub use books::{Books, Forgotten, WORKERS_MAX};
