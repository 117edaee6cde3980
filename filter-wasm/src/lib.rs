#![forbid(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::unreachable,
    clippy::indexing_slicing
)]
#![deny(unsafe_code)]
//! How does the filter run in Envoy? The thin adapter between the proxy-wasm ABI and
//! `throughline-session`, which holds all the decisions.
//!
//! Envoy calls the functions in [`exports`]; they find the worker and the exchange in [`module`],
//! which talk back through [`envoy::Envoy`]. All `unsafe` is in [`abi`].

mod abi;
mod envoy;
mod exports;
mod module;
