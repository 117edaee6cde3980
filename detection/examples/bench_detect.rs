//! Prints what detection costs: microseconds per record and bytes per live session.
//! `cargo run --release -p throughline-detection --example bench_detect -- [sessions] [requests]`
//!
//! Twice the same records: sessions in waves of 2,000 at a time, as visitors come and go, and all
//! sessions in turn, so that hardly any state is in the processor's caches: the worst case.
#![expect(clippy::print_stdout, reason = "figures are for people")]

use throughline_detection::detection::Counts;
use throughline_detection::event::access_log::Line;
use throughline_detection::{Detection, Exchange, LogPosition, Settings};
use throughline_session::hex::Hex;

/// Nanoseconds that this process had a processor.
fn processor_ns() -> u64 {
    let text = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let first = text.split_whitespace().next();
    first.and_then(|number| number.parse().ok()).unwrap_or(0)
}

fn resident_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

fn lines() -> Vec<String> {
    let paths = [
        "/",
        "/assets/app.js",
        "/product/17",
        "/api/products/17",
        "/api/cart",
        "/images/a.png",
    ];
    let agent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/145.0 Safari/537.36";
    let line = |path: &&str| {
        format!(
            r#"h - - [01/Mar/2026:00:00:00 +0000] "GET {path} HTTP/1.1" 200 512 "http://shop.example/" "{agent}""#
        )
    };
    paths.iter().map(line).collect()
}

/// Gives an exchange its client and time.
fn place(exchange: &mut Exchange<'_>, session: u64, round: u64) {
    let [a, b, c, d, e, f, g, h] = session.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes();
    exchange.session = Hex([a, b, c, d, e, f, g, h, 1, 2, 3, 4, 5, 6, 7, 8]);
    exchange.request_session = exchange.session;
    exchange.start_us += i64::try_from(round * 9_000_000 + session * 40).unwrap_or(0);
    let address = session.wrapping_mul(7919);
    let [_, one, two, three, ..] = (address << 32).to_be_bytes();
    exchange.client_ip = Some(format!("10.{one}.{two}.{three}").into());
}

fn run(sessions: u64, requests: u64, wave: u64) -> (f64, Counts, Option<u64>) {
    let lines = lines();
    let parsed = lines.iter().filter_map(|line| Line::parse(line));
    let exchanges: Vec<_> = parsed.map(|line| line.exchange("shop")).collect();
    let mut detection = Detection::new(Settings::default());
    let mut offset = 0;
    let begun = processor_ns();
    for first in (0..sessions).step_by(usize::try_from(wave).unwrap_or(1)) {
        for round in 0..requests {
            for session in first..sessions.min(first + wave) {
                let at = usize::try_from(session * 7 + round * 5).unwrap_or(0);
                let Some(mut exchange) = exchanges.get(at % exchanges.len()).cloned() else {
                    continue;
                };
                place(&mut exchange, session, round);
                offset += 1;
                detection.observe_exchange(&exchange, LogPosition { offset, index: 0 });
            }
        }
    }
    let spent = processor_ns().saturating_sub(begun);
    let each = spent as f64 / 1e3 / offset as f64;
    (each, detection.counts(), resident_kib())
}

fn main() {
    let mut numbers = std::env::args()
        .skip(1)
        .filter_map(|text| text.parse::<u64>().ok());
    let sessions = numbers.next().unwrap_or(200_000).max(1);
    let requests = numbers.next().unwrap_or(10).max(1);
    let before = resident_kib();
    let (cold, counts, after) = run(sessions, requests, sessions);
    let grown = before
        .zip(after)
        .map_or(0, |(before, now)| now.saturating_sub(before));
    let (warm, ..) = run(sessions, requests, 2000);
    println!("us_per_record={warm:.2} in waves of 2,000 sessions");
    println!("us_per_record_cold={cold:.2} all sessions in turn");
    println!(
        "bytes_per_session={} (state and keys)",
        counts.session_bytes
    );
    let sources = counts.addresses + counts.subnets;
    println!(
        "bytes_per_source={}, {sources} of them",
        counts.source_bytes
    );
    println!(
        "grown_mib={} for {} sessions",
        grown / 1024,
        counts.sessions
    );
}
