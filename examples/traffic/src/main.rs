//! The traffic as a program; see `docs/demo.md`.
#![expect(
    clippy::print_stdout,
    reason = "the table and the last line are for people and scripts"
)]

use std::fs::File;
use std::io::BufWriter;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use anyhow::Context;
use clap::Parser;
use traffic::{Cast, Plan, Tcp, Truth, Turnover, run};

/// Plays people, honest machine clients and bots against the demo API.
#[derive(Debug, Parser)]
#[command(version)]
struct Options {
    /// Where to send everything, as `http://host:port`.
    #[arg(long, required_unless_present = "list")]
    target: Option<http::Uri>,
    /// The `Host` of all requests.
    #[arg(long, default_value = "shop.example")]
    host: String,
    /// Makes every client's choices.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Seconds until no further request is sent.
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// Factor on the number of clients; at least one of each actor plays.
    #[arg(long, default_value_t = 1.0)]
    scale: f64,
    /// Story seconds per real second: 10 makes people think ten times as fast.
    #[arg(long, default_value_t = 10.0)]
    time_scale: f64,
    /// File for the ground truth (NDJSON).
    #[arg(long, required_unless_present = "list")]
    truth: Option<PathBuf>,
    /// Who plays instead of everybody: `actor=N` or `actor=N@IP`, separated by commas; `everybody`
    /// among them is the usual cast.
    #[arg(long)]
    cast: Option<String>,
    /// Everybody is there within the first eighth, not the first third.
    #[arg(long)]
    early: bool,
    /// No further request is sent after so many.
    #[arg(long, default_value_t = 1_000_000)]
    requests_max: u64,
    /// Nobody new arrives after so many.
    #[arg(long, default_value_t = 20_000)]
    clients_max: u32,
    /// Prints the actors and ends.
    #[arg(long)]
    list: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let cast = match &options.cast {
        Some(text) => Cast::parse(text)?,
        None => Cast::everybody(options.scale),
    };
    print!("{}", cast.table());
    if options.list {
        return Ok(());
    }
    anyhow::ensure!(
        options.time_scale.is_finite() && options.time_scale > 0.0,
        "--time-scale must be above 0"
    );
    let target = options.target.context("--target is needed")?;
    let path = options.truth.context("--truth is needed")?;
    let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    let authority = target.authority().context("--target needs a host")?;
    let address = format!(
        "{}:{}",
        authority.host(),
        authority.port_u16().unwrap_or(80)
    );
    let plan = Plan {
        seed: options.seed,
        duration: Duration::from_secs(options.seconds),
        time_scale: options.time_scale,
        host: options.host,
        cast,
        turnover: if options.early {
            Turnover::Early
        } else {
            Turnover::Replaced
        },
        requests_max: options.requests_max,
        clients_max: options.clients_max,
        epoch_us: epoch_us(),
    };
    let truth = Truth::new(Box::new(BufWriter::new(file)));
    let (tally, truth) = run(plan, Arc::new(Tcp { address }), truth).await;
    truth
        .context("a client is still playing")?
        .finish()
        .context("the truth is not complete")?;
    println!(
        "traffic: requests={} answered={} failed={} clients={}",
        tally.requests, tally.answered, tally.failed, tally.clients
    );
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place that asks for the time of day"
)]
fn epoch_us() -> u64 {
    let since = std::time::SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}
