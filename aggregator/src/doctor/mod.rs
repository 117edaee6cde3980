//! `throughline doctor`: what is wrong with a data folder or a running service, and what helps.
//!
//! `offline` looks at the files of a service that does not run, `online` at what a running one says
//! of itself. Each looks at one thing after the other and gives findings; nothing is changed.

mod offline;
mod online;

use std::path::PathBuf;
use std::process::ExitCode;

use serde::Serialize;

use crate::client::{ClientError, answers};

/// What is looked at.
#[derive(Debug, clap::Args)]
pub struct DoctorOptions {
    /// A running service to be asked, in place of a data folder.
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// A token of the role `read` for all applications; the variable keeps it out of process lists.
    #[arg(long, env = "THROUGHLINE_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// The data folder of a service that does not run.
    #[arg(
        long,
        env = "THROUGHLINE_DATA",
        default_value = "data",
        value_name = "FOLDER"
    )]
    data: PathBuf,
    /// Say it as JSON.
    #[arg(long)]
    json: bool,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// It was looked at, and is as it should be.
    Good,
    /// Something is off; nothing is lost by it yet, or what is lost is counted.
    Warning,
    /// Something does not work, or something is missing.
    Error,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub level: Level,
    /// What was looked at.
    pub about: &'static str,
    /// What it is like.
    pub what: String,
    /// What helps; empty where nothing needs to.
    pub remedy: String,
}

impl Finding {
    fn good(about: &'static str, what: impl Into<String>) -> Self {
        Self::new(Level::Good, about, what, "")
    }

    fn warning(about: &'static str, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(Level::Warning, about, what, remedy)
    }

    fn error(about: &'static str, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(Level::Error, about, what, remedy)
    }

    fn new(
        level: Level,
        about: &'static str,
        what: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            level,
            about,
            what: what.into(),
            remedy: remedy.into(),
        }
    }
}

/// Looks, and says what was found: text, and the exit code (0: nothing, 1: warnings, 2: errors).
///
/// # Errors
/// When a service cannot be asked at all.
pub async fn run(options: &DoctorOptions) -> Result<(String, ExitCode), ClientError> {
    let findings = match &options.url {
        Some(url) => online::examine(&answers(url, options.token.as_deref()).await?),
        None => offline::examine(&options.data),
    };
    let worst = findings.iter().map(|it| it.level).max();
    let code = match worst.unwrap_or(Level::Good) {
        Level::Good => ExitCode::SUCCESS,
        Level::Warning => ExitCode::from(1),
        Level::Error => ExitCode::from(2),
    };
    let text = if options.json {
        serde_json::to_string_pretty(&findings).unwrap_or_default()
    } else {
        findings.iter().map(told).collect::<Vec<_>>().join("\n")
    };
    Ok((text, code))
}

fn told(finding: &Finding) -> String {
    let Finding {
        level,
        about,
        what,
        remedy,
    } = finding;
    let word = match level {
        Level::Good => "good   ",
        Level::Warning => "WARNING",
        Level::Error => "ERROR  ",
    };
    let remedy = if remedy.is_empty() {
        String::new()
    } else {
        format!("\n         → {remedy}")
    };
    format!("{word}  {about}: {what}{remedy}")
}
