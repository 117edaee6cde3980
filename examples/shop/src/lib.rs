//! A small but believable JSON API: the application behind Envoy in the demo.
//!
//! A request is read ([`serve_stream`]), routed to one handler, answered from memory under one
//! lock, and held back for as long as a real shop would have taken. Everything is seeded and
//! bounded. `accounts` and `webhook` are public because the traffic plays the shop's customers
//! and its payment provider; it uses nothing else of this crate outside its tests.

pub mod accounts;
mod bounded;
mod call;
mod catalogue;
mod handlers;
mod latency;
pub mod mix;
mod reply;
mod router;
mod server;
mod state;
mod tokens;
pub mod webhook;

pub use server::{answer, serve, serve_stream};
pub use state::{Config, Shop};
