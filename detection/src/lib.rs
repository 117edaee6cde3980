#![forbid(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::unreachable,
    clippy::indexing_slicing,
    unsafe_code
)]
//! Who is a bot? A pure library: no I/O, no clock; time comes from records, and the same records
//! in the same order give the same verdicts.
//!
//! record → event → features → votes → verdicts

pub mod detection;
pub mod detectors;
pub mod evaluate;
pub mod event;
pub mod features;
mod hash;
pub mod model;
mod num;
pub mod reference;
mod sketch;
mod state;
pub mod verdicts;

pub use detection::{Detection, Settings};
pub use event::{Exchange, LogPosition, Named, Whereabouts};

/// Names the code of this crate: state that other code stored may not be what it seems.
pub const FINGERPRINT: &str = env!("DETECTION_FINGERPRINT");
