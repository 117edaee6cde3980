//! How good is it? Scores on labelled traffic, beside 'call everything a bot'.
//!
//! The protocol is described in `docs/EVALUATION.md`. Nothing here reads a file: text comes in,
//! a report goes out.

mod folds;
mod report;
mod scores;
mod traffic;

pub use folds::{FOLDS, Groups, cross_validate, model_row, rows_of, train};
pub use report::{Report, Row, evaluate};
pub use scores::{Interval, Scores, bootstrap, scores};
pub use traffic::{Hide, Labelled, Moment, REQUESTS, Sample, collect};
