//! Applications of other shapes than the demo's shop: honest clients are left alone in each, and
//! the same bots are caught. Made up here, with nothing tuned to any of them.

#[expect(dead_code, reason = "each test binary uses its part of the stories")]
mod story;

use story::{Client, Dice, Outcome, play};

/// A client of a site, by number, with dice of its own, starting at a second.
type Make = fn(u64, &mut Dice, f64) -> Client;

fn client(id: u64, name: &'static str, start: f64) -> Client {
    Client::new(id * 67 + 1, name, start)
}

/// A page of a site that is drawn on the server, with its files.
fn page(client: &mut Client, path: &str, files: bool) {
    client.send("GET", path, 200, true);
    if files {
        for file in ["/static/site.css", "/static/site.js", "/static/logo.png"] {
            client.wait(0.05);
            client.send("GET", file, 200, true);
        }
    }
}

/// A serial: from one number to the next, as the button leads.
fn serial_reader(id: u64, dice: &mut Dice, start: f64) -> Client {
    let mut client = client(id, "reader of a serial", start);
    let first = 1 + dice.below(900);
    for number in 0..4 + dice.below(40) {
        page(
            &mut client,
            &format!("/strip/{}", first + number),
            number == 0,
        );
        client.wait(dice.pause(12.0, 0.8));
    }
    client
}

/// A blog: a few articles, some by the archive's pages.
fn blog_reader(id: u64, dice: &mut Dice, start: f64) -> Client {
    let mut client = client(id, "reader of a blog", start);
    page(&mut client, "/", true);
    for number in 0..1 + dice.below(8) {
        client.wait(dice.pause(25.0, 1.0));
        let path = match dice.below(3) {
            0 => format!("/archive/{}", 1 + number),
            _ => format!(
                "/2026/{:02}/article-{}",
                1 + dice.below(12),
                dice.below(300)
            ),
        };
        page(&mut client, &path, false);
        client.send("GET", &format!("/media/{}.jpg", dice.below(900)), 200, true);
    }
    client
}

/// A feed reader: the same file, every half an hour.
fn feed_reader(id: u64, _: &mut Dice, start: f64) -> Client {
    let mut client = client(id, "feed reader", start).agent("NetNewsWire (RSS Reader)");
    for _ in 0..12 {
        client.send("GET", "/feed.xml", 200, false);
        client.wait(1_500.0);
    }
    client
}

/// An application in the browser whose page and files lie in the cache: it logs in at once, one in
/// eight mistypes, and then asks for data.
fn cached_user(id: u64, dice: &mut Dice, start: f64) -> Client {
    let mut client = client(id, "user of a cached application", start);
    if dice.below(8) == 0 {
        client.send("POST", "/api/login", 401, true);
        client.wait(dice.pause(6.0, 0.5));
    }
    client.send("POST", "/api/login", 200, true);
    for _ in 0..5 + dice.below(30) {
        client.wait(dice.pause(8.0, 1.0));
        let path = match dice.below(3) {
            0 => "/api/tasks".to_owned(),
            1 => format!("/api/tasks/{}", 10 + dice.below(60) * dice.below(9)),
            _ => "/api/notifications".to_owned(),
        };
        client.send("GET", &path, 200, true);
    }
    client
}

/// A customer of an API without any page: lists, then what was listed, in no order.
fn integration(id: u64, dice: &mut Dice, start: f64) -> Client {
    let mut client = client(id, "integration", start)
        .keyed()
        .agent("acme-billing/3.1 (java)");
    for _ in 0..4 + dice.below(4) {
        client.send("GET", "/v1/invoices?status=open", 200, false);
        for _ in 0..5 + dice.below(10) {
            client.wait(0.3);
            let invoice = 70_000 + dice.below(40_000);
            client.send("GET", &format!("/v1/invoices/{invoice}"), 200, false);
        }
        client.wait(dice.pause(300.0, 0.3));
    }
    client
}

/// The same API's writer.
fn writer(id: u64, dice: &mut Dice, start: f64) -> Client {
    let mut client = client(id, "writer", start)
        .keyed()
        .agent("acme-shop/1.0 (php)");
    for _ in 0..20 + dice.below(80) {
        client.send("POST", "/v1/invoices", 201, false);
        client.wait(dice.pause(20.0, 1.0));
    }
    client
}

/// A big shop's keen customer: many items, and back to some.
fn keen_customer(id: u64, dice: &mut Dice, start: f64) -> Client {
    let mut client = client(id, "keen customer", start);
    page(&mut client, "/", true);
    let mut seen = Vec::new();
    for _ in 0..3 + dice.below(6) * dice.below(7) {
        client.wait(dice.pause(15.0, 1.0));
        let again = seen.len() > 2 && dice.below(3) == 0;
        let item = match seen.get(usize::try_from(dice.below(8)).unwrap_or(0)) {
            Some(item) if again => *item,
            _ => 100_000 + dice.below(80_000),
        };
        seen.push(item);
        client.send("GET", &format!("/p/{item}"), 200, true);
        client.send("GET", &format!("/img/{item}.webp"), 200, true);
        client.send("GET", &format!("/img/{item}-2.webp"), 200, true);
        if dice.below(12) == 0 {
            client.send("GET", "/login", 200, true);
            client.wait(8.0);
            let status = if dice.below(6) == 0 { 401 } else { 200 };
            client.send("POST", "/login", status, true);
        }
    }
    client
}

/// A tool within a company: everybody behind one address, keyed by cookie, busy all day.
fn colleague(id: u64, dice: &mut Dice, start: f64) -> Client {
    let mut client = client(id, "colleague", start).keyed();
    client.ip("10.0.0.1".to_owned());
    page(&mut client, "/", true);
    for _ in 0..dice.below(7).saturating_sub(4) {
        client.send("POST", "/login", 401, true);
        client.wait(dice.pause(7.0, 0.5));
    }
    client.send("POST", "/login", 200, true);
    for _ in 0..10 + dice.below(60) {
        client.wait(dice.pause(10.0, 1.2));
        let path = match dice.below(4) {
            0 => format!("/tickets/{}", 4_000 + dice.below(300)),
            1 => "/tickets".to_owned(),
            2 => format!("/customers/{}", dice.below(2_000)),
            _ => "/api/unread".to_owned(),
        };
        client.send("GET", &path, 200, true);
    }
    client
}

/// Reads items of a site one after the other, without a key.
fn scraper(path: &str, id: u64, start: f64) -> Client {
    let mut client = client(id, "scraper", start)
        .bot()
        .agent("python-requests/2.32");
    for number in 0..80 {
        client.send(
            "GET",
            &format!("{path}{}", 110_000 + number * 7),
            200,
            false,
        );
        client.wait(1.0);
    }
    client
}

fn stuffer(path: &str, id: u64, start: f64) -> Client {
    let mut dice = Dice::new(id);
    let mut client = client(id, "stuffer", start).bot();
    for _ in 0..30 {
        client.send("POST", path, 401, false);
        client.wait(dice.pause(2.0, 0.5));
    }
    client
}

fn scanner(id: u64, start: f64) -> Client {
    let mut client = client(id, "scanner", start).bot();
    for path in [
        "/.env",
        "/.git/config",
        "/wp-admin/setup.php",
        "/phpinfo.php",
        "/.aws/credentials",
    ] {
        client.send("GET", path, 404, false);
        client.wait(0.4);
    }
    client
}

struct Site {
    name: &'static str,
    honest: &'static [(Make, u64)],
    items: &'static str,
    login: &'static str,
}

const SITES: [Site; 5] = [
    Site {
        name: "blog",
        honest: &[(blog_reader, 300), (serial_reader, 60), (feed_reader, 15)],
        items: "/2026/01/article-",
        login: "/wp-login.php",
    },
    Site {
        name: "API only",
        honest: &[(integration, 60), (writer, 60)],
        items: "/v1/invoices/",
        login: "/v1/login",
    },
    Site {
        name: "application in the browser",
        honest: &[(cached_user, 300)],
        items: "/api/tasks/",
        login: "/api/login",
    },
    Site {
        name: "big shop",
        honest: &[(keen_customer, 300)],
        items: "/p/",
        login: "/login",
    },
    Site {
        name: "tool within a company",
        honest: &[(colleague, 120)],
        items: "/customers/",
        login: "/login",
    },
];

fn flagged(outcome: &Outcome) -> bool {
    outcome.confidence >= 0.8
}

#[test]
fn honest_clients_are_left_alone_and_bots_are_caught_on_sites_of_any_shape() {
    let (mut honest, mut wrong) = (0, Vec::new());
    for site in &SITES {
        for seed in 1..=3 {
            let mut dice = Dice::new(seed);
            let mut clients = Vec::new();
            for (make, count) in site.honest {
                for _ in 0..*count {
                    let (id, start) = (clients.len() as u64, dice.unit() * 30_000.0);
                    clients.push(make(id, &mut dice, start));
                }
            }
            let start = 20_000.0;
            clients.push(scraper(site.items, 9_001, start));
            clients.push(stuffer(site.login, 9_002, start));
            clients.push(scanner(9_003, start));
            let outcomes = play(&clients);
            for (client, outcome) in clients.iter().zip(&outcomes) {
                honest += usize::from(!client.bot);
                if flagged(outcome) != client.bot {
                    let by = &outcome.detectors;
                    wrong.push(format!(
                        "{}, seed {seed}: {} {by:?}",
                        site.name, client.name
                    ));
                }
            }
        }
    }
    assert!(honest > 3_000 && wrong.is_empty(), "{honest}: {wrong:#?}");
}

/// When the login itself is out of order, everybody fails: no campaign.
#[test]
fn a_login_that_is_out_of_order_is_no_campaign() {
    let mut dice = Dice::new(4);
    let mut clients: Vec<_> = (0..200)
        .map(|id| {
            let start = dice.unit() * 20_000.0;
            keen_customer(id, &mut dice, start)
        })
        .collect();
    for id in 200..260 {
        let start = 22_000.0 + dice.unit() * 1_200.0;
        let mut person = client(id, "locked out", start);
        if id % 2 == 0 {
            page(&mut person, "/", true);
            page(&mut person, "/p/100007", false);
            page(&mut person, "/p/100009", false);
        }
        for _ in 0..2 {
            person.send("POST", "/login", 401, true);
            person.wait(dice.pause(9.0, 0.5));
        }
        clients.push(person);
    }
    let outcomes = play(&clients);
    let wrong = outcomes.iter().filter(|it| flagged(it)).count();
    assert_eq!(wrong, 0);
}
