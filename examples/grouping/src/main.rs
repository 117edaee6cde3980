//! `make prove-grouping`; see `docs/GROUPING.md`.
#![expect(
    clippy::print_stdout,
    reason = "the tables and the last line are for people and scripts"
)]

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context as _;
use clap::Parser;
use grouping::figures::{Figures, low};
use grouping::public_log::{self, LogRow};
use grouping::{pictures, report, run, scenes};

/// Replays the same recorded traffic under different groupings, and scores each by the true client.
#[derive(Debug, Parser)]
#[command(version)]
struct Options {
    /// Seeds that thresholds are chosen on, as `1-10` or `1,3,5-7`.
    #[arg(long, default_value = "1-10", value_parser = seeds)]
    tune: Seeds,
    /// Seeds that are scored.
    #[arg(long, default_value = "11-30", value_parser = seeds)]
    score: Seeds,
    /// Factor on the number of honest clients.
    #[arg(long, default_value_t = 1.0)]
    scale: f64,
    /// Scenes at the same time.
    #[arg(long, default_value_t = 2)]
    jobs: usize,
    /// Keeps finished scenes in this folder and takes them from there: a run that was broken off goes
    /// on. Empty it after a change of scenes or arms.
    #[arg(long)]
    resume: Option<PathBuf>,
    /// All figures as JSON in this file.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Says how the tables differ from this file; with `UPDATE_EXPECT=1` it is written instead, and
    /// the pictures beside it, in the folder `images`.
    #[arg(long)]
    snapshot: Option<PathBuf>,
    /// Folder with `site-2015.log` and `site-2015.labels.tsv`; skipped where they are not there.
    #[arg(long)]
    site: Option<PathBuf>,
    /// Lists every client that an arm missed or wronged at its threshold: `--list links`.
    #[arg(long)]
    list: Option<String>,
}

#[derive(Debug, Clone)]
struct Seeds(Vec<u64>);

fn seeds(text: &str) -> Result<Seeds, String> {
    let mut all = Vec::new();
    for part in text.split(',') {
        let number = |text: &str| text.trim().parse::<u64>();
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        match (number(first), number(last)) {
            (Ok(first), Ok(last)) if first <= last && last - first < 1_000 => {
                all.extend(first..=last);
            }
            _ => return Err(format!("`{part}` is no seed and no range such as 11-30")),
        }
    }
    Ok(Seeds(all))
}

#[derive(serde::Serialize)]
struct Document<'a> {
    version: u32,
    seconds: u64,
    figures: &'a Figures,
    site: &'a [LogRow],
}

fn main() -> anyhow::Result<ExitCode> {
    let options = Options::parse();
    let begun = Instant::now();
    if let Some(folder) = &options.resume {
        std::fs::create_dir_all(folder)?;
    }
    let plan = run::Plan {
        scale: options.scale,
        jobs: options.jobs,
        folder: options.resume.as_deref(),
    };
    let tuning = run::play_all(&options.tune.0, &plan)?;
    let scoring = run::play_all(&options.score.0, &plan)?;
    let figures = Figures::of(&tuning, &scoring);
    let site = site(options.site.as_deref())?;
    let mut text = report::markdown(&figures);
    if !site.is_empty() {
        text += "### A public log, line by line\n\n";
        text += &public_log::markdown(&site);
    }
    print!("{text}");
    if site.is_empty() {
        println!(
            "\nNot scored: the public log site-2015.log and its labels are not in ../shared/data beside this \
             repository. To look elsewhere: SITE_DATA=<folder> make prove-grouping"
        );
    }
    if let Some(arm) = &options.list {
        list(arm, &figures, &scoring)?;
    }
    let seconds = begun.elapsed().as_secs();
    if let Some(file) = &options.json {
        let document = Document {
            version: 1,
            seconds,
            figures: &figures,
            site: &site,
        };
        write(file, &serde_json::to_string(&document)?)?;
    }
    if let Some(file) = &options.snapshot {
        keep(file, &text, &figures)?;
    }
    println!("\n{seconds} seconds.");
    println!("prove-grouping: {}", report::keys(&figures));
    let proven = low(figures.difference("links", "ip_user_agent")) > 0.0;
    Ok(if proven {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn site(folder: Option<&Path>) -> anyhow::Result<Vec<LogRow>> {
    let read = |name: &str| std::fs::read_to_string(folder?.join(name)).ok();
    match (read("site-2015.log"), read("site-2015.labels.tsv")) {
        (Some(log), Some(labels)) => public_log::score(&log, &labels),
        _ => Ok(Vec::new()),
    }
}

fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
}

/// Writes tables and pictures where that is asked for; otherwise says what has changed.
fn keep(file: &Path, text: &str, figures: &Figures) -> anyhow::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("."));
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        for (name, picture) in pictures::all(figures) {
            write(&folder.join("images").join(name), &picture)?;
        }
        return write(file, text);
    }
    let before = std::fs::read_to_string(file).unwrap_or_default();
    let gone = before
        .lines()
        .filter(|line| !text.lines().any(|it| it == *line));
    let come = text
        .lines()
        .filter(|line| !before.lines().any(|it| it == *line));
    let changes: Vec<_> = gone
        .map(|line| format!("- {line}"))
        .chain(come.map(|line| format!("+ {line}")))
        .collect();
    if !changes.is_empty() {
        println!(
            "\nchanged against {}:\n{}",
            file.display(),
            changes.join("\n")
        );
        println!("UPDATE_EXPECT=1 make prove-grouping takes the new figures and pictures over.");
    }
    Ok(())
}

fn list(arm: &str, figures: &Figures, scoring: &[run::Played]) -> anyhow::Result<()> {
    let place = grouping::arms::place(arm);
    let threshold = figures.arm(arm).context("there is no such arm")?.threshold;
    for played in scoring {
        let scene = scenes::ALL.get(played.scene).map_or("", |scene| scene.name);
        for client in &played.clients {
            let Some(steps) = client.steps.get(place) else {
                continue;
            };
            let hit = grouping::score::hit(steps, threshold);
            if hit.is_some() != client.bot {
                let said = hit.or(steps.last());
                println!("{} {scene} {}: {said:?}", played.seed, client.name);
            }
        }
    }
    Ok(())
}
