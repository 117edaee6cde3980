//! flags → labelled traffic, as `evaluate` and `train` take it.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use throughline_detection::evaluate::{self, AccessLog, Hide, Labels, Samples, Traffic};

use super::EvaluateError;
use super::input::{self, InputError, Kind, Text};
use super::records::Records;

/// What features must not see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hidden {
    /// The user agent; sessions are still told apart by it.
    UserAgent,
    /// Requests for /robots.txt, which are taken out.
    Robots,
}

/// Labelled traffic.
#[derive(Debug, Clone, clap::Args)]
#[command(group(clap::ArgGroup::new("traffic").required(true).args(["log", "records"])))]
pub struct SourceOptions {
    /// Access log, common or combined format.
    #[arg(long, value_name = "FILE")]
    pub log: Option<PathBuf>,

    /// Records: batches as filters send them, one after the other, or record lines alone.
    #[arg(long, value_name = "FILE.ndjson")]
    pub records: Option<PathBuf>,

    /// The truth: line number or session id, tab, `bot`, `human` or `unknown`, tab, reason.
    #[arg(long, value_name = "FILE")]
    pub labels: PathBuf,

    /// What detection must not see, separated by commas.
    #[arg(long, value_delimiter = ',', value_enum, value_name = "WHAT")]
    pub hide: Vec<Hidden>,

    /// Let the baselines settle on the traffic first, without its labels.
    #[arg(long)]
    pub adapt: bool,

    /// Requests that a session needs to count.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(3..), value_name = "NUMBER")]
    pub requests_min: u32,
}

impl SourceOptions {
    fn hide(&self) -> Hide {
        Hide {
            user_agent: self.hide.contains(&Hidden::UserAgent),
            robots: self.hide.contains(&Hidden::Robots),
        }
    }

    /// The traffic that the flags name.
    pub(super) fn samples(&self) -> Result<Samples, EvaluateError> {
        let (file, kind) = match (&self.log, &self.records) {
            (Some(log), _) => (log.as_path(), Kind::Log),
            (None, Some(records)) => (records.as_path(), Kind::Records),
            // The flags' group does not let this happen.
            (None, None) => (Path::new(""), Kind::Either),
        };
        self.read(file, kind, &self.labels)
    }

    /// Other traffic, read by the same protocol.
    pub(super) fn read(
        &self,
        file: &Path,
        kind: Kind,
        labels: &Path,
    ) -> Result<Samples, EvaluateError> {
        let traffic = Text::read(file)?;
        let rows = Text::read(labels)?;
        let labels = Labels::read(&rows.lossy()).map_err(|error| rows.error(error))?;
        let watch = |traffic: &dyn Traffic| {
            let made_for_it = labels.check(traffic);
            made_for_it.map_err(|error| rows.error(error))?;
            Ok(evaluate::watch(traffic, self.hide(), self.adapt))
        };
        let records = kind == Kind::Records || (kind == Kind::Either && traffic.is_ndjson());
        let visits: Result<_, InputError> = if records {
            watch(&Records::read(&traffic)?)
        } else {
            let text = traffic.lossy();
            let log = AccessLog(&text);
            input::check_log(&traffic, &log)?;
            watch(&log)
        };
        let samples = Samples::join(visits?, &labels, self.requests_min);
        let counts = samples.counts;
        if counts.bots == 0 || counts.people == 0 {
            return Err(EvaluateError::OneKind {
                file: traffic.file,
                bots: counts.bots,
                people: counts.people,
                short: counts.short,
                unknown: counts.unknown,
            });
        }
        Ok(samples)
    }
}
