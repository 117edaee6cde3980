//! Bots whose evidence exists only over several sessions or days, and honest clients who rotate
//! tokens and come back.

#[expect(dead_code, reason = "each test binary uses its part of the stories")]
mod story;

use story::{Client, Dice, honest, merged};
use throughline_detection::verdicts::{Subject, Verdict};
use throughline_detection::{Detection, LogPosition, Settings};

const HOUR: f64 = 3600.0;

fn play(clients: &[Client]) -> Vec<Verdict> {
    let mut detection = Detection::new(Settings::default());
    let mut verdicts = Vec::new();
    for (offset, (_, exchange)) in (1..).zip(merged(clients)) {
        let position = LogPosition { offset, index: 0 };
        verdicts.extend(detection.observe_exchange(exchange, position));
    }
    verdicts.retain(|it| it.flagged);
    verdicts
}

/// The next request has a new token, linked to the old one where `linked`.
fn rotate(client: &mut Client, linked: bool, ask: (&str, &str, u16)) {
    let before = client.sent.last().map(|it| it.session);
    client.new_session();
    client.send(ask.0, ask.1, ask.2, false);
    if let Some(sent) = client.sent.last_mut() {
        sent.links = [before.filter(|_| linked), None, None, None];
    }
}

/// Tries order numbers, five with each token.
fn rotating_enumerator(linked: bool) -> Client {
    let mut dice = Dice::new(7);
    let mut client = Client::new(640_001, "rotating enumerator", 30.0).keyed();
    client.send("POST", "/api/login", 200, false);
    for number in 0..40 {
        client.wait(dice.pause(1.5, 0.5));
        let path = format!("/api/orders/{}", 5000 + number);
        let ask = ("GET", path.as_str(), [403, 404, 200][number % 3]);
        if number % 5 == 0 {
            rotate(&mut client, linked, ask);
        } else {
            client.send(ask.0, ask.1, ask.2, false);
        }
    }
    client
}

/// Reads 28 products a day in no order, none twice.
fn daily_scraper() -> Client {
    let mut dice = Dice::new(8);
    let mut client = Client::new(640_001, "daily scraper", 40.0).keyed();
    for day in 0..7 {
        client.ip(format!("192.0.2.{day}"));
        for number in 0..28 {
            let path = format!("/api/products/{}", 1000 + (day * 28 + number) * 37 % 541);
            client.send("GET", &path, 200, false);
            client.wait(dice.pause(6.0, 0.8));
        }
        client.wait(24.0 * HOUR);
    }
    client
}

/// Logs in anew for every six guesses at coupons; only the user is the same.
fn relogging_guesser(forgeable: bool, accepted: bool) -> Client {
    let mut client = Client::new(640_001, "relogging guesser", 50.0).keyed();
    for _ in 0..8 {
        client.new_session();
        for _ in 0..6 {
            client.send("POST", "/api/coupons/apply", 422, false);
            client.wait(20.0);
        }
        if accepted {
            client.send("GET", "/api/me", 200, false);
        }
        client.wait(HOUR);
    }
    for sent in &mut client.sent {
        sent.user = Some("victim@example.org".into());
        sent.user_forgeable = forgeable;
    }
    client
}

fn crowd() -> Vec<Client> {
    (0..60)
        .map(|at| honest::person(at * 64 + 1, 5, f64::from(u32::try_from(at).unwrap_or(0))))
        .collect()
}

#[test]
fn links_join_what_tokens_part() {
    for (linked, expected) in [(true, true), (false, false)] {
        let mut clients = crowd();
        clients.push(rotating_enumerator(linked));
        let verdicts = play(&clients);
        assert_eq!(!verdicts.is_empty(), expected, "linked: {linked}");
        for verdict in &verdicts {
            assert_eq!(verdict.subject, Subject::Session);
            let vote = verdict.votes.iter().find(|it| it.detector == "enumeration");
            assert!(
                vote.is_some_and(|it| it.window.contains("related")),
                "{verdict:?}"
            );
        }
        // Once it is known, each new token is recognised at its first request.
        let first: Vec<_> = verdicts
            .iter()
            .map(|it| (it.session, it.requests))
            .collect();
        let sessions: std::collections::BTreeSet<_> = first.iter().map(|it| it.0).collect();
        let at_once = first.iter().filter(|it| it.1 == 1).count();
        assert!(
            !linked || at_once >= 4 && at_once >= sessions.len() - 1,
            "{first:?}"
        );
    }
}

/// Tokens that are traded for each other by a key that makes no session, as a refresh token does.
#[test]
fn a_key_that_only_leads_to_others_joins_them() {
    for (linked, expected) in [(true, true), (false, false)] {
        let mut enumerator = rotating_enumerator(false);
        for sent in &mut enumerator.sent {
            sent.links[0] = Some(throughline_session::hex::Hex([9; 16])).filter(|_| linked);
        }
        let mut clients = crowd();
        clients.push(enumerator);
        assert_eq!(!play(&clients).is_empty(), expected, "linked: {linked}");
    }
}

/// Misses one order after the other, each three with another token from another network.
fn wandering_misser(linked: bool) -> Client {
    let mut client = Client::new(640_001, "wandering misser", 30.0).keyed();
    for number in 0..90 {
        client.wait(4.0);
        let path = format!("/api/orders/{}", 5000 + number * 7);
        if number % 3 == 0 {
            client.ip(format!("198.18.{}.7", number / 3));
            rotate(&mut client, linked, ("GET", &path, 404));
        } else {
            client.send("GET", &path, 404, false);
        }
    }
    client
}

/// Looks at an order of its own.
fn customer(id: u64) -> Client {
    let at = f64::from(u32::try_from(id).unwrap_or(0));
    let mut client = Client::new(770_001 + id * 64, "customer", at).keyed();
    client.send("GET", &format!("/api/orders/{}", 100 + id), 200, true);
    client
}

#[test]
fn who_is_judged_as_one_teaches_as_one() {
    for (linked, expected) in [(true, true), (false, false)] {
        let mut next = Client::new(704_001, "enumerator", HOUR).keyed();
        for number in 0..12 {
            next.wait(4.0);
            let path = format!("/api/orders/{}", 9000 + number * 7);
            next.send("GET", &path, 404, false);
        }
        let session = next.sent.last().map(|it| it.session);
        let mut clients = crowd();
        clients.extend((0..10).map(customer));
        clients.extend([wandering_misser(linked), next]);
        let verdicts = play(&clients);
        let own = verdicts.iter().filter(|it| Some(it.session) == session);
        let mut votes = own.flat_map(|it| &it.votes);
        let caught = votes.any(|it| it.detector == "enumeration");
        assert_eq!(caught, expected, "linked: {linked}");
    }
}

#[test]
fn days_add_up() {
    let mut clients = crowd();
    clients.push(daily_scraper());
    let verdicts = play(&clients);
    let verdict = verdicts.first().expect("a verdict");
    assert!(verdict.votes.iter().any(|it| it.detector == "scraping"));
    assert!(verdict.requests <= 28, "{verdict:?}");
}

#[test]
fn a_user_is_judged_by_all_sessions_but_not_by_forged_claims() {
    for (forgeable, expected) in [(false, true), (true, false)] {
        let mut clients = crowd();
        clients.push(relogging_guesser(forgeable, true));
        let verdicts = play(&clients);
        let of_user = |it: &&Verdict| it.subject == Subject::User("victim@example.org".into());
        let user = verdicts.iter().find(of_user);
        assert_eq!(user.is_some(), expected, "forgeable: {forgeable}");
        assert!(user.is_none_or(|it| it.votes[0].window.contains("user")));
    }
}

/// Tries order numbers, five after each login; only the login's answer says who it is.
fn relogging_enumerator(forgeable: bool) -> Client {
    let mut dice = Dice::new(9);
    let mut client = Client::new(640_001, "relogging enumerator", 60.0).keyed();
    for number in 0..60 {
        if number % 5 == 0 {
            client.new_session();
            client.send("POST", "/api/login", 200, false);
            if let Some(login) = client.sent.last_mut() {
                login.user = Some("victim@example.org".into());
                login.user_forgeable = forgeable;
            }
        }
        client.wait(dice.pause(1.5, 0.5));
        let path = format!("/api/orders/{}", 5000 + number);
        client.send("GET", &path, [403, 404, 200][number % 3], false);
    }
    client
}

#[test]
fn what_follows_a_login_is_the_users_unless_the_claim_could_be_forged() {
    for (forgeable, expected) in [(false, true), (true, false)] {
        let mut clients = crowd();
        clients.push(relogging_enumerator(forgeable));
        let verdicts = play(&clients);
        let vote = verdicts
            .iter()
            .flat_map(|it| &it.votes)
            .find(|it| it.detector == "enumeration");
        assert_eq!(vote.is_some(), expected, "forgeable: {forgeable}");
        assert!(vote.is_none_or(|it| it.window.contains("user")), "{vote:?}");
    }
}

#[test]
fn a_source_is_judged_when_nearly_all_of_it_is_guilty() {
    for (colleagues, expected) in [(0, true), (40, false)] {
        let mut clients = crowd();
        let mut dice = Dice::new(3);
        for id in 0..colleagues {
            clients.push(honest::colleague(id * 64 + 6401, 5, dice.unit() * 900.0));
        }
        for bot in 0..8 {
            let mut scanner = story::bots::scanner(640_001 + bot * 64, 5, 300.0);
            for sent in &mut scanner.sent {
                sent.client_ip = Some("203.0.113.7".into());
            }
            clients.push(scanner);
        }
        let verdicts = play(&clients);
        let source = verdicts.iter().find_map(|it| match &it.subject {
            Subject::Source {
                network,
                flagged,
                sessions,
            } => Some((*network, *flagged, *sessions)),
            _ => None,
        });
        assert_eq!(source.is_some(), expected, "{source:?}");
        if let Some((network, flagged, sessions)) = source {
            assert_eq!(
                (network.address.to_string(), network.bits),
                ("203.0.113.7".into(), 32)
            );
            assert!(flagged >= 5 && sessions >= flagged);
        }
    }
}

/// People and programs that come back for two weeks, with tokens that are renewed and named users.
#[test]
fn who_comes_back_is_left_alone() {
    let mut clients = Vec::new();
    for id in 0..120_u64 {
        let make =
            [honest::app, honest::person, honest::colleague][usize::try_from(id % 3).unwrap_or(0)];
        let start = f64::from(u32::try_from(id).unwrap_or(0)) * 30.0;
        let mut whole = Client::new(id * 64 + 1, "returning", start).keyed();
        for day in 0..14_u32 {
            let visit = make(
                id * 64 + 1,
                u64::from(day) * 131 + 5,
                start + f64::from(day) * 24.0 * HOUR,
            );
            whole.sent.extend(visit.sent.into_iter().map(|mut sent| {
                let before = sent.session;
                // A token a day, each traded for the next.
                let [.., day_of] = &mut sent.session.0;
                *day_of = u8::try_from(day).unwrap_or(0);
                sent.request_session = sent.session;
                sent.links = [
                    Some(before).filter(|it| *it != sent.session),
                    None,
                    None,
                    None,
                ];
                sent.keyed = true;
                sent.user = Some(format!("user-{id}").into());
                sent
            }));
        }
        clients.push(whole);
    }
    let wrong = play(&clients);
    assert!(
        wrong.is_empty(),
        "{} verdicts, first {:#?}",
        wrong.len(),
        wrong.first()
    );
}
