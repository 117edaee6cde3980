//! Envoy's own counters → ledger: did every request of an Envoy pass through the filter?
//!
//! A filter cannot read Envoy's request counter, so the aggregator asks the admin interface:
//! `handled − active − seen` is what bypassed the filter, all three from one reading.

mod reading;
mod scrape;
mod stats;
mod target;

pub use reading::{Changes, Envoys, Known, Reading};
pub use scrape::watch;
pub use target::Target;
