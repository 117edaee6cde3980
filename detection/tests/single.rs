//! Detectors one by one: what they see, what they do not, and when they keep silent.

#[expect(dead_code, reason = "each test binary uses its part of the stories")]
mod story;

use story::{Client, Dice, honest, merged};
use throughline_detection::verdicts::{BotType, Class, Profile, Sensitivity, Verdict};
use throughline_detection::{Detection, LogPosition, Settings};
use throughline_session::shape::mark;

const BROWSER: &[&str] = &[
    "user-agent",
    "accept",
    "accept-language",
    "accept-encoding",
    "sec-fetch-mode",
    "sec-fetch-site",
    "sec-fetch-dest",
    "sec-ch-ua",
    "sec-ch-ua-mobile",
    "sec-ch-ua-platform",
    "priority",
];

fn with_headers(mut client: Client, names: &[&str]) -> Client {
    let marks = names.iter().map(|name| mark(name)).sum();
    for sent in &mut client.sent {
        sent.header_marks = Some(marks);
    }
    client
}

/// People with what their browsers send, over half a day.
fn people(headers: &[&str]) -> Vec<Client> {
    (0..300)
        .map(|at| {
            let start = f64::from(u32::try_from(at).unwrap_or(0)) * 120.0;
            let mut person = with_headers(honest::person(at * 64 + 1, 5, start), headers);
            for sent in &mut person.sent {
                sent.upstream_us = Some(20_000);
            }
            person
        })
        .collect()
}

/// What is said of the last of some clients, at sensitivity high, where everything can be seen.
fn said(clients: Vec<Client>, last: Client) -> (Vec<Verdict>, usize) {
    said_without(&[], clients, last)
}

/// The same with some detectors off.
fn said_without(off: &[&str], mut clients: Vec<Client>, last: Client) -> (Vec<Verdict>, usize) {
    let session = last.sent.last().map(|it| it.session);
    clients.push(last);
    let mut detection = Detection::new(Settings::default());
    let sensitivity = Sensitivity::High;
    let off = off.iter().map(|&name| name.to_owned()).collect();
    detection.set_profile(
        "shop",
        Profile {
            sensitivity,
            off,
            ..Profile::default()
        },
    );
    let mut verdicts = Vec::new();
    for (offset, (_, exchange)) in (1..).zip(merged(&clients)) {
        let position = LogPosition { offset, index: 0 };
        verdicts.extend(detection.observe_exchange(exchange, position));
    }
    let all = verdicts.iter().filter(|it| it.confidence >= 0.8).count();
    verdicts.retain(|it| Some(it.session) == session);
    let own = verdicts.iter().filter(|it| it.confidence >= 0.8).count();
    (verdicts, all - own)
}

fn names(verdicts: &[Verdict]) -> Vec<&'static str> {
    let votes = verdicts.iter().flat_map(|it| &it.votes);
    votes.map(|it| it.detector).collect()
}

/// Late enough for the application to be known.
const LATE: f64 = 30_000.0;
const ID: u64 = 640_001;

fn asks(client: Client, count: usize, every: f64, path: impl Fn(usize) -> String) -> Client {
    let mut client = client;
    for number in 0..count {
        client.wait(every);
        client.send("GET", &path(number), 200, false);
    }
    client
}

#[test]
fn a_program_under_a_browsers_name_is_seen_by_its_headers() {
    let program: &[&str] = &["user-agent", "accept", "accept-encoding"];
    let copied: Vec<_> = BROWSER
        .iter()
        .copied()
        .filter(|it| *it != "accept-language")
        .collect();
    for (mine, others, confidence, name) in [
        (program, BROWSER, 0.8..1.0, "a program"),
        (BROWSER, BROWSER, 0.0..0.1, "a browser"),
        (&copied, BROWSER, 0.0..0.1, "a browser without a language"),
        // Over plain HTTP browsers send no fetch metadata: only the language is missing.
        (
            program,
            program,
            0.0..0.1,
            "a program where nobody sends them",
        ),
    ] {
        let client = Client::new(ID, "masked", LATE);
        let client = with_headers(asks(client, 6, 2.0, |_| "/api/cart".to_owned()), mine);
        let (verdicts, wrong) = said(people(others), client);
        let most = verdicts.iter().map(|it| it.confidence).fold(0.0, f64::max);
        assert!(
            confidence.contains(&most),
            "{name}: {most} {:?}",
            names(&verdicts)
        );
        assert_eq!(wrong, 0, "{name}");
        if most >= 0.8 {
            assert_eq!(verdicts[0].bot_type, BotType::SuspiciousActivity);
        }
    }
}

#[test]
fn floods_of_work_and_bytes_are_named_and_little_is_not() {
    for (upstream_us, bytes, expected) in [
        (2_000_000, 1000, Some("request_consumption")),
        (20_000, 40 << 20, Some("response_consumption")),
        (20_000, 1000, None),
    ] {
        let client = Client::new(ID, "heavy", LATE);
        let mut client = asks(client, 200, 0.5, |_| "/api/cart".to_owned());
        for sent in &mut client.sent {
            sent.upstream_us = Some(upstream_us);
            sent.response_bytes = bytes;
        }
        let (verdicts, _) = said(people(BROWSER), client);
        let found = verdicts
            .iter()
            .find(|it| it.bot_type == BotType::ResourceConsumption);
        assert_eq!(
            found
                .map(|it| it.votes[0].detector)
                .filter(|_| expected.is_some()),
            expected
        );
        assert_eq!(found.is_some(), expected.is_some());
    }
}

#[test]
fn a_search_that_is_worked_through_is_seen() {
    for (count, expected) in [(400, true), (60, false)] {
        let client = Client::new(ID, "searcher", LATE);
        let client = asks(client, count, 1.0, |n| format!("/api/search?q={n}"));
        let (verdicts, _) = said_without(&["scraping", "enumeration"], people(BROWSER), client);
        assert_eq!(
            names(&verdicts).contains(&"query_abuse"),
            expected,
            "{count}"
        );
    }
}

#[test]
fn a_guessed_account_that_is_put_to_use_is_a_takeover() {
    for (failures, used, expected) in [(8, true, true), (8, false, false), (4, true, false)] {
        let mut dice = Dice::new(5);
        let mut client = Client::new(ID, "takeover", LATE).keyed();
        for _ in 0..failures {
            client.send("POST", "/api/login", 401, false);
            client.wait(dice.pause(4.0, 0.6));
        }
        client.send("POST", "/api/login", 200, false);
        for _ in 0..3 {
            client.wait(dice.pause(4.0, 0.6));
            let (method, path) = if used {
                ("PUT", "/api/me")
            } else {
                ("GET", "/api/orders")
            };
            client.send(method, path, 200, false);
        }
        let (verdicts, _) = said(people(BROWSER), client);
        assert_eq!(
            names(&verdicts).contains(&"account_takeover"),
            expected,
            "{failures} {used}"
        );
    }
}

/// Signs of a machine alone are never a verdict: honest clients are machines.
#[test]
fn machines_that_do_nothing_bad_get_no_verdict() {
    type Make = fn(u64, u64, f64) -> Client;
    let makes: [Make; 5] = [
        honest::health,
        honest::poller,
        honest::webhook,
        honest::sync,
        honest::crawler,
    ];
    for make in makes {
        let client = make(ID, 5, LATE);
        let name = client.name;
        let (verdicts, _) = said(people(BROWSER), client);
        let most = verdicts.iter().map(|it| it.confidence).fold(0.0, f64::max);
        assert!(most < 0.8, "{name}: {most} {:?}", names(&verdicts));
    }
}

#[test]
fn known_machines_and_good_bots_have_their_names() {
    let mut detection = Detection::new(Settings::default());
    let client = asks(Client::new(ID, "job", 0.0).keyed(), 100, 60.0, |_| {
        "/api/orders".to_owned()
    });
    let session = client.sent[0].session;
    assert_eq!(detection.class(&session), None);
    for (offset, exchange) in (1..).zip(&client.sent) {
        detection.observe_exchange(exchange, LogPosition { offset, index: 0 });
        if offset == 10 {
            assert_eq!(detection.class(&session), Some(Class::Unknown));
        }
    }
    assert_eq!(detection.class(&session), Some(Class::KnownMachine));
    let address = client.sent[0].client_ip.as_deref().unwrap_or_default();
    let network = throughline_detection::verdicts::Network {
        address: address.parse().expect("an address"),
        bits: 24,
    };
    detection.set_profile(
        "shop",
        Profile {
            good_bots: vec![network],
            ..Profile::default()
        },
    );
    assert_eq!(detection.class(&session), Some(Class::GoodBot));
}

/// Every visitor is given a cookie: it is no sign of a job that somebody has set up.
#[test]
fn a_cookie_is_no_key_of_its_own() {
    for (header, expected) in [("cookie", true), ("authorization", false)] {
        let client = Client::new(ID, "reader", LATE).keyed().agent("Wget/1.25.0");
        let client = asks(client, 80, 1.0, |n| format!("/product/{}", 1000 + n * 5));
        let client = with_headers(client, &["user-agent", "accept", header]);
        let (verdicts, wrong) = said(people(BROWSER), client);
        let sure = verdicts.iter().any(|it| it.confidence >= 0.8);
        assert_eq!(
            (sure, wrong),
            (expected, 0),
            "{header}: {:?}",
            names(&verdicts)
        );
    }
}

/// A timer whose every eighth request is a picture is judged all the same.
#[test]
fn no_rhythm_escapes_judgement() {
    let mut client = Client::new(ID, "walker", LATE);
    for number in 0..120 {
        client.wait(3.0);
        let item = 1000 + number;
        client.send("GET", &format!("/api/products/{item}"), 200, true);
        for _ in 0..7 {
            client.send("GET", &format!("/images/{item}.png"), 200, true);
        }
    }
    let (verdicts, wrong) = said(people(BROWSER), client);
    assert!(
        verdicts.iter().any(|it| it.confidence >= 0.8),
        "{:?}",
        names(&verdicts)
    );
    assert_eq!(wrong, 0);
}
