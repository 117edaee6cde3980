#![forbid(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::unreachable,
    clippy::indexing_slicing,
    unsafe_code
)]
//! What is a session? The pure core of Throughline: no I/O, no clock, no host calls.
//!
//! request → session key → record → batch: every arrow up to the wire lives here, and both the
//! filter (in Envoy) and the aggregator build on it.

pub mod body;
pub mod extract;
pub mod filter;
pub mod headers;
pub mod hex;
pub mod identity;
pub mod policy;
pub mod redact;
pub mod request;
pub mod shape;
mod text;
pub mod wire;
