//! The data folder → a copy that a service can start from, while the service runs; and back.
//!
//! `copy` is the service's side: the compactor's thread, which alone makes and deletes segments,
//! holds still meanwhile; the store waits while DuckDB's file is copied; ingest goes on. `restore`
//! needs no service. `contents` is the list of files that both keep to.
//!
//! Architecture invariant: the copy's log reaches from before detection's position to beyond the
//! database's, so that starting from it is like starting after a crash at that moment.

mod contents;
mod copy;
mod restore;

pub use contents::{Contents, Copied};
pub use copy::{BackupError, make};
pub use restore::{RestoreError, RestoreOptions, run};
