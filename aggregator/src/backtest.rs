//! `throughline backtest`, and what `POST /v1/backtest` does: stored records judged again under another policy, by the same code.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use duckdb::Connection;
use serde::Serialize;
use throughline_detection::Settings;

use crate::lock::DataLock;
use crate::policy::{format_of, read};
use crate::store::{Database, Replayed, Store, StoreError, crawlers};
use crate::verdicts::{Flagged, Profiles, Side, Snapshot};

/// Memory of DuckDB's buffers, bytes.
const MEMORY: u64 = 512 << 20;
/// Subjects listed in the table; `--json` has them all.
const ROWS: usize = 50;

/// Flags of `throughline backtest`.
#[derive(Debug, Clone, clap::Args)]
pub struct BacktestOptions {
    /// Policy (YAML, or JSON where its name ends so) whose `detection` is tried.
    #[arg(long, value_name = "FILE")]
    pub policy: PathBuf,

    /// The service's data folder, or a copy of it. The service must not run on it.
    #[arg(
        long,
        env = "THROUGHLINE_DATA",
        default_value = "./data",
        value_name = "FOLDER"
    )]
    pub data: PathBuf,

    /// Only the latest records, so many.
    #[arg(long, value_name = "NUMBER")]
    pub records: Option<u64>,

    /// Print JSON instead of a table.
    #[arg(long)]
    pub json: bool,
}

/// What a changed policy would change.
#[derive(Debug, Default, PartialEq, Serialize)]
pub struct Backtest {
    /// Records judged.
    pub records: u64,
    /// The version in force, which the other is held against; null where there was none.
    pub policy_version: Option<String>,
    /// Flagged under the new policy only.
    pub newly: Vec<Flagged>,
    /// Flagged under the policy in force only.
    pub no_longer: Vec<Flagged>,
    /// Flagged under both.
    pub still: usize,
}

/// Judges what is stored under the policy in force and under the one to be tried.
///
/// # Errors
/// When the policy is wrong, or the data folder is in use or cannot be read.
pub fn backtest(options: &BacktestOptions) -> anyhow::Result<Backtest> {
    let about = || options.policy.display().to_string();
    let text = std::fs::read(&options.policy).with_context(about)?;
    let tried = read(&text, format_of(&options.policy)).with_context(about)?;
    let file = options.data.join("hot.duckdb");
    anyhow::ensure!(
        file.is_file(),
        "there is no database {}: give the service's --data",
        file.display()
    );
    let _lock = DataLock::take(&options.data)
        .context("stop the service, or give a copy of its data folder")?;
    let database = Database::open(&file, MEMORY).with_context(|| file.display().to_string())?;
    let end = Store::restore(&database)?.position;
    let settings = Settings {
        seed: Snapshot::in_folder(&options.data.join("detection"))?.seed()?,
        ..Settings::default()
    };
    let reading = database.read()?;
    let trial = Trial {
        settings,
        tried: Profiles {
            policy_version: None,
            profiles: tried.detection,
            visits: tried.visits,
        },
        records: options.records.unwrap_or(u64::MAX),
        end,
    };
    Ok(trial.run(&reading.connection, || false)?.0)
}

/// Records between two looks at the clock: judging them takes milliseconds.
const LOOK_RECORDS: usize = 256;

/// What is to be tried, over how much.
#[derive(Debug)]
pub struct Trial {
    /// How both sides judge.
    pub settings: Settings,
    /// What is held against the profiles in force.
    pub tried: Profiles,
    /// The latest records, so many at most.
    pub records: u64,
    /// Where the log ends for it.
    pub end: u64,
}

impl Trial {
    /// Has both sides judge the records until there are no more (`true`), or it is `late`.
    ///
    /// # Errors
    /// When DuckDB refuses.
    pub fn run(
        self,
        connection: &Connection,
        late: impl Fn() -> bool,
    ) -> Result<(Backtest, bool), StoreError> {
        let in_force = Replayed::profiles(connection)?;
        let mut from = Replayed::start(connection, self.records)?;
        let mut result = Backtest {
            policy_version: in_force.policy_version.clone(),
            ..Backtest::default()
        };
        let mut before = Side::new(self.settings.clone(), from, in_force);
        let mut after = Side::new(self.settings, from, self.tried);
        let mut whole = true;
        while whole && from < self.end {
            let replayed = Replayed::read(connection, from, self.end)?;
            for (_, ruling) in crawlers(connection, from, replayed.end)? {
                before.learn(&ruling);
                after.learn(&ruling);
            }
            for some in replayed.records().chunks(LOOK_RECORDS) {
                if late() {
                    whole = false;
                    break;
                }
                for (place, record) in some {
                    before.take(record, *place);
                    after.take(record, *place);
                }
                result.records += some.len() as u64;
            }
            from = replayed.end.max(from + 1);
        }
        result.compare(&before.flagged(), &after.flagged());
        Ok((result, whole))
    }
}

impl Backtest {
    fn compare(&mut self, before: &BTreeMap<String, Flagged>, after: &BTreeMap<String, Flagged>) {
        self.still = after.keys().filter(|id| before.contains_key(*id)).count();
        let only = |one: &BTreeMap<String, Flagged>, other: &BTreeMap<String, Flagged>| {
            let missing = one.values().filter(|it| !other.contains_key(&it.id));
            let mut found: Vec<Flagged> = missing.cloned().collect();
            found.sort_by(|one, two| two.confidence.total_cmp(&one.confidence));
            found
        };
        self.newly = only(after, before);
        self.no_longer = only(before, after);
    }

    /// As a table for people.
    #[must_use]
    pub fn table(&self) -> String {
        let mut text = String::new();
        for (title, all) in [
            ("newly flagged", &self.newly),
            ("no longer flagged", &self.no_longer),
        ] {
            push(&mut text, format_args!("{title}: {}", all.len()));
            for it in all.iter().take(ROWS) {
                let kind = it.bot_type.replace('_', " ");
                let (whom, sure) = (format!("{} {}", it.subject_kind, it.subject), it.confidence);
                let reason = &it.reason;
                push(
                    &mut text,
                    format_args!(
                        "  {whom:<42}  {}  {kind} {sure:.2}  {reason}",
                        it.application
                    ),
                );
            }
            if all.len() > ROWS {
                push(
                    &mut text,
                    format_args!("  … {} more (--json)", all.len() - ROWS),
                );
            }
        }
        push(&mut text, format_args!("still flagged: {}", self.still));
        let version = self.policy_version.as_deref().unwrap_or("none");
        push(
            &mut text,
            format_args!(
                "backtest: records={} policy={version} newly={} no_longer={} still={}",
                self.records,
                self.newly.len(),
                self.no_longer.len(),
                self.still
            ),
        );
        text
    }
}

/// Adds a line; writing to a text cannot fail.
fn push(text: &mut String, line: std::fmt::Arguments<'_>) {
    if writeln!(text, "{line}").is_err() {
        text.clear();
    }
}

/// Does it, and gives what to print.
///
/// # Errors
/// As [`backtest`].
pub fn run(options: &BacktestOptions) -> anyhow::Result<String> {
    let result = backtest(options)?;
    if options.json {
        return Ok(serde_json::to_string_pretty(&result)?);
    }
    Ok(result.table().trim_end().to_owned())
}
