//! Prints what detection costs: microseconds per record and bytes per live session.
//! `cargo run --release -p throughline-detection --example bench_detect -- [sessions] [requests]`
#![expect(clippy::print_stdout, reason = "figures are for people")]

use std::time::Instant;

use throughline_detection::event::access_log::Line;
use throughline_detection::{Detection, LogPosition, Settings};
use throughline_session::hex::Hex;

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

fn main() {
    let mut numbers = std::env::args()
        .skip(1)
        .filter_map(|text| text.parse::<u64>().ok());
    let sessions = numbers.next().unwrap_or(200_000);
    let requests = numbers.next().unwrap_or(10);
    let lines = lines();
    let exchanges: Vec<_> = lines
        .iter()
        .filter_map(|line| Some(Line::parse(line)?.exchange("shop")))
        .collect();
    let before = resident_kib();
    let mut detection = Detection::new(Settings {
        sessions_max: 500_000,
        ..Settings::default()
    });
    let (mut offset, mut verdicts) = (0, 0);
    let mut spent = std::time::Duration::ZERO;
    for round in 0..requests {
        for session in 0..sessions {
            let at = usize::try_from(session * 7 + round * 5).unwrap_or(0) % exchanges.len().max(1);
            let Some(mut exchange) = exchanges.get(at).cloned() else {
                continue;
            };
            let [a, b, c, d, e, f, g, h] =
                session.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes();
            exchange.session = Hex([a, b, c, d, e, f, g, h, 1, 2, 3, 4, 5, 6, 7, 8]);
            exchange.request_session = exchange.session;
            exchange.start_us += i64::try_from(round * 9_000_000 + session * 40).unwrap_or(0);
            let address = session.wrapping_mul(7919);
            let text = format!(
                "10.{}.{}.{}",
                address >> 16 & 255,
                address >> 8 & 255,
                address & 255
            );
            exchange.client_ip = Some(text.into());
            offset += 1;
            let begun = Instant::now();
            verdicts += detection
                .observe_exchange(&exchange, LogPosition { offset, index: 0 })
                .len();
            spent += begun.elapsed();
        }
    }
    let counts = detection.counts();
    let records = (sessions * requests).max(1);
    let grown = before
        .zip(resident_kib())
        .map_or(0, |(before, after)| after.saturating_sub(before));
    println!("records {records}, verdicts {verdicts}");
    println!(
        "us_per_record={:.2}",
        spent.as_secs_f64() * 1e6 / records as f64
    );
    println!("bytes_per_session={} (state and key)", counts.session_bytes);
    println!(
        "bytes_per_source={} sources={}",
        counts.source_bytes,
        counts.addresses + counts.subnets
    );
    println!(
        "resident_mib={} for {} sessions",
        grown / 1024,
        counts.sessions
    );
}
