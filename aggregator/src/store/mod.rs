//! log → store: one thread reads the log and writes DuckDB.
//!
//! Architecture invariant: rows and the log position they come from are committed together, so
//! that after any crash every acknowledged record is stored, and none twice. Nothing else writes.

mod columns;
mod commit;
mod database;
mod replay;
mod restore;
mod scope;
mod step;
mod thread;
mod verdicts;

pub use database::{Database, Reading, SCHEMA_VERSION, StoreError};
pub use replay::Replayed;
pub use restore::Restored;
pub use scope::restrict;
pub use thread::{Health, Store, StoreParts};
