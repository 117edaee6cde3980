//! What a TLS fingerprint, a country and an even pace tell, where they are known.

use super::{ID, LATE, Says, people, says};
use crate::story::{CHROME, Client, Dice};
use throughline_detection::detectors::Judgement;
use throughline_detection::{Detection, LogPosition, Settings};

const BROWSER: &str = "t13d1516h2_browser";
const TOOL: &str = "t13d191000_tool";

fn with_print(mut client: Client, print: &'static str) -> Client {
    for sent in &mut client.sent {
        sent.fingerprint = Some(print.into());
    }
    client
}

/// People whose browsers share a fingerprint.
fn people_known() -> Vec<Client> {
    let people = people().into_iter();
    people.map(|it| with_print(it, BROWSER)).collect()
}

/// A failed login from a network of its own, with nothing else around it.
fn attempt(at: u64) -> Client {
    let start = LATE + f64::from(u32::try_from(at).unwrap_or(0)) * 20.0;
    let mut client = Client::new(ID + 64 * at, "stuffer", start).agent("shop-app/4.2 (Android 15)");
    client.send("POST", "/api/login", 401, false);
    client
}

/// The last of 30 attempts from everywhere, with this fingerprint.
fn stuffing(print: Option<&'static str>, expected: &Says) {
    let marked = |client: Client| match print {
        Some(print) => with_print(client, print),
        None => client,
    };
    let mut others = people_known();
    others.extend((0..29).map(|at| marked(attempt(at))));
    let said = says("credential_stuffing", others, marked(attempt(29)));
    assert_eq!(said, *expected, "{print:?}");
}

#[test]
fn a_tool_keeps_its_fingerprint_over_all_its_addresses() {
    stuffing(Some(TOOL), &Says::Vote);
    stuffing(None, &Says::NotEnough);
}

/// Who shares the people's fingerprint is in no doubt that their successes do not explain.
#[test]
fn what_people_share_holds_their_successes_against_it() {
    let mut others = people_known();
    others.extend((0..29).map(|at| with_print(attempt(at), BROWSER)));
    let last = with_print(attempt(29), BROWSER);
    let session = last.sent.last().expect("it sends something").session;
    others.push(last);
    let mut detection = Detection::new(Settings::default());
    for (offset, (_, exchange)) in (1..).zip(crate::story::merged(&others)) {
        detection.observe_exchange(exchange, LogPosition { offset, index: 0 });
    }
    let judged = detection.judgements(&session).into_iter();
    let certainty = judged
        .filter(|(about, _)| about.name == "credential_stuffing")
        .map(|(_, judgement)| match judgement {
            Judgement::Measured(finding) => finding.certainty,
            Judgement::NotEnough => 0.0,
        })
        .fold(0.0, f64::max);
    assert!(certainty < 0.8, "{certainty}");
}

#[test]
fn a_tools_fingerprint_under_a_browsers_name_is_a_mismatch() {
    for (print, expected) in [(TOOL, Says::Vote), (BROWSER, Says::Within)] {
        let mut others = people_known();
        for at in 0..6 {
            let mut tool = Client::new(ID + 64 * (1 + at), "tool", LATE).agent("curl/8.5.0");
            tool.send("GET", "/api/cart", 200, false);
            others.push(with_print(tool, TOOL));
        }
        let mut client = Client::new(ID, "masked", LATE + 100.0).agent(CHROME);
        for _ in 0..4 {
            client.send("GET", "/", 200, false);
            client.send("GET", "/assets/app.js", 200, true);
            client.wait(4.0);
        }
        let said = says("user_agent_mismatch", others, with_print(client, print));
        assert_eq!(said, expected, "{print}");
    }
}

#[test]
fn nobody_is_in_four_countries_within_a_visit() {
    for (countries, expected) in [(4, Says::Vote), (2, Says::Within), (0, Says::Within)] {
        let mut client = Client::new(ID, "traveller", LATE).keyed();
        for at in 0..12 {
            client.ip(format!("198.51.{}.7", at % 4));
            client.send("GET", "/api/cart", 200, false);
            client.wait(30.0);
        }
        for (at, sent) in client.sent.iter_mut().enumerate() {
            let known = ["DE", "BR", "VN", "ZA"].get(at % countries.max(1));
            sent.country = known.filter(|_| countries > 0).map(|it| (*it).into());
        }
        let said = says("address_rotation", people(), client);
        assert_eq!(said, expected, "{countries}");
    }
}

/// 25 products in no order, each with its picture, at a pace.
fn reader(pause: impl Fn(&mut Dice) -> f64) -> Client {
    let mut dice = Dice::new(11);
    let mut client = Client::new(ID, "reader", LATE);
    for number in 0..25 {
        let product = 1000 + number * 37 % 541;
        client.send("GET", &format!("/api/products/{product}"), 200, true);
        client.send("GET", &format!("/images/p{product}.png"), 200, true);
        client.wait(pause(&mut dice));
    }
    client
}

#[test]
fn a_browser_that_a_timer_drives_may_read_no_more_than_a_program() {
    let driven = says("scraping", people(), reader(|dice| 3.0 + 0.1 * dice.unit()));
    assert_eq!(driven, Says::Vote);
    let read = says("scraping", people(), reader(|dice| dice.pause(3.0, 0.8)));
    assert_eq!(read, Says::Within);
}

/// Whoever changes the session every three tries does not make misses usual.
#[test]
fn one_network_does_not_teach_that_misses_are_usual() {
    let mut others = people();
    let mut hopping = Client::new(ID + 64, "hopping", LATE);
    for number in 0..120 {
        if number % 3 == 0 {
            hopping.new_session();
        }
        hopping.send(
            "GET",
            &format!("/api/orders/{}", 9000 + number * 17),
            [404, 404, 200][number % 3],
            false,
        );
        hopping.wait(2.0);
    }
    others.push(hopping);
    let mut client = Client::new(ID, "enumerator", LATE + 600.0);
    for number in 0..9 {
        client.send(
            "GET",
            &format!("/api/orders/{}", 5000 + number * 29),
            404,
            false,
        );
        client.wait(2.0);
    }
    assert_eq!(says("enumeration", others, client), Says::Vote);
}
