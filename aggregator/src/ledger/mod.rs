//! record → (is it still there?): the loss ledger, per filter worker.
//!
//! `seen = stored + quarantined + dropped + pending + lost`, for every worker at every moment.
//! What a worker says counts when its batch arrives, what we have when it is stored: a batch that
//! is durable in the log and not yet in DuckDB is pending.

mod book;
mod books;
pub mod report;

pub use book::{Balance, RefusedPolicy, Share, WorkerBook};
pub use books::{Books, Forgotten};
