//! The report, for people or machines.

use std::io::Write as _;
use std::path::Path;

use serde::Serialize;
use throughline_detection::evaluate::{REQUESTS, ROUNDS, Report};

use super::{EvaluateError, EvaluateOptions, Folds, Hidden};

/// The JSON, described in `docs/EVALUATION.md`; a change that breaks readers raises `version`.
#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    protocol: Protocol,
    #[serde(flatten)]
    report: &'a Report,
}

#[derive(Serialize)]
struct Protocol {
    hide: Vec<Hidden>,
    adapt: bool,
    folds: Vec<Folds>,
    trained_elsewhere: bool,
    requests_min: u32,
    scored_after: [u32; 3],
    resamplings: u64,
}

fn json(options: &EvaluateOptions, report: &Report) -> std::io::Result<String> {
    let document = Document {
        version: 1,
        protocol: Protocol {
            hide: options.source.hide.clone(),
            adapt: options.source.adapt,
            folds: options.folds(),
            trained_elsewhere: options.train.is_some() || options.model.is_some(),
            requests_min: options.source.requests_min,
            scored_after: REQUESTS,
            resamplings: ROUNDS,
        },
        report,
    };
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}

pub(super) fn print(text: &str) -> Result<(), EvaluateError> {
    let mut out = std::io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    written.map_err(|source| EvaluateError::Output {
        to: "standard output".into(),
        source,
    })
}

/// Writes what the flags ask for.
pub(super) fn write(options: &EvaluateOptions, report: &Report) -> Result<(), EvaluateError> {
    let failed = |to: &Path, source| EvaluateError::Output {
        to: to.display().to_string(),
        source,
    };
    let json = json(options, report).map_err(|source| failed(Path::new("JSON"), source))?;
    match &options.json {
        Some(None) => print(&json),
        Some(Some(file)) => {
            std::fs::write(file, json).map_err(|source| failed(file, source))?;
            print(&report.markdown())
        }
        None => print(&report.markdown()),
    }
}
