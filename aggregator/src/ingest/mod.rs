//! batch → log: what a filter sends is checked, made durable, and then acknowledged.
//!
//! Architecture invariant: no batch is refused for a record line. A bad line must not keep the
//! good ones of its batch out; whoever reads the log finds it with [`line`], and the store puts it
//! in quarantine.

pub mod body;
pub mod header;
pub(crate) mod line;
#[cfg(test)]
mod schema;
pub mod unpack;

pub use header::{BatchError, TIME_MAX_US, check};
