//! What the end-to-end stories share; see tests/README.md.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "in a test, an unexpected outcome is a failure with a line number"
)]

mod support;

pub use support::load::{Client, Key, Load, Protocol, Sent, answered, clients};
pub use support::records::{Records, books, record_of, records, settled};
pub use support::single::{Answer, exchange, exchange_http2, get, leave};
pub use support::slot::Slot;
pub use support::upstream::Upstream;
pub use support::{PLUGIN, TIME_MAX, assert_vm_alive, vm_end};
