//! The demo's traffic as an examination; see `docs/EVALUATION.md`.
#![expect(
    clippy::print_stdout,
    reason = "the tables and the last line are for people and scripts"
)]

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Context as _;
use clap::Parser;
use stage::Setup;
use stage::filter::Policy;
use stage::report::Report;
use stage::scene::Scene;
use stage::score::Outcome;

/// Plays the demo's traffic through the filter and detection, and scores the verdicts by true client.
#[derive(Debug, Parser)]
#[command(version)]
struct Options {
    /// Runs, as `301-320` or one number. 1 to 20 are for tuning, 301 to 320 for scoring.
    #[arg(long, default_value = "1-3", value_parser = seeds)]
    seeds: Seeds,
    /// Factor on the number of honest clients.
    #[arg(long, default_value_t = 1.0)]
    scale: f64,
    /// What the filter works by.
    #[arg(long, value_enum, default_value_t = Policy::Complete)]
    policy: Policy,
    /// Runs at the same time; each takes two threads.
    #[arg(long, default_value_t = 2)]
    jobs: usize,
    /// Every client's outcome and all figures, as JSON in this file.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Says how the tables differ from this file; with `UPDATE_EXPECT=1` it is written instead.
    #[arg(long)]
    snapshot: Option<PathBuf>,
    /// Prints what a learnt model makes of each class of bots that it never saw; the first half of
    /// the seeds is learnt from, the second scored.
    #[arg(long)]
    left_out: bool,
    /// Prints the table of the confidence's calibration, fitted on these runs.
    #[arg(long)]
    calibrate: bool,
    /// A limit in place of the detector's own, as `scraping=20`; any number of them.
    #[arg(long, value_parser = limit)]
    limit: Vec<(String, f64)>,
    /// Lists every honest client that was flagged and every bot that was not.
    #[arg(long)]
    list: bool,
}

#[derive(Debug, Clone)]
struct Seeds(Vec<u64>);

fn seeds(text: &str) -> Result<Seeds, String> {
    let number = |text: &str| text.trim().parse::<u64>();
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    match (number(first), number(last)) {
        (Ok(first), Ok(last)) if first <= last && last - first < 1_000 => {
            Ok(Seeds((first..=last).collect()))
        }
        _ => Err("give one number or a range such as 301-320, a thousand at most".to_owned()),
    }
}

fn limit(text: &str) -> Result<(String, f64), String> {
    let read = text.split_once('=').and_then(|(name, number)| {
        let number = number.parse().ok()?;
        Some((name.to_owned(), number))
    });
    read.ok_or_else(|| "give a detector and a number, such as scraping=20".to_owned())
}

#[derive(serde::Serialize)]
struct Document<'a> {
    version: u32,
    report: &'a Report,
    clients: &'a [Outcome],
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let outcomes = perform_all(&options)?;
    let report = Report::of(&outcomes);
    if let Some(file) = &options.json {
        let document = Document {
            version: 1,
            report: &report,
            clients: &outcomes,
        };
        let text = serde_json::to_string(&document)?;
        std::fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))?;
    }
    if options.list {
        list(&outcomes);
    }
    if options.calibrate {
        print!("{}", stage::calibrate::table(&outcomes));
    }
    if options.left_out {
        println!("{}", stage::left_out::table(&outcomes));
    }
    let text = report.markdown();
    print!("{text}");
    if let Some(file) = &options.snapshot {
        compare(file, &text)?;
    }
    println!("stage: {}", report.keys());
    Ok(())
}

/// The outcomes in the order of the seeds, whichever run ends first.
fn perform_all(options: &Options) -> anyhow::Result<Vec<Outcome>> {
    let seeds = &options.seeds.0;
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    let setup = Setup {
        policy: options.policy,
        limits: options.limit.clone(),
        features: options.left_out,
    };
    std::thread::scope(|scope| {
        for _ in 0..options.jobs.clamp(1, 64) {
            scope.spawn(|| {
                while let Some(seed) = seeds.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let scene = Scene::of(*seed, options.scale);
                    let outcome = stage::perform(&scene, &setup);
                    if let Ok(mut done) = done.lock() {
                        done.push((*seed, outcome));
                    }
                }
            });
        }
    });
    let mut done = done
        .into_inner()
        .map_err(|_| anyhow::anyhow!("a run has panicked"))?;
    done.sort_by_key(|(seed, _)| *seed);
    let mut all = Vec::new();
    for (seed, outcomes) in done {
        all.extend(outcomes.with_context(|| format!("seed {seed}"))?);
    }
    Ok(all)
}

fn list(outcomes: &[Outcome]) {
    for it in outcomes {
        let bot = it.client.class == "bot";
        match &it.medium {
            Some(hit) if !bot => println!(
                "wrong: seed {} {} after {} of {} requests, by the {}: {}",
                it.seed,
                it.client.client,
                hit.after_requests,
                it.requests,
                hit.names,
                hit.detectors.join(" ")
            ),
            None if bot => println!(
                "missed: seed {} {}, {} requests in {} sessions, confidence {:.2}",
                it.seed, it.client.client, it.requests, it.sessions, it.confidence
            ),
            _ => {}
        }
    }
}

fn compare(file: &std::path::Path, text: &str) -> anyhow::Result<()> {
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        return std::fs::write(file, text)
            .with_context(|| format!("cannot write {}", file.display()));
    }
    let before =
        std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let (old, new): (Vec<_>, Vec<_>) = (before.lines().collect(), text.lines().collect());
    let gone = old.iter().filter(|line| !new.contains(line));
    let come = new.iter().filter(|line| !old.contains(line));
    let changes: Vec<_> = gone
        .map(|line| format!("- {line}"))
        .chain(come.map(|line| format!("+ {line}")))
        .collect();
    if !changes.is_empty() {
        println!("\nchanged against {}:", file.display());
        println!("{}", changes.join("\n"));
        println!("UPDATE_EXPECT=1 make evaluate takes the new figures over.");
    }
    Ok(())
}
