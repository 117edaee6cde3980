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

/// Batches that waited for minutes, out of order among each other, and some of them twice.
#[test]
fn late_and_doubled_records_flag_nobody_honest_and_free_no_bot() {
    let mut dice = story::Dice::new(11);
    let make = [
        honest::person,
        honest::app,
        honest::colleague,
        honest::forgetful,
        bots::stuffer,
        bots::scanner,
    ];
    let clients: Vec<_> = (0..120_u64)
        .map(|id| make[usize::try_from(id % 6).unwrap_or(0)](id * 64 + 1, 9, dice.unit() * 3600.0))
        .collect();
    let mut sent = merged(&clients);
    // Each chunk of a worker is delayed by up to five minutes: it moves back in line.
    let mut order: Vec<_> = sent
        .drain(..)
        .enumerate()
        .map(|(at, (client, exchange))| {
            let worker = at / 40 % 3;
            let late = if worker == 0 {
                dice.unit() * 300e6
            } else {
                0.0
            };
            (exchange.start_us as f64 + late, client, exchange)
        })
        .collect();
    order.sort_by(|one, two| one.0.total_cmp(&two.0));
    let doubled = order
        .iter()
        .enumerate()
        .flat_map(|(at, it)| std::iter::repeat_n(it, if at % 10 == 0 { 2 } else { 1 }));
    let mut detection = Detection::new(Settings::default());
    let mut flagged = std::collections::BTreeSet::new();
    for (offset, (_, client, exchange)) in (1..).zip(doubled) {
        let verdicts = detection.observe_exchange(exchange, at(offset));
        if verdicts
            .iter()
            .any(|it| it.flagged && it.session == exchange.session)
        {
            flagged.insert(*client);
        }
    }
    for (index, client) in clients.iter().enumerate() {
        assert_eq!(
            flagged.contains(&index),
            client.bot,
            "{} {index}",
            client.name
        );
    }
}

/// A bot that comes first and often, while the application is learning, from one network: what it
/// does must not become usual.
#[test]
fn the_baseline_cannot_be_taught_by_one_network() {
    let taught = |poison: u64| {
        let mut clients: Vec<Client> = (0..300_u64)
            .map(|id| {
                honest::person(
                    id * 64 + 1,
                    5,
                    f64::from(u32::try_from(id).unwrap_or(0)) * 90.0,
                )
            })
            .collect();
        for id in 0..poison {
            let start = f64::from(u32::try_from(id).unwrap_or(0)) * 60.0;
            let mut bot = bots::scraper(300_000 + id * 64, 5, start);
            for sent in &mut bot.sent {
                sent.client_ip = Some(format!("198.51.100.{}", id % 250 + 1).into());
            }
            clients.push(bot);
        }
        clients.push(bots::scraper(640_001, 7, 30_000.0));
        let late = clients
            .last()
            .and_then(|it| it.sent.first())
            .map(|it| it.session);
        let sent: Vec<_> = merged(&clients).into_iter().map(|(_, it)| it).collect();
        let mut detection = Detection::new(Settings::default());
        let verdicts = run(&mut detection, (1..).zip(sent));
        let own = verdicts
            .iter()
            .filter(|it| Some(it.session) == late && it.flagged);
        own.map(|it| it.requests).min()
    };
    let (clean, poisoned) = (taught(0), taught(400));
    assert!(clean.is_some_and(|it| it <= 60), "{clean:?}");
    // Eight of the network's sessions may be remembered, so the limit moves by little.
    assert!(
        poisoned.zip(clean).is_some_and(|(it, was)| it <= was + 30),
        "{poisoned:?} after {clean:?}"
    );
}

/// A hundred thousand sessions of one address cost as much each at the end as at the beginning.
#[test]
fn one_address_with_a_hundred_thousand_sessions_has_no_cliff() {
    let mut detection = Detection::new(Settings::default());
    let mut part = |from: u64| {
        let begun = Instant::now();
        for number in from..from + 25_000 {
            let mut exchange = exchange(1, i64::try_from(number / 20).unwrap_or(0), "/api/login");
            let [a, b, c, d, e, f, g, h] = number.to_be_bytes();
            exchange.session = Hex([a, b, c, d, e, f, g, h, 0, 0, 0, 0, 0, 0, 0, 1]);
            exchange.request_session = exchange.session;
            exchange.method = Some("POST".into());
            exchange.status = Some(401);
            detection.observe_exchange(&exchange, at(number));
        }
        begun.elapsed()
    };
    let parts = [part(1), part(25_001), part(50_001), part(75_001)];
    assert!(parts[3] < parts[0] * 4, "{parts:?}");
    let counts = detection.counts();
    assert_eq!((counts.addresses, counts.sessions), (1, 100_000));
}

/// Any number of links and users stays within the limits.
#[test]
fn links_and_users_without_end_stay_bounded() {
    let settings = Settings {
        sessions_max: 4000,
        ..Settings::default()
    };
    let mut detection = Detection::new(settings);
    let id = |number: u64| {
        let [a, b, c, d, e, f, g, h] = number.to_be_bytes();
        Hex([a, b, c, d, e, f, g, h, 0, 0, 0, 0, 0, 0, 0, 2])
    };
    for number in 1..60_000_u64 {
        let mut exchange = exchange(1, i64::try_from(number / 50).unwrap_or(0), "/api/cart");
        exchange.keyed = true;
        exchange.session = id(number);
        exchange.request_session = exchange.session;
        exchange.links = [
            Some(id(number / 2)),
            Some(id(number - 1)),
            Some(id(1)),
            Some(id(number)),
        ];
        exchange.user = Some(format!("user-{number}").into());
        detection.observe_exchange(&exchange, at(number));
    }
    let counts = detection.counts();
    assert!(counts.groups <= 500 && counts.users <= 500, "{counts:?}");
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

/// What was looked up counts for a day, and only where the profile names the domain.
#[test]
fn a_confirmed_crawler_is_left_alone() {
    use throughline_detection::verdicts::{Class, Profile};
    let clients = [bots::scanner(1, 3, 0.0)];
    let first = clients.first().and_then(|client| client.sent.first());
    let first = first.expect("a request");
    let ip = first.client_ip.as_deref().unwrap_or_default();
    let hours = |hours: i64| first.start_us + hours * 3600 * 1_000_000;
    let other = "203.0.113.99";
    for (address, domain, at_us, expected) in [
        (ip, "googlebot.com", hours(-23), false),
        (ip, "googlebot.com", hours(23), false),
        (ip, "googlebot.com", hours(-25), true),
        (ip, "search.example", hours(0), true),
        (other, "googlebot.com", hours(0), true),
    ] {
        let mut detection = Detection::new(Settings::default());
        let profile = Profile {
            good_bot_domains: vec!["googlebot.com".to_owned()],
            ..Profile::default()
        };
        detection.set_profile("shop", profile);
        detection.confirm(address.parse().expect("an address"), domain, at_us);
        let text = serde_json::to_string(&detection).expect("a snapshot");
        let mut detection: Detection = serde_json::from_str(&text).expect("its state");
        let sent = merged(&clients).into_iter().map(|(_, it)| it);
        let verdicts = run(&mut detection, (1..).zip(sent));
        assert_eq!(!verdicts.is_empty(), expected, "{address} {domain} {at_us}");
        let good = detection.class(&first.session) == Some(Class::GoodBot);
        assert_eq!(good, !expected);
    }
}
