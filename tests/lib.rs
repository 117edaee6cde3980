//! What the end-to-end stories share; see tests/README.md.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "in a test, an unexpected outcome is a failure with a line number"
)]

mod support;

pub use support::load::{Client, Key, Load, Protocol, Sent, answered, clients};
pub use support::policy::{all_run, put, versions};
pub use support::records::{Records, books, record_of, records, sessions_since, settled};
pub use support::single::{Answer, exchange, exchange_http2, get, leave};
pub use support::slot::Slot;
pub use support::traffic::{Round, play};
pub use support::upstream::Upstream;
pub use support::{PLUGIN, TIME_MAX, assert_vm_alive, vm_end};
