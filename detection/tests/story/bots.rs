//! Clients that must be caught.

use super::{Client, Dice};

/// One address, one session, a list of passwords.
pub(crate) fn stuffer(id: u64, seed: u64, start: f64) -> Client {
    let mut dice = Dice::new(seed ^ id);
    let mut client = Client::new(id, "stuffer", start).bot();
    for _ in 0..40 {
        let status = if dice.below(50) == 0 { 200 } else { 401 };
        client.send("POST", "/api/login", status, false);
        client.wait(dice.pause(2.0, 0.4));
    }
    client
}

/// One address, another session for every attempt.
pub(crate) fn hopping_stuffer(id: u64, seed: u64, start: f64) -> Client {
    let mut dice = Dice::new(seed ^ id);
    let mut client = Client::new(id, "hopping stuffer", start).bot();
    for _ in 0..60 {
        client.new_session();
        client.send("POST", "/api/login", 401, false);
        client.wait(dice.pause(2.0, 0.4));
    }
    client
}

/// One attempt from an address, never to be seen again; many of these are a campaign.
pub(crate) fn low_and_slow(id: u64, seed: u64, start: f64) -> Client {
    let mut dice = Dice::new(seed ^ id);
    let mut client = Client::new(id, "low and slow", start).bot();
    client.ip(format!("172.{}.{}.9", 16 + id % 16, id / 16 % 250));
    if dice.below(2) == 0 {
        client.send("GET", "/", 200, false);
        client.wait(dice.pause(3.0, 0.5));
    }
    client.send("POST", "/api/login", 401, false);
    client
}

/// The same, with the page and its files first, as a browser loads them.
pub(crate) fn browsing_low_and_slow(id: u64, seed: u64, start: f64) -> Client {
    let mut dice = Dice::new(seed ^ id);
    let mut client = Client::new(id, "browsing low and slow", start).bot();
    client.ip(format!("172.{}.{}.9", 16 + id % 16, id / 16 % 250));
    client.send("GET", "/", 200, false);
    for file in ["/assets/style.css", "/assets/app.js", "/favicon.ico"] {
        client.send("GET", file, 200, true);
    }
    client.wait(dice.pause(3.0, 0.5));
    client.send("POST", "/api/login", 401, true);
    client
}

/// Runs through order numbers with an account of its own.
pub(crate) fn enumerator(id: u64, seed: u64, start: f64) -> Client {
    let mut dice = Dice::new(seed ^ id);
    let mut client = Client::new(id, "enumerator", start).bot().keyed();
    client.send("POST", "/api/login", 200, false);
    for number in 0..60 {
        client.wait(dice.pause(1.0, 0.5));
        let status = [403, 404, 404, 200][usize::try_from(dice.below(4)).unwrap_or(0)];
        client.send(
            "GET",
            &format!("/api/orders/{}", 5000 + id + number),
            status,
            false,
        );
    }
    client
}

/// Tries coupons.
pub(crate) fn guesser(id: u64, seed: u64, start: f64) -> Client {
    let mut dice = Dice::new(seed ^ id);
    let mut client = Client::new(id, "guesser", start).bot().keyed();
    for _ in 0..40 {
        client.wait(dice.pause(1.5, 0.5));
        client.send("POST", "/api/coupons/apply", 422, false);
    }
    client
}

/// Looks for what was left lying around.
pub(crate) fn scanner(id: u64, seed: u64, start: f64) -> Client {
    let mut dice = Dice::new(seed ^ id);
    let mut client = Client::new(id, "scanner", start).bot();
    for path in [
        "/.env",
        "/.git/config",
        "/backup.zip",
        "/old",
        "/test",
        "/adm",
        "/db",
        "/api/v0",
    ] {
        client.send("GET", path, 404, false);
        client.wait(dice.pause(0.5, 0.5));
    }
    for number in 0..40 {
        client.send(
            "GET",
            &format!("/dir-{}-{number}", dice.below(9)),
            404,
            false,
        );
        client.wait(dice.pause(0.5, 0.5));
    }
    client
}

/// Reads every product once.
pub(crate) fn scraper(id: u64, seed: u64, start: f64) -> Client {
    let mut dice = Dice::new(seed ^ id);
    let mut client = Client::new(id, "scraper", start).bot();
    for number in 0..120 {
        client.send(
            "GET",
            &format!("/api/products/{}", 1000 + number),
            200,
            false,
        );
        client.wait(dice.pause(2.5, 0.9));
    }
    client
}

/// The same with one key from a pool of addresses.
pub(crate) fn pooled_scraper(id: u64, seed: u64, start: f64) -> Client {
    let mut dice = Dice::new(seed ^ id);
    let mut client = Client::new(id, "pooled scraper", start).bot().keyed();
    for number in 0..120 {
        client.ip(format!("192.{}.{}.7", dice.below(200), dice.below(200)));
        client.send(
            "GET",
            &format!("/api/products/{}", 1000 + number * 3),
            200,
            false,
        );
        client.wait(dice.pause(2.5, 0.9));
    }
    client
}

/// Guesses one account's password, then uses it.
pub(crate) fn takeover(id: u64, seed: u64, start: f64) -> Client {
    let mut dice = Dice::new(seed ^ id);
    let mut client = Client::new(id, "takeover", start).bot();
    client.send("GET", "/", 200, false);
    for _ in 0..14 {
        client.wait(dice.pause(3.0, 0.5));
        client.send("POST", "/api/login", 401, false);
    }
    client.send("POST", "/api/login", 200, false);
    client.wait(1.0);
    client.send("PUT", "/api/me", 200, false);
    client.send("POST", "/api/checkout", 200, false);
    client
}
