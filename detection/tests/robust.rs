//! Bad input and restarts: memory stays bounded, nothing falls off a cliff, and the state put
//! back from a snapshot judges as the one it was taken from.

#[expect(dead_code, reason = "each test binary uses its part of the stories")]
mod story;

use std::time::Instant;

use story::{Client, START_US, bots, honest, merged};
use throughline_detection::verdicts::Verdict;
use throughline_detection::{Detection, Exchange, LogPosition, Settings};
use throughline_session::hex::Hex;

fn scene() -> Vec<Client> {
    let mut clients = Vec::new();
    for id in 0..60 {
        let start = f64::from(u32::try_from(id).unwrap_or(0)) * 40.0;
        let make = match id % 6 {
            0 => bots::stuffer,
            1 => bots::enumerator,
            2 => bots::scraper,
            3 => bots::low_and_slow,
            _ => honest::person,
        };
        clients.push(make(id * 64 + 1, 9, start));
    }
    clients
}

fn at(offset: u64) -> LogPosition {
    LogPosition { offset, index: 0 }
}

fn run<'a>(
    detection: &mut Detection,
    exchanges: impl Iterator<Item = (u64, &'a Exchange<'static>)>,
) -> Vec<Verdict> {
    exchanges
        .flat_map(|(offset, exchange)| detection.observe_exchange(exchange, at(offset)))
        .collect()
}

fn exchange(client: u64, seconds: i64, path: &str) -> Exchange<'static> {
    let mut made = Client::new(client, "any", 0.0);
    made.send("GET", path, 200, false);
    let mut exchange = made.sent.remove(0);
    exchange.start_us = START_US + seconds * 1_000_000;
    exchange
}

#[test]
fn a_restart_changes_no_verdict_and_a_replay_makes_none() {
    let clients = scene();
    let all: Vec<_> = (1..)
        .zip(merged(&clients).into_iter().map(|(_, it)| it))
        .collect();
    let mut whole = Detection::new(Settings::default());
    let expected = run(&mut whole, all.iter().copied());
    assert!(expected.len() > 20);
    for cut in [1, 100, all.len() / 2, all.len() - 1] {
        let (before, after) = all.split_at(cut);
        let mut first = Detection::new(Settings::default());
        let mut verdicts = run(&mut first, before.iter().copied());
        let snapshot = serde_json::to_string(&first).unwrap_or_default();
        let mut second: Detection = serde_json::from_str(&snapshot).expect("a snapshot is read");
        // The log is replayed from a little before the snapshot.
        let again = before.iter().rev().take(50).rev().copied();
        assert_eq!(run(&mut second, again), []);
        verdicts.extend(run(&mut second, after.iter().copied()));
        assert_eq!(verdicts, expected, "cut at {cut}");
    }
}

#[test]
fn clocks_that_jump_do_no_harm() {
    let mut detection = Detection::new(Settings::default());
    let times = [
        0,
        5,
        4,
        -7200,
        3,
        i64::MAX / 4_000_000,
        6,
        i64::MIN / 4_000_000,
        7,
        8,
        9,
    ];
    for (offset, seconds) in (1..).zip(times.iter().cycle().take(2000)) {
        let exchange = exchange(1, *seconds, "/api/cart");
        assert_eq!(detection.observe_exchange(&exchange, at(offset)), []);
    }
    assert!(detection.features(&exchange(1, 0, "/").session).is_some());
}

#[test]
fn late_records_do_not_make_a_person_a_bot() {
    let clients = [honest::person(1, 3, 0.0)];
    let mut sent: Vec<_> = merged(&clients).into_iter().map(|(_, it)| it).collect();
    sent.reverse();
    let mut detection = Detection::new(Settings::default());
    let verdicts = run(&mut detection, (1..).zip(sent));
    assert!(verdicts.iter().all(|verdict| verdict.confidence < 0.8));
}

#[test]
fn a_session_of_a_million_requests_costs_no_more_at_its_end() {
    let mut detection = Detection::new(Settings::default());
    let mut part = |from: u64| {
        let begun = Instant::now();
        for offset in from..from + 100_000 {
            let seconds = i64::try_from(offset / 5).unwrap_or(0);
            let exchange = exchange(1, seconds, "/api/cart");
            detection.observe_exchange(&exchange, at(offset));
        }
        begun.elapsed()
    };
    let first = part(1);
    for tenth in 1..9 {
        part(tenth * 100_000 + 1);
    }
    assert!(part(900_001) < first * 4);
    assert_eq!(detection.counts().sessions, 1);
}

#[test]
fn one_address_with_many_sessions_and_any_paths_stays_bounded() {
    let settings = Settings {
        sessions_max: 5000,
        sources_max: 100,
        ..Settings::default()
    };
    let mut detection = Detection::new(settings);
    for offset in 1..100_000_u64 {
        let path = format!("/{:x}/{}", offset.wrapping_mul(0x9e37_79b9), offset % 977);
        let mut exchange = exchange(1, i64::try_from(offset / 50).unwrap_or(0), &path);
        let [a, b, c, d, e, f, g, h] = offset.to_be_bytes();
        exchange.session = Hex([a, b, c, d, e, f, g, h, 0, 0, 0, 0, 0, 0, 0, 1]);
        exchange.request_session = exchange.session;
        exchange.client_ip = Some(format!("2001:db8:{:x}::1", offset % 60_000).into());
        exchange.application = format!("app-{}", offset % 1000).into();
        detection.observe_exchange(&exchange, at(offset));
    }
    let counts = detection.counts();
    assert!(counts.sessions <= 5000 && counts.addresses <= 100 && counts.subnets <= 100);
    assert_eq!(counts.sessions_evicted, 99_999 - 5000);
}

#[test]
fn our_own_refusals_and_outages_feed_nothing() {
    for (status, flags) in [(403, 0), (429, 1 << 11), (503, 1 << 1), (504, 1 << 2)] {
        let mut detection = Detection::new(Settings::default());
        for offset in 1..200 {
            let mut exchange = exchange(1, i64::try_from(offset).unwrap_or(0), "/api/login");
            exchange.method = Some("POST".into());
            exchange.status = Some(status);
            exchange.flags = flags;
            exchange.upstream_answered = Some(false);
            assert_eq!(detection.observe_exchange(&exchange, at(offset)), []);
        }
        assert_eq!(detection.counts().sessions, 0, "{status}");
    }
}

#[test]
fn an_exception_makes_no_verdict() {
    use throughline_detection::verdicts::{Exception, Profile};
    let clients = [bots::scanner(1, 3, 0.0)];
    let ip = clients
        .first()
        .and_then(|client| client.sent.first()?.client_ip.clone());
    let network = throughline_detection::verdicts::Network {
        address: ip.unwrap_or_default().parse().expect("an address"),
        bits: 32,
    };
    let off = vec!["scanning".to_owned(), "enumeration".to_owned()];
    for (profile, expected) in [
        (Profile::default(), true),
        (
            Profile {
                exceptions: vec![Exception::Network(network)],
                ..Profile::default()
            },
            false,
        ),
        (
            Profile {
                good_bots: vec![network],
                ..Profile::default()
            },
            false,
        ),
        (
            Profile {
                off,
                ..Profile::default()
            },
            false,
        ),
    ] {
        let mut detection = Detection::new(Settings::default());
        detection.set_profile("shop", profile);
        let sent = merged(&clients).into_iter().map(|(_, it)| it);
        let verdicts = run(&mut detection, (1..).zip(sent));
        assert_eq!(!verdicts.is_empty(), expected);
    }
}
