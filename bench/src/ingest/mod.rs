//! Ingest end to end: the real `throughline serve`, real batches over HTTP, beside a bare append of the
//! same columns in the same run; then acknowledgements at half of that load.

mod bare;
mod send;
mod service;
mod tape;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::json;

use crate::report::{median, write_json};
use send::{Pace, Sent};
use service::Service;
use tape::Tape;

/// Records that are played; sent again in rounds, as other sessions.
const TAPE: usize = 200_000;
/// Between two looks at the memory.
const LOOK: Duration = Duration::from_millis(250);

#[derive(Args)]
pub(crate) struct Arguments {
    /// Records of the run at full speed.
    #[arg(long, env = "BENCH_RECORDS", default_value_t = 2_000_000)]
    records: u64,
    /// Seconds of the run at half speed.
    #[arg(long, env = "BENCH_SECONDS", default_value_t = 30)]
    seconds: u64,
}

/// Memory over time, MiB.
struct Memory(Vec<f64>);

impl Memory {
    fn peak(&self) -> f64 {
        self.0.iter().copied().fold(0.0, f64::max)
    }

    /// The middle of the quarter with this number.
    fn quarter(&self, number: usize) -> f64 {
        let part = self.0.chunks(self.0.len().div_ceil(4).max(1)).nth(number);
        part.map_or(f64::NAN, median)
    }
}

/// Runs the benchmark.
pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let folder = tempfile::Builder::new()
        .prefix("bench-ingest")
        .tempdir_in(demo::repository().join("target"))?;
    let tape = Arc::new(tokio::task::spawn_blocking(|| Tape::record(TAPE)).await??);
    println!(
        "{} records played: {:.1} fields, {:.0} bytes of JSON each",
        tape.records, tape.fields, tape.line_bytes
    );
    let columns = warm_up(folder.path(), &tape).await?;
    let bare = |rows| {
        let (folder, columns) = (folder.path().to_path_buf(), columns.clone());
        tokio::task::spawn_blocking(move || bare::append(&folder, &columns, rows))
    };
    let before = bare(arguments.records).await??;
    let service = Service::start(folder.path(), "data").await?;
    let began = Instant::now();
    let (full, mut memory) = sent(&service, &tape, Pace::Records(arguments.records), 1).await?;
    let acknowledged = full.records as f64 / began.elapsed().as_secs_f64();
    service.stored(full.records).await?;
    let rate = full.records as f64 / began.elapsed().as_secs_f64();
    println!("full speed: {rate:.0} rows/s stored, {acknowledged:.0} acknowledged");
    let after = bare(arguments.records).await??;
    let time = Duration::from_secs(arguments.seconds);
    let pace = Pace::Rate(rate / 2.0, time);
    let (half, at_half) = sent(&service, &tape, pace, 2).await?;
    memory.0.extend(&at_half.0);
    let records = full.records + half.records;
    service.stored(records).await?;
    let data = service.stop().await?;
    let disk = service::bytes(&data)?.saturating_sub(service::bytes(&data.join("log"))?);
    let ratio = rate / ((before + after) / 2.0);
    let at = |share: f64| percentile(&half.ack_ms, share);
    println!("bare append: {before:.0} rows/s before, {after:.0} after");
    println!(
        "half speed, {} s: acknowledged after {:.1} ms in the middle, 95 of 100 within {:.1}; {} times 503",
        arguments.seconds,
        at(0.5),
        at(0.95),
        half.turned_away
    );
    println!(
        "memory at half speed, by quarter: {:.0} {:.0} {:.0} {:.0} MiB",
        at_half.quarter(0),
        at_half.quarter(1),
        at_half.quarter(2),
        at_half.quarter(3)
    );
    let bytes_per_record = disk as f64 / records as f64;
    let (p99, most) = (at(0.99), at(1.0));
    write_json(
        "ingest",
        &json!({
            "records": records, "fields": tape.fields, "line_bytes": tape.line_bytes,
            "bare_before": before, "bare_after": after, "stored_per_s": rate,
            "acknowledged_per_s": acknowledged, "ratio": ratio, "seconds": arguments.seconds,
            "ack_p50_ms": at(0.5), "ack_p99_ms": p99, "ack_max_ms": most,
            "turned_away": full.turned_away + half.turned_away,
            "bytes_per_record": bytes_per_record, "rss_mib": memory.peak(),
            "rss_quarters": (0..4).map(|it| at_half.quarter(it)).collect::<Vec<_>>(),
        }),
    )?;
    println!(
        "bench-ingest: ratio={ratio:.2} ack_p99_ms={p99:.1} ack_max_ms={most:.1} \
         bytes_per_record={bytes_per_record:.1} rss_mib={:.0}",
        memory.peak()
    );
    Ok(())
}

/// Sends, and looks at the memory meanwhile.
async fn sent(
    service: &Service,
    tape: &Arc<Tape>,
    pace: Pace,
    boot: u64,
) -> anyhow::Result<(Sent, Memory)> {
    let mut memory = Memory(Vec::new());
    let sending = send::send(&service.address, tape, pace, boot);
    let mut sending = std::pin::pin!(sending);
    loop {
        tokio::select! {
            sent = &mut sending => return Ok((sent?, memory)),
            () = tokio::time::sleep(LOOK) => memory.0.push(service.rss_mib()?),
        }
    }
}

/// A service of its own stores some records; gives their columns.
async fn warm_up(
    folder: &Path,
    tape: &Arc<Tape>,
) -> anyhow::Result<Vec<duckdb::arrow::record_batch::RecordBatch>> {
    let service = Service::start(folder, "first").await?;
    let pace = Pace::Records(tape.records);
    let first = send::send(&service.address, tape, pace, 1).await?;
    service.stored(first.records).await?;
    let data = service.stop().await?;
    let reading = data.clone();
    let columns = tokio::task::spawn_blocking(move || bare::read(&reading, TAPE)).await??;
    std::fs::remove_dir_all(&data)?;
    Ok(columns)
}

/// Of sorted figures: the one that `share` of them do not exceed.
fn percentile(sorted: &[f64], share: f64) -> f64 {
    let rank = (1..=sorted.len()).find(|rank| *rank as f64 >= share * sorted.len() as f64);
    rank.and_then(|rank| sorted.get(rank - 1))
        .copied()
        .unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::percentile;

    #[test]
    fn percentiles_are_figures_that_were_measured() {
        let figures = [1.0, 2.0, 3.0, 4.0];
        for (share, expected) in [(0.0, 1.0), (0.5, 2.0), (0.51, 3.0), (0.99, 4.0), (1.0, 4.0)] {
            assert!(
                (percentile(&figures, share) - expected).abs() < f64::EPSILON,
                "{share}"
            );
        }
        assert!(percentile(&[], 0.5).is_nan());
    }
}
