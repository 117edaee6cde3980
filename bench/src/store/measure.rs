//! Fill, start, ask while records come in, restart, tell.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use demo::eventually;
use serde_json::{Value, json};

use super::ask::{Times, Took, ask, p95};
use super::fill::{Filled, bytes, copy, filled};
use super::questions::{Known, Question, all};
use super::sender::{Sent, send};
use super::service::{Service, Start};
use super::{Arguments, Bench};
use crate::report::{median, write_json};

/// Records come in for so long before anything is asked.
const WARM_UP: Duration = Duration::from_secs(5);

/// How long detection may take to judge the latest two million records.
const JUDGE_MAX: Duration = Duration::from_secs(3600);

/// What one size gave.
struct Measured {
    records: u64,
    disk_bytes: u64,
    first_start: Start,
    left_bytes: u64,
    stop_s: f64,
    restarts: Vec<Start>,
    /// Records a second that came in meanwhile.
    rate: u64,
    ack_max_ms: u64,
    questions: Arc<Vec<Question>>,
    times: Times,
}

/// Runs a benchmark.
pub(crate) async fn run(bench: Bench, arguments: &Arguments) -> anyhow::Result<()> {
    let mut all = Vec::new();
    for records in &arguments.records {
        all.push(one_size(bench, arguments, *records).await?);
    }
    for measured in &all {
        print_table(bench, measured);
    }
    write_json(
        bench.name(),
        &Value::Array(all.iter().map(json_of).collect()),
    )?;
    if let Some(last) = all.last() {
        let mut line = format!("bench-{}: records={}", bench.name(), last.records);
        for group in bench.line() {
            write!(line, " {group}_p95_ms={:.0}", worst(last, group))?;
        }
        println!("{line}");
    }
    Ok(())
}

async fn one_size(bench: Bench, arguments: &Arguments, records: u64) -> anyhow::Result<Measured> {
    let filled = tokio::task::spawn_blocking(move || filled(records)).await??;
    judge(&filled).await?;
    // Beside the store: links do not go from one disk to another.
    let data = tempfile::Builder::new()
        .prefix("run-")
        .tempdir_in(demo::repository().join("target/bench"))?;
    copy(&filled, data.path()).context("copying the store")?;
    let disk_bytes = bytes(data.path())?;
    let (service, first_start) = Service::start(data.path()).await?;
    let known = Arc::new(known(&service, &filled).await?);
    let questions: Vec<_> = all(&known)
        .into_iter()
        .filter(|it| format!("{}: {}", it.group, it.name).contains(&arguments.only))
        .collect();
    let questions = Arc::new(questions);
    let sent = Arc::new(Sent::default());
    let wanted = arguments.rate.unwrap_or_else(|| bench.records_per_s());
    if wanted == 0 {
        sent.stop();
    }
    let sending = tokio::spawn(send(service.http.clone(), wanted.max(1), Arc::clone(&sent)));
    let began = Instant::now();
    tokio::time::sleep(WARM_UP).await;
    let times = ask(&service, &questions, arguments.rounds, bench.clients()).await?;
    sent.stop();
    sending.await??;
    let seconds = began.elapsed().as_secs_f64();
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rate for people"
    )]
    let rate = (sent.records.load(Ordering::Acquire) as f64 / seconds) as u64;
    let left = service.http.json::<Value>("/v1/status").await?;
    let left_bytes = left["log"]["waiting_bytes"].as_u64().unwrap_or_default();
    let stopping = Instant::now();
    service.stop().await?;
    let stop_s = stopping.elapsed().as_secs_f64();
    let mut restarts = Vec::new();
    if let Bench::Query = bench {
        // Where the load was too much, the first has something left to store.
        for _ in 0..2 {
            let (service, start) = Service::start(data.path()).await?;
            service.stop().await?;
            restarts.push(start);
        }
    }
    Ok(Measured {
        records,
        disk_bytes,
        first_start,
        left_bytes,
        stop_s,
        restarts,
        rate,
        ack_max_ms: sent.ack_max_ms.load(Ordering::Acquire),
        questions,
        times,
    })
}

/// Lets detection judge the latest of what was filled in, once: a service that ran before has done so,
/// and its snapshot is copied with the store.
async fn judge(filled: &Filled) -> anyhow::Result<()> {
    if filled.folder.join("detection").exists() {
        return Ok(());
    }
    let (service, _) = Service::start(&filled.folder).await?;
    let http = &service.http;
    eventually("detection has judged the store", JUDGE_MAX, async || {
        let status: Value = http.json("/v1/status").await.ok()?;
        (status["detection"]["caught_up"] == true).then_some(())
    })
    .await?;
    service.stop().await
}

/// Requests of sessions all over the store.
async fn known(service: &Service, filled: &Filled) -> anyhow::Result<Known> {
    let mut known = Known::default();
    for day in 0..7 {
        let to_us = filled.end_us - day * 86_400_000_000;
        let to = throughline::time::text(i64::try_from(to_us)?);
        let page: Value = service
            .http
            .json(&format!("/v1/sessions?limit=20&q=to:{to}"))
            .await?;
        for item in page["items"].as_array().into_iter().flatten() {
            let id = item["session"].as_str().unwrap_or_default();
            let path = format!("/v1/sessions/{id}/requests?limit=1");
            known.add(&service.http.json(&path).await?);
        }
    }
    Ok(known)
}

fn clock(times: &[Took]) -> Vec<f64> {
    times.iter().map(|it| it.ms).collect()
}

/// 95th percentile of the slowest question of a group.
fn worst(measured: &Measured, group: &str) -> f64 {
    let of_group = measured.times.iter().filter(|(number, _)| {
        measured
            .questions
            .get(**number)
            .is_some_and(|it| it.group == group)
    });
    of_group
        .map(|(_, times)| p95(&clock(times)))
        .fold(f64::NAN, f64::max)
}

#[expect(clippy::cast_precision_loss, reason = "for people")]
fn print_table(bench: Bench, measured: &Measured) {
    println!(
        "\n{} records, {} bytes each; {} a second came in, the longest acknowledgement took {} ms",
        measured.records,
        measured.disk_bytes / measured.records.max(1),
        measured.rate,
        measured.ack_max_ms
    );
    println!(
        "first start: accepts after {:.1} s, ready after {:.1} s",
        measured.first_start.accepts_s, measured.first_start.ready_s
    );
    println!(
        "stop: after {:.1} s, with {} MiB of the log not stored before",
        measured.stop_s,
        measured.left_bytes >> 20
    );
    for start in &measured.restarts {
        println!(
            "restart: accepts after {:.1} s, ready after {:.1} s",
            start.accepts_s, start.ready_s
        );
    }
    println!(
        "{:<14} {:<34} {:>8} {:>8} {:>8} {:>8}  ({} clients)",
        "",
        "ms",
        "median",
        "p95",
        "most",
        "cpu",
        bench.clients()
    );
    for (number, times) in &measured.times {
        if let Some(question) = measured.questions.get(*number) {
            let clock = clock(times);
            let cpu_ms: f64 = times.iter().map(|it| it.cpu_ms).sum();
            println!(
                "{:<14} {:<34} {:>8.0} {:>8.0} {:>8.0} {:>8.0}",
                question.group,
                question.name,
                median(&clock),
                p95(&clock),
                clock.iter().copied().fold(f64::NAN, f64::max),
                cpu_ms / times.len() as f64
            );
        }
    }
}

fn json_of(measured: &Measured) -> Value {
    let starts = |start: &Start| json!({"accepts_s": start.accepts_s, "ready_s": start.ready_s});
    let times: BTreeMap<_, _> = measured
        .times
        .iter()
        .filter_map(|(number, times)| {
            let question = measured.questions.get(*number)?;
            let name = format!("{}: {}", question.group, question.name);
            Some((name, clock(times)))
        })
        .collect();
    json!({
        "records": measured.records, "disk_bytes": measured.disk_bytes,
        "records_per_s": measured.rate, "ack_max_ms": measured.ack_max_ms,
        "first_start": starts(&measured.first_start),
        "stop_s": measured.stop_s, "left_bytes": measured.left_bytes,
        "restarts": measured.restarts.iter().map(starts).collect::<Vec<_>>(), "times_ms": times,
    })
}
