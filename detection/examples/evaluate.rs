//! Scores detection on a labelled access log:
//! `cargo run --release -p throughline-detection --example evaluate -- --log F --labels F`.
#![expect(clippy::print_stdout, reason = "the table is for people")]

use std::path::PathBuf;

use anyhow::Context;
use clap::{Parser, ValueEnum};
use throughline_detection::evaluate::{self, Hide, Labelled, Sample};
use throughline_detection::model::trees::Options;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Hidden {
    UserAgent,
    Robots,
}

/// Scores detection on a labelled access log.
#[derive(Debug, Parser)]
struct Arguments {
    /// Access log, common or combined.
    #[arg(long)]
    log: PathBuf,
    /// Labels by line: number, label and reason, separated by tabs.
    #[arg(long)]
    labels: PathBuf,
    /// What features must not see.
    #[arg(long, value_delimiter = ',')]
    hide: Vec<Hidden>,
    /// Requests that a session needs to be scored.
    #[arg(long, default_value_t = 3)]
    requests_min: u32,
    /// Let the unlabelled baselines settle on the log first.
    #[arg(long)]
    adapt: bool,
    /// Another log to learn from, with `--train-labels`.
    #[arg(long, requires = "train_labels")]
    train: Option<PathBuf>,
    /// Its labels.
    #[arg(long)]
    train_labels: Option<PathBuf>,
}

fn read(log: &PathBuf, labels: &PathBuf, arguments: &Arguments) -> anyhow::Result<Vec<Sample>> {
    let text = |path: &PathBuf| {
        let bytes = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
        anyhow::Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    let (log, labels) = (text(log)?, text(labels)?);
    let hide = Hide {
        user_agent: arguments.hide.contains(&Hidden::UserAgent),
        robots: arguments.hide.contains(&Hidden::Robots),
    };
    let traffic = Labelled {
        log: &log,
        labels: &labels,
    };
    Ok(evaluate::collect(
        traffic,
        hide,
        arguments.requests_min,
        arguments.adapt,
    ))
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let samples = read(&arguments.log, &arguments.labels, &arguments)?;
    let options = Options::default();
    let elsewhere = match (&arguments.train, &arguments.train_labels) {
        (Some(log), Some(labels)) => {
            let samples = read(log, labels, &arguments)?;
            Some(evaluate::train(
                &samples.iter().collect::<Vec<_>>(),
                &options,
            ))
        }
        _ => None,
    };
    let report = evaluate::evaluate(&samples, &options, elsewhere.as_ref());
    print!("{}", report.markdown());
    Ok(())
}
