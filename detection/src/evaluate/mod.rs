//! How good is it? Scores on labelled traffic, beside 'call everything a bot'.
//!
//! traffic → visits (what detection knew of each) → samples (with labels) → a report. The protocol
//! is described in `docs/EVALUATION.md`. Nothing here reads a file: text comes in, a report goes
//! out.
//!
//! Architecture invariant: [`watch`] has no labels. They are joined to what it saw afterwards.

mod folds;
mod labels;
mod rates;
mod report;
mod samples;
mod scores;
mod traffic;
mod watch;

pub use folds::{FOLDS, Groups, cross_validate, model_row, rows_of, train, train_rows};
pub use labels::{Label, LabelError, Labels, Named};
pub use rates::Rate;
pub use report::{Plan, ROUNDS, Ranking, Reason, Report, Row, evaluate};
pub use samples::{Counts, Sample, Samples};
pub use scores::{Figure, Figures, Interval, Scores, bootstrap, scores};
pub use traffic::{AccessLog, Hide, Traffic};
pub use watch::{Moment, REQUESTS, Visit, watch};
