//! `throughline evaluate`: files → labelled traffic → the report of `throughline_detection`.
//!
//! Only reading and writing is done here; what is scored and how is `detection::evaluate`'s.

mod input;
mod model;
mod output;
mod records;
mod source;
mod train;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::ValueEnum;
use throughline_detection::evaluate::{self, Groups, Plan};
use throughline_detection::model::Model;
use throughline_detection::model::trees::Options;

pub use input::InputError;
use input::Kind;
pub use model::read as read_model;
pub use source::{Hidden, SourceOptions};
pub use train::{TrainOptions, run as train};

/// What must not be both learnt from and scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Folds {
    /// Sessions of one address.
    Ip,
    /// Sessions of one user agent: harder.
    UserAgent,
}

/// Flags of `throughline evaluate`.
#[derive(Debug, Clone, clap::Args)]
pub struct EvaluateOptions {
    /// What is scored.
    #[command(flatten)]
    pub source: SourceOptions,

    /// Log or records to learn a model from, which then scores the traffic.
    #[arg(long, requires = "train_labels", value_name = "FILE")]
    pub train: Option<PathBuf>,

    /// The truth about `--train`.
    #[arg(long, requires = "train", value_name = "FILE")]
    pub train_labels: Option<PathBuf>,

    /// Model that `throughline train` has written, which then scores the traffic.
    #[arg(long, conflicts_with = "train", value_name = "FILE")]
    pub model: Option<PathBuf>,

    /// Score with models that learn from the rest of the traffic, cut by these; both when absent.
    #[arg(long, value_delimiter = ',', value_enum, value_name = "BY")]
    pub folds: Vec<Folds>,

    /// JSON instead of the table; with `=FILE`, JSON in that file and the table as well.
    #[arg(long, num_args = 0..=1, require_equals = true, value_name = "FILE")]
    pub json: Option<Option<PathBuf>>,
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum EvaluateError {
    /// A file is not what it should be.
    #[error(transparent)]
    Input(#[from] InputError),
    /// Bots without people, or people without bots.
    #[error(
        "{file}: {bots} sessions of bots and {people} of people can be scored ({short} are too \
         short, {unknown} are not labelled throughout), and both kinds are needed: label more, \
         or lower --requests-min"
    )]
    OneKind {
        /// The traffic's file.
        file: String,
        /// Scored.
        bots: usize,
        /// Scored.
        people: usize,
        /// Not scored.
        short: usize,
        /// Not scored.
        unknown: usize,
    },
    /// The report cannot be written.
    #[error("cannot write {to}: {source}")]
    Output {
        /// File, or standard output.
        to: String,
        /// Why.
        source: std::io::Error,
    },
}

impl EvaluateError {
    /// 2 for input that is wrong, as for flags that are; 1 for anything else.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Input(_) => ExitCode::from(2),
            Self::OneKind { .. } | Self::Output { .. } => ExitCode::from(1),
        }
    }
}

impl EvaluateOptions {
    /// The cuts, each once.
    fn folds(&self) -> Vec<Folds> {
        let all = [Folds::Ip, Folds::UserAgent];
        let wanted = |it: &Folds| self.folds.is_empty() || self.folds.contains(it);
        all.into_iter().filter(wanted).collect()
    }

    /// The model that learnt from other traffic, here or before.
    fn elsewhere(&self, options: &Options) -> Result<Option<Model>, EvaluateError> {
        if let Some(file) = &self.model {
            return Ok(Some(model::read(file)?));
        }
        let (Some(file), Some(labels)) = (&self.train, &self.train_labels) else {
            return Ok(None);
        };
        let all = self.source.read(file, Kind::Either, labels)?;
        Ok(Some(train::learn(&all, options)))
    }
}

/// Reads, scores, and writes the report.
///
/// # Errors
/// What is wrong with which line of which file, and what to do about it.
pub fn run(options: &EvaluateOptions) -> Result<(), EvaluateError> {
    let samples = options.source.samples()?;
    let learning = Options::default();
    let elsewhere = options.elsewhere(&learning)?;
    let folds: Vec<_> = options.folds().into_iter().map(Groups::from).collect();
    let plan = Plan {
        options: learning,
        folds: &folds,
        elsewhere: elsewhere.as_ref(),
    };
    output::write(options, &evaluate::evaluate(&samples, &plan))
}

impl From<Folds> for Groups {
    fn from(folds: Folds) -> Self {
        match folds {
            Folds::Ip => Self::Address,
            Folds::UserAgent => Self::UserAgent,
        }
    }
}
