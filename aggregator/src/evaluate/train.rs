//! `throughline train`: labelled traffic → a model in a file.

use std::path::PathBuf;

use throughline_detection::evaluate::{self, Samples};
use throughline_detection::model::Model;
use throughline_detection::model::trees::Options;

use super::{EvaluateError, SourceOptions, model, output};

/// Flags of `throughline train`.
#[derive(Debug, Clone, clap::Args)]
pub struct TrainOptions {
    /// What is learnt from.
    #[command(flatten)]
    pub source: SourceOptions,

    /// The file to write, for `throughline evaluate --model`.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

/// Learns from all samples.
pub(super) fn learn(all: &Samples, options: &Options) -> Model {
    let samples: Vec<_> = all.samples.iter().collect();
    Model::new(evaluate::train(&samples, options))
}

/// Reads, learns, and writes the model.
///
/// # Errors
/// What is wrong with which line of which file, and what to do about it.
pub fn run(options: &TrainOptions) -> Result<(), EvaluateError> {
    let samples = options.source.samples()?;
    let (sessions, bots) = (samples.samples.len(), samples.counts.bots);
    let model = learn(&samples, &Options::default());
    model::write(&options.out, model, sessions, bots)?;
    output::print(&format!(
        "learnt from {sessions} sessions, {bots} of bots: {}\n",
        options.out.display()
    ))
}
