//! batch → log: what a filter sends is checked, made durable, and then acknowledged.
//!
//! Architecture invariant: nothing here looks into a record line. A bad line must not keep the
//! good ones of its batch out; the store finds it and puts it in quarantine.

pub mod body;
pub mod header;

pub use header::{BatchError, TIME_MAX_US, check, lines};
