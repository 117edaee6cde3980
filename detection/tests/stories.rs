//! Bots are caught, honest clients are not: made-up traffic with several seeds.

mod story;

use std::collections::BTreeMap;

use story::{Client, Outcome, bots, honest, play};

type Make = fn(u64, u64, f64) -> Client;

fn scene(seed: u64) -> Vec<Client> {
    let cast: &[(Make, u64)] = &[
        (honest::person, 400),
        (honest::forgetful, 20),
        (honest::poller, 20),
        (honest::sync, 10),
        (honest::app, 100),
        (honest::health, 3),
        (honest::webhook, 5),
        (honest::crawler, 3),
        (bots::stuffer, 6),
        (bots::hopping_stuffer, 3),
        (bots::low_and_slow, 150),
        (bots::enumerator, 6),
        (bots::guesser, 4),
        (bots::scanner, 6),
        (bots::scraper, 6),
        (bots::pooled_scraper, 3),
        (bots::takeover, 6),
    ];
    let mut dice = story::Dice::new(seed);
    let mut clients = Vec::new();
    for (make, count) in cast {
        for _ in 0..*count {
            let start = dice.unit() * 7200.0;
            clients.push(make(clients.len() as u64 * 70 + 1, seed, start));
        }
    }
    clients
}

fn flagged(outcome: &Outcome) -> bool {
    outcome.confidence >= 0.8
}

/// Stuffers and takeovers by their own evidence, without a campaign around them.
#[test]
fn a_stuffer_alone_is_caught_within_ten_requests() {
    for (make, requests_max) in [
        (bots::stuffer as Make, 10),
        (bots::hopping_stuffer, 20),
        (bots::takeover, 12),
    ] {
        let mut clients: Vec<_> = (0..60)
            .map(|at| honest::person(at * 64 + 1, 5, f64::from(u32::try_from(at).unwrap_or(0))))
            .collect();
        clients.push(make(640_001, 5, 30.0));
        let outcomes = play(&clients);
        let last = outcomes.last().cloned().unwrap_or_default();
        println!("{} requests, by {:?}", last.requests, last.detectors);
        assert!(flagged(&last) && last.requests <= requests_max, "{last:?}");
        assert_eq!(outcomes.iter().filter(|it| flagged(it)).count(), 1);
    }
}

/// A page and its files before an attempt do not hide it where others of the campaign come without; a person who fails amid it and
/// goes on to look around is none of it.
#[test]
fn a_campaign_that_loads_pages_is_caught() {
    let mut dice = story::Dice::new(3);
    let people = (0..100).map(|id| honest::person(id * 64 + 1, 5, id as f64 * 30.0));
    let mut clients: Vec<_> = people.collect();
    for id in 100..120 {
        clients.push(honest::forgetful(id * 64 + 1, 5, dice.unit() * 3000.0));
    }
    for id in 0..100 {
        for make in [bots::low_and_slow as Make, bots::browsing_low_and_slow] {
            let start = 600.0 + dice.unit() * 2400.0;
            clients.push(make(640_001 + clients.len() as u64 * 64 + id, 5, start));
        }
    }
    let outcomes = play(&clients);
    let (honest, bots) = outcomes.split_at(120);
    assert_eq!(honest.iter().filter(|it| flagged(it)).count(), 0);
    let browsing = bots.iter().skip(1).step_by(2);
    let caught = browsing.filter(|it| flagged(it)).count();
    assert!(caught >= 50, "{caught} of 100");
}

/// 200 people and one stuffer behind one address, in one session or hopping.
#[test]
fn a_stuffer_in_an_office_hits_no_colleague() {
    for make in [bots::stuffer as Make, bots::hopping_stuffer] {
        let mut dice = story::Dice::new(3);
        let mut clients: Vec<_> = (0..200)
            .map(|at| honest::colleague(at * 64 + 1, 5, dice.unit() * 1200.0))
            .collect();
        let mut stuffer = make(640_001, 5, 300.0);
        for sent in &mut stuffer.sent {
            sent.client_ip = Some("203.0.113.7".into());
        }
        clients.push(stuffer);
        let outcomes = play(&clients);
        let wrong = outcomes.iter().take(200).filter(|it| flagged(it)).count();
        assert_eq!(wrong, 0);
        println!("{}: {:?}", clients[200].name, outcomes[200].requests);
        let hopping = clients[200].name == "hopping stuffer";
        assert!(hopping || flagged(&outcomes[200]));
    }
}

#[test]
fn bots_are_caught_and_nobody_else() {
    let mut caught: BTreeMap<&str, (u32, u32, Vec<u32>)> = BTreeMap::new();
    for seed in 1..=5 {
        let clients = scene(seed);
        for (client, outcome) in clients.iter().zip(play(&clients)) {
            let entry = caught.entry(client.name).or_default();
            entry.1 += 1;
            if flagged(&outcome) {
                entry.0 += 1;
                entry.2.push(outcome.requests);
                assert!(
                    client.bot,
                    "{} was flagged by {:?}",
                    client.name, outcome.detectors
                );
            }
        }
    }
    let mut table = String::new();
    for (name, (hits, all, requests)) in &mut caught {
        requests.sort_unstable();
        let median = requests.get(requests.len() / 2).copied().unwrap_or(0);
        table.push_str(&format!(
            "{name}: {hits} of {all}, median {median} requests\n"
        ));
    }
    println!("{table}");
    let expected = [
        ("stuffer", 0.95, 10),
        ("hopping stuffer", 0.95, 40),
        ("low and slow", 0.9, 3),
        ("enumerator", 0.95, 20),
        ("guesser", 0.95, 20),
        ("scanner", 0.95, 10),
        ("scraper", 0.95, 40),
        ("pooled scraper", 0.95, 40),
        ("takeover", 0.95, 20),
    ];
    for (name, recall, requests_max) in expected {
        let (hits, all, requests) = caught.get(name).cloned().unwrap_or_default();
        assert!(
            f64::from(hits) >= recall * f64::from(all),
            "{name}\n{table}"
        );
        let median = requests
            .get(requests.len() / 2)
            .copied()
            .unwrap_or(u32::MAX);
        assert!(median <= requests_max, "{name}\n{table}");
    }
}
