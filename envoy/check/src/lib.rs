//! Does what stands in `envoy/` hold? What the tests of this folder share.
//!
//! A crate of its own, not part of `tests/`: whoever changes a manifest should neither need nor wait
//! for DuckDB, which the programs of `tests/` are linked with.

pub mod document;
pub mod rules;
pub mod schema;
pub mod schemas;

pub use document::{Manifest, manifests, root};
pub use schemas::Schemas;

/// Says that a test looked at nothing, and what it lacks; past the test program's own capture, which
/// would keep it from whoever reads the output.
pub fn skipped(lack: &str) {
    use std::io::Write as _;
    drop(writeln!(std::io::stderr(), "SKIPPED: {lack}"));
}
