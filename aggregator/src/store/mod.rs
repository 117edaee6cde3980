//! log → store: one thread reads the log and writes DuckDB, another moves what is old into files.
//!
//! Architecture invariant: rows and the log position they come from are committed together, so
//! that after any crash every acknowledged record is stored, and none twice. The compactor
//! (`segments`) takes rows out of the hot tables in the transaction that names the files they are
//! in, and appends to none of them. Nothing else writes.

mod columns;
mod commit;
mod database;
pub mod desk;
mod replay;
mod restore;
mod rollup;
mod scope;
mod segments;
mod sightings;
mod step;
mod thread;
mod tried;
mod verdicts;

pub use database::{Database, Reading, Resources, SCHEMA_VERSION, StoreError};
pub use replay::{Replayed, crawlers};
pub use restore::Restored;
pub use rollup::{
    Found, folded, rows_among, rows_at, rows_of, session_times, then as sessions_then,
};
pub use scope::{restrict, restrict_views};
pub use segments::{
    Compacting, Compactor, Errands, MERGED_SINCE, PARAM_SUMS, Retention, SLOT_US, Sample, Shared,
    Standing, Whose, Within, as_hot, close_hot, merge_settled, sample, segment_files,
};
pub use thread::{Health, Store, StoreParts};
pub use tried::StoredTrials;
