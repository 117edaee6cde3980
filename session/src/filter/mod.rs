//! The filter's state machine: exchanges in, batches out, every loss counted.
//!
//! One [`Worker`] per Envoy worker. All it knows of the world comes through [`Host`].

mod exchange;
pub mod finder;
mod host;
mod live;
mod outbox;
mod recorder;
mod worker;

#[cfg(test)]
mod tests;

pub use exchange::Exchange;
pub use host::{Call, Counter, Ended, Host, Level, Property, Side};
pub use recorder::{Measured, Recorder};
pub use worker::{Settings, SetupError, Worker};
