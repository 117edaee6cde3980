//! `throughline policy …`: what can be asked about a policy without a service.

use std::path::PathBuf;

use anyhow::Context as _;

use super::document::{Refused, read};
use super::file::format_of;
use super::{DOCUMENT_BYTES_MAX, schema};

/// What about the policy?
#[derive(Debug, clap::Subcommand)]
pub enum PolicyCommand {
    /// Check a policy by the filter's own rules; names the place of what is wrong.
    Check {
        /// YAML, or JSON where its name ends so.
        file: PathBuf,
    },
    /// Print the JSON Schema of policies.
    Schema,
}

/// Does what is asked; the result is what to print.
///
/// # Errors
/// What is wrong with the policy, and where.
pub fn run(command: &PolicyCommand) -> anyhow::Result<String> {
    match command {
        PolicyCommand::Check { file } => {
            let about = || file.display().to_string();
            let text = std::fs::read(file).with_context(about)?;
            if text.len() as u64 > DOCUMENT_BYTES_MAX {
                let problem = format!(
                    "{} bytes; a policy has at most {DOCUMENT_BYTES_MAX}",
                    text.len()
                );
                return Err(Refused::whole(problem)).with_context(about);
            }
            let document = read(&text, format_of(file)).with_context(about)?.document;
            Ok(format!(
                "{}: good: {} applications, {} key rules, {} parameters",
                file.display(),
                document.applications.len(),
                document.keys.len(),
                document.parameters.len()
            ))
        }
        PolicyCommand::Schema => Ok(serde_json::to_string_pretty(&schema::schema())?),
    }
}
