//! Prints what detection costs; `make bench-detect` runs it, `docs/BENCHMARKS.md` explains it.
//!
//! The same records three times: all sessions in turn, so that hardly any state is in the
//! processor's caches (the worst case, which also fills the memory); in waves of 2,000 sessions, as
//! visitors come and go; and only read from their JSON, as a measure of the machine. Only the
//! calls are timed, not the making of records, by the time that the process had a processor.
#![expect(clippy::print_stdout, reason = "figures are for people")]

use std::borrow::Cow;

use throughline_detection::detection::Counts;
use throughline_detection::{Detection, LogPosition, Settings};
use throughline_session::hex::Hex;
use throughline_session::wire::{Link, LinkKind, Param, ParameterKind, Record, SessionId};

/// Records that are made before they are timed together.
const CHUNK: u64 = 2_048;
/// Sessions at the same time in the ordinary case.
const WAVE: u64 = 2_000;
const AGENTS: [&str; 3] = [
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/145.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605.1.15 Version/17.5 Safari/605.1.15",
    "shop-app/4.2 (Android 15)",
];
const PATHS: [(&str, &str, u16); 8] = [
    ("GET", "/", 200),
    ("GET", "/assets/app.js", 200),
    ("GET", "/product/17", 200),
    ("GET", "/api/products/17", 200),
    ("GET", "/api/products/1408/reviews", 200),
    ("POST", "/api/cart/items", 201),
    ("GET", "/images/a.png", 304),
    ("POST", "/api/login", 401),
];

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

/// One record line for each path, as the filter writes it.
fn lines() -> Vec<String> {
    let line = |(at, (method, path, status)): (usize, &(&str, &str, u16))| {
        let agent = AGENTS[at % AGENTS.len()];
        format!(
            r#"{{"index":0,"start_us":1772442000000000,"application":"shop","request_id":"0184808f-d65d-4ec9-8f93-12cfde29af31","method":"{method}","scheme":"https","host":"shop.example","path":"{path}","query_names":["page"],"query_hash":"00000000000000a{at}","protocol":"HTTP/2","status":{status},"response_bytes":512,"duration_us":9000,"upstream_us":7000,"client_ip":"203.0.113.7","user_agent":"{agent}","referer_host":"shop.example","content_type":"application/json","key":"session_cookie","request_session":"000000000000000000000000000000aa","session":"000000000000000000000000000000aa"}}"#
        )
    };
    PATHS.iter().enumerate().map(line).collect()
}

fn id(session: u64) -> SessionId {
    let [a, b, c, d, e, f, g, h] = session.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes();
    Hex([a, b, c, d, e, f, g, h, 1, 2, 3, 4, 5, 6, 7, 8])
}

/// Whom a session belongs with: one in four has a user, every user two sessions; one in sixteen
/// has taken over from the one before.
fn belonging(session: u64) -> (Vec<Param<'static>>, Vec<Link<'static>>) {
    let user = Param {
        name: "user".into(),
        value: format!("user-{}", session / 8).into(),
        kind: ParameterKind::User,
        forgeable: false,
    };
    let link = Link {
        kind: LinkKind::Refresh,
        session: id(session.saturating_sub(1)),
        key: "session_cookie".into(),
    };
    let users = session
        .is_multiple_of(4)
        .then_some(user)
        .into_iter()
        .collect();
    let links = (session % 16 == 1).then_some(link).into_iter().collect();
    (users, links)
}

/// A record of its session, address and time.
fn placed<'a>(record: &Record<'a>, session: u64, round: u64) -> Record<'a> {
    let (params, links) = belonging(session);
    let id = id(session);
    let [_, one, two, three, ..] = (session.wrapping_mul(7919) << 32).to_be_bytes();
    let after_us = i64::try_from(round * 9_000_000 + session * 40).unwrap_or(0);
    Record {
        session: id,
        request_session: id,
        params,
        links,
        start_us: record.start_us + after_us,
        client_ip: Some(Cow::Owned(format!("10.{one}.{two}.{three}"))),
        ..record.clone()
    }
}

/// Microseconds per record, what is in memory then, and KiB resident.
fn run(
    sessions: u64,
    requests: u64,
    wave: u64,
    records: &[Record<'_>],
) -> (f64, Counts, Option<u64>) {
    let mut detection = Detection::new(Settings::default());
    let (mut offset, mut spent) = (0, 0);
    for first in (0..sessions).step_by(usize::try_from(wave).unwrap_or(1)) {
        for round in 0..requests {
            let end = sessions.min(first + wave);
            for from in (first..end).step_by(usize::try_from(CHUNK).unwrap_or(1)) {
                let chunk = (from..end.min(from + CHUNK)).map(|session| {
                    let at = usize::try_from(session * 7 + round * 5).unwrap_or(0);
                    placed(&records[at % records.len()], session, round)
                });
                let chunk: Vec<_> = chunk.collect();
                let begun = processor_ns();
                for record in &chunk {
                    offset += 1;
                    detection.observe(record, LogPosition { offset, index: 0 });
                }
                spent += processor_ns().saturating_sub(begun);
            }
        }
    }
    let each = spent as f64 / 1e3 / offset as f64;
    (each, detection.counts(), resident_kib())
}

/// Microseconds to read one record from its line.
fn reading(lines: &[String]) -> f64 {
    const TIMES: u32 = 200_000;
    let begun = processor_ns();
    let mut bytes = 0;
    for line in lines.iter().cycle().take(TIMES as usize) {
        let record = serde_json::from_str::<Record<'_>>(line);
        bytes += record.map_or(0, |record| record.response_bytes);
    }
    std::hint::black_box(bytes);
    processor_ns().saturating_sub(begun) as f64 / 1e3 / f64::from(TIMES)
}

fn main() {
    let arguments = std::env::args().skip(1);
    let mut numbers = arguments.filter_map(|text| text.parse::<u64>().ok());
    let sessions = numbers.next().unwrap_or(500_000).max(1);
    let requests = numbers.next().unwrap_or(10).max(1);
    let lines = lines();
    let records: Vec<Record<'_>> = lines
        .iter()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    assert_eq!(records.len(), PATHS.len(), "the lines are records");
    let before = resident_kib();
    let (cold, counts, after) = run(sessions, requests, sessions, &records);
    let grown_kib = before
        .zip(after)
        .map_or(0, |(before, now)| now.saturating_sub(before));
    let (warm, ..) = run(sessions, requests, WAVE, &records);
    let read = reading(&lines);
    let grown_bytes = grown_kib * 1024 / sessions;
    println!("{sessions} sessions of {requests} requests each");
    println!("{warm:.2} µs per record in waves of {WAVE} sessions");
    println!("{cold:.2} µs per record, all sessions in turn");
    println!(
        "{read:.2} µs to read the record from JSON: {:.2} times that in waves",
        warm / read
    );
    println!(
        "{} bytes per live session (state and keys), {} per address or network",
        counts.session_bytes, counts.source_bytes
    );
    println!(
        "{} sessions, {} groups, {} users, {} addresses, {} networks: {} MiB, {grown_bytes} bytes for each session",
        counts.sessions,
        counts.groups,
        counts.users,
        counts.addresses,
        counts.subnets,
        grown_kib / 1024
    );
    let json = format!(
        r#"{{"version":1,"sessions":{sessions},"requests_each":{requests},"us_per_record":{warm:.3},"us_per_record_cold":{cold:.3},"us_read_json":{read:.3},"bytes_per_session":{},"bytes_per_source":{},"grown_bytes_per_session":{grown_bytes},"rss_mib":{}}}"#,
        counts.session_bytes,
        counts.source_bytes,
        after.unwrap_or(0) / 1024
    );
    let written = std::fs::create_dir_all("target/bench")
        .and_then(|()| std::fs::write("target/bench/detect.json", json + "\n"));
    if let Err(error) = written {
        println!("target/bench/detect.json could not be written: {error}");
    }
    println!(
        "bench-detect: us_per_record={warm:.2} bytes_per_session={} rss_mib_500k={}",
        counts.session_bytes,
        after.unwrap_or(0) / 1024
    );
}
