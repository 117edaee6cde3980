//! Models in files.

use std::path::Path;

use serde::{Deserialize, Serialize};
use throughline_detection::model::Model;

use super::EvaluateError;
use super::input::{InputError, Text};

/// The version of the file's form.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// [`VERSION`]; also what tells such a file from other JSON.
    throughline_model: u32,
    /// Version of the program that learnt it.
    learnt_by: String,
    /// Sessions that it learnt from.
    sessions: usize,
    /// Bots among them.
    bots: usize,
    model: Model,
}

/// Writes a model that was learnt from so many sessions.
pub(super) fn write(
    path: &Path,
    model: Model,
    sessions: usize,
    bots: usize,
) -> Result<(), EvaluateError> {
    let file = File {
        throughline_model: VERSION,
        learnt_by: env!("CARGO_PKG_VERSION").to_owned(),
        sessions,
        bots,
        model,
    };
    let written = serde_json::to_vec(&file)
        .map_err(std::io::Error::from)
        .and_then(|json| std::fs::write(path, json));
    written.map_err(|source| EvaluateError::Output {
        to: path.display().to_string(),
        source,
    })
}

/// Reads a model that fits this version.
///
/// # Errors
/// When it cannot be read, is no model, or was learnt on other features; the message names the
/// file and the remedy.
pub fn read(path: &Path) -> Result<Model, InputError> {
    #[derive(Deserialize)]
    struct Version {
        throughline_model: u32,
    }
    let text = Text::read(path)?;
    let version = serde_json::from_slice::<Version>(&text.bytes);
    if let Ok(Version { throughline_model }) = version
        && throughline_model != VERSION
    {
        return Err(text.error(format!(
            "a model of form {throughline_model}, and this program reads form {VERSION}: learn it \
             anew with `throughline train`"
        )));
    }
    let file: File = serde_json::from_slice(&text.bytes).map_err(|error| {
        text.error(format!(
            "no model: {error}; give a file that `throughline train` has written"
        ))
    })?;
    file.model.check().map_err(|error| text.error(error))?;
    Ok(file.model)
}
