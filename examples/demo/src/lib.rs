//! The whole line on one machine: demo API, Envoy with the filter, aggregator.
//!
//! `make demo` and the end-to-end tests start the same [`Stack`], so what a new user sees is what
//! the tests check. Every process writes its log into one work folder.

mod access_log;
mod binaries;
mod bootstrap;
mod bots;
mod http;
mod ledger;
mod policy;
mod ports;
mod process;
mod stack;
pub mod story;
mod traffic;
mod truth;
mod wait;

pub use access_log::{AccessLine, read_access_log};
pub use binaries::{binary, envoy, repository};
pub use bootstrap::Bootstrap;
pub use bots::{Bot, found, requests};
pub use http::Http;
pub use ledger::{EnvoyCount, Status, Totals, Unknown, WorkerCount};
pub use ports::free_port;
pub use process::Process;
pub use stack::{Stack, StackBuilder};
pub use traffic::{Play, Traffic};
pub use truth::{Actors, Clients, Score, Truth, outcome};
pub use wait::eventually;
