//! Where do records go? The aggregator: one binary, `throughline`.
//!
//! batch → [`ingest`] → [`log`] (durable, acknowledged) → [`store`] (DuckDB) → [`sessions`]
//! (visits) → [`api`]; from the log too, [`verdicts`]; beside them the [`ledger`], which knows what
//! is missing, the [`policy`], which tells filters what a session is, and the `ui`, which shows what
//! [`api`] answers. [`crawlers`] looks up whether search engines are who they say. [`backtest`] judges what is stored under another policy; [`evaluate`] scores bot
//! detection on files and needs none
//! of the others.

pub mod api;
pub mod backtest;
pub mod backup;
pub mod client;
pub mod clock;
pub mod config;
pub mod crawlers;
pub mod doctor;
pub mod endpoints;
pub mod envoy_admin;
pub mod evaluate;
pub mod export;
pub mod filters;
#[cfg(test)]
mod fits;
pub mod geo;
pub mod import;
pub mod ingest;
mod joined;
pub mod ledger;
pub mod lock;
pub mod log;
pub mod metrics;
pub mod policy;
mod quoted;
pub mod serve;
mod server;
pub mod sessions;
mod shutdown;
mod spelling;
pub mod sql;
pub mod store;
mod table;
pub mod time;
pub mod tokens;
mod ui;
pub mod verdicts;
