//! hot → closed: what is old leaves DuckDB's file for Parquet files, and those go when it is time.
//!
//! `layout` says what a segment consists of, `manifest` which there are and how they are read, `narrow`
//! which of them a question about a stretch of time needs,
//! `close`, `merge`, `rewrite` and `retention` change that, one transaction each, `forget` does what people
//! ask for, and `thread` does it all, one thing after the other.

mod close;
mod errand;
mod forget;
mod layout;
mod manifest;
mod merge;
mod narrow;
mod retention;
mod retired;
mod rewrite;
mod sampling;
mod standing;
mod thread;
mod write;

pub use close::close_hot;
pub(super) use close::{hot_records, transaction};
pub use errand::{Errands, Whose};
pub use layout::{PARAM_SUMS, SLOT_US, as_hot};
pub(super) use manifest::{Folder, VIEWS, make_views, sweep};
pub use manifest::{MERGED_SINCE, Within, segment_files};
pub use merge::merge_settled;
pub use retention::Retention;
pub(super) use retired::Retired;
pub use sampling::{Sample, sample};
pub use standing::{Shared, Standing};
pub use thread::{Compacting, Compactor};
