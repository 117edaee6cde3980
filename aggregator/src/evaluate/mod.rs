//! `throughline evaluate`: files → labelled traffic → the report of `throughline_detection`.
//!
//! Only reading and writing is done here; what is scored and how is `detection::evaluate`'s.

mod input;
mod output;
mod records;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::ValueEnum;
use throughline_detection::evaluate::{
    self, AccessLog, Groups, Hide, Labels, Plan, Samples, Traffic,
};
use throughline_detection::model::trees::{Options, Trees};

pub use input::InputError;
use input::{Kind, Text};
use records::Records;

/// What features must not see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hidden {
    /// The user agent; sessions are still told apart by it.
    UserAgent,
    /// Requests for /robots.txt, which are taken out.
    Robots,
}

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
#[command(group(clap::ArgGroup::new("traffic").required(true).args(["log", "records"])))]
pub struct EvaluateOptions {
    /// Access log to score, common or combined format.
    #[arg(long, value_name = "FILE")]
    pub log: Option<PathBuf>,

    /// Records to score: batches as filters send them, one after the other, or record lines alone.
    #[arg(long, value_name = "FILE.ndjson")]
    pub records: Option<PathBuf>,

    /// The truth: line number or session id, tab, `bot`, `human` or `unknown`, tab, reason.
    #[arg(long, value_name = "FILE")]
    pub labels: PathBuf,

    /// What detection must not see, separated by commas.
    #[arg(long, value_delimiter = ',', value_enum, value_name = "WHAT")]
    pub hide: Vec<Hidden>,

    /// Log or records to learn a model from, which then scores the traffic.
    #[arg(long, requires = "train_labels", value_name = "FILE")]
    pub train: Option<PathBuf>,

    /// The truth about `--train`.
    #[arg(long, requires = "train", value_name = "FILE")]
    pub train_labels: Option<PathBuf>,

    /// Let the baselines settle on the traffic first, without its labels.
    #[arg(long)]
    pub adapt: bool,

    /// Score with models that learn from the rest of the traffic, cut by these; both when absent.
    #[arg(long, value_delimiter = ',', value_enum, value_name = "BY")]
    pub folds: Vec<Folds>,

    /// Requests that a session needs to be scored.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(3..), value_name = "NUMBER")]
    pub requests_min: u32,

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
    fn hide(&self) -> Hide {
        Hide {
            user_agent: self.hide.contains(&Hidden::UserAgent),
            robots: self.hide.contains(&Hidden::Robots),
        }
    }

    /// The cuts, each once.
    fn folds(&self) -> Vec<Folds> {
        let all = [Folds::Ip, Folds::UserAgent];
        let wanted = |it: &Folds| self.folds.is_empty() || self.folds.contains(it);
        all.into_iter().filter(wanted).collect()
    }

    fn read(&self, file: &Path, kind: Kind, labels: &Path) -> Result<Samples, EvaluateError> {
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

    fn train(&self, options: &Options) -> Result<Option<Trees>, EvaluateError> {
        let (Some(file), Some(labels)) = (&self.train, &self.train_labels) else {
            return Ok(None);
        };
        let all = self.read(file, Kind::Either, labels)?;
        let samples: Vec<_> = all.samples.iter().collect();
        Ok(Some(evaluate::train(&samples, options)))
    }
}

/// Reads, scores, and writes the report.
///
/// # Errors
/// What is wrong with which line of which file, and what to do about it.
pub fn run(options: &EvaluateOptions) -> Result<(), EvaluateError> {
    let (file, kind) = match (&options.log, &options.records) {
        (Some(log), _) => (log.as_path(), Kind::Log),
        (None, Some(records)) => (records.as_path(), Kind::Records),
        // The flags' group does not let this happen.
        (None, None) => (Path::new(""), Kind::Either),
    };
    let samples = options.read(file, kind, &options.labels)?;
    let learning = Options::default();
    let elsewhere = options.train(&learning)?;
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
