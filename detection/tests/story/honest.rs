//! Clients that must be left alone.

use super::{Client, Dice};

/// A page with its assets, as a browser takes them.
fn page(client: &mut Client, dice: &mut Dice, path: &str, first: bool) {
    client.send("GET", path, 200, !first);
    client.wait(0.15);
    if first {
        client.send("GET", "/assets/app.js", 200, true);
        client.send("GET", "/assets/app.css", 200, true);
        client.send("GET", "/favicon.ico", 200, true);
    }
    for _ in 0..=dice.below(2) {
        client.wait(0.03);
        let image = format!("/images/p{}.png", dice.below(500));
        client.send("GET", &image, 200, true);
    }
}

/// Browses, sometimes logs in and mistypes, buys.
pub(crate) fn person(id: u64, seed: u64, start: f64) -> Client {
    let mut dice = Dice::new(seed ^ id.wrapping_mul(77));
    let mut client = Client::new(id, "person", start);
    page(&mut client, &mut dice, "/", true);
    for _ in 0..3 + dice.below(20) {
        client.wait(dice.pause(9.0, 1.1));
        let product = 1000 + dice.below(60) * dice.below(9);
        match dice.below(10) {
            0..5 => {
                page(
                    &mut client,
                    &mut dice,
                    &format!("/product/{product}"),
                    false,
                );
                client.send("GET", &format!("/api/products/{product}"), 200, true);
            }
            5 => client.send("GET", "/category/shoes", 200, true),
            6 => client.send(
                "GET",
                &format!("/api/search?q={}", dice.below(99)),
                200,
                true,
            ),
            7 => client.send("POST", "/api/cart/items", 201, true),
            8 => client.send(
                "GET",
                &format!("/api/products/{}", product + 90_000),
                404,
                true,
            ),
            _ => {
                for _ in 0..dice.below(8).saturating_sub(4) {
                    client.send("POST", "/api/login", 401, true);
                    client.wait(dice.pause(6.0, 0.5));
                }
                client.send("POST", "/api/login", 200, true);
                client.wait(1.0);
                client.send("GET", "/api/orders", 200, true);
            }
        }
    }
    client
}

/// Tries five remembered passwords, then resets.
pub(crate) fn forgetful(id: u64, seed: u64, start: f64) -> Client {
    let mut dice = Dice::new(seed ^ id);
    let mut client = Client::new(id, "forgetful", start);
    page(&mut client, &mut dice, "/", true);
    for _ in 0..5 {
        client.wait(dice.pause(7.0, 0.6));
        client.send("POST", "/api/login", 401, true);
    }
    client.send("POST", "/api/password-reset", 202, true);
    client.wait(90.0);
    client.send("POST", "/api/login", 200, true);
    client.send("GET", "/api/me", 200, true);
    client
}

/// Asks the same thing every few seconds.
pub(crate) fn poller(id: u64, _seed: u64, start: f64) -> Client {
    let mut client = Client::new(id, "poller", start)
        .keyed()
        .agent("python-requests/2.32");
    for _ in 0..150 {
        client.send("GET", "/api/orders", 200, false);
        client.wait(15.0);
    }
    client
}

/// Reads the catalogue by its list, with a key.
pub(crate) fn sync(id: u64, seed: u64, start: f64) -> Client {
    let mut dice = Dice::new(seed ^ id);
    let mut client = Client::new(id, "sync", start)
        .keyed()
        .agent("acme-sdk/1.4 (node)");
    for number in 0..6 {
        client.send("GET", &format!("/api/products?page={number}"), 200, false);
        for _ in 0..20 {
            client.wait(0.4);
            client.send(
                "GET",
                &format!("/api/products/{}", 1000 + dice.below(540)),
                200,
                false,
            );
        }
    }
    client
}

/// A phone application without pages.
pub(crate) fn app(id: u64, seed: u64, start: f64) -> Client {
    let mut dice = Dice::new(seed ^ id.wrapping_mul(31));
    let mut client = Client::new(id, "app", start)
        .keyed()
        .agent("ShopApp/4.2 (iPhone; iOS 19.1)");
    client.send("POST", "/api/token/refresh", 200, false);
    for _ in 0..8 + dice.below(20) {
        client.wait(dice.pause(6.0, 1.0));
        let product = 1000 + dice.below(60) * dice.below(9);
        client.send("GET", &format!("/api/products/{product}"), 200, false);
        if dice.below(3) == 0 {
            client.send("GET", "/api/cart", 200, false);
        }
    }
    client
}

/// Logs in from an office, one in ten with a slip, and reads a little.
pub(crate) fn colleague(id: u64, seed: u64, start: f64) -> Client {
    let mut dice = Dice::new(seed ^ id.wrapping_mul(31));
    let mut client = Client::new(id, "colleague", start)
        .keyed()
        .agent("ShopApp/4.2 (Windows)");
    client.ip("203.0.113.7".to_owned());
    if dice.below(10) == 0 {
        client.send("POST", "/api/login", 401, false);
        client.wait(dice.pause(8.0, 0.5));
    }
    client.send("POST", "/api/login", 200, false);
    for _ in 0..3 + dice.below(6) {
        client.wait(dice.pause(6.0, 1.0));
        client.send(
            "GET",
            &format!("/api/products/{}", 1000 + dice.below(60)),
            200,
            false,
        );
    }
    client
}

/// Asks whether the shop is up.
pub(crate) fn health(id: u64, _seed: u64, start: f64) -> Client {
    let mut client = Client::new(id, "health", start).agent("kube-probe/1.33");
    for _ in 0..300 {
        client.send("GET", "/healthz", 200, false);
        client.wait(10.0);
    }
    client
}

/// Tells the shop about payments.
pub(crate) fn webhook(id: u64, seed: u64, start: f64) -> Client {
    let mut dice = Dice::new(seed ^ id);
    let mut client = Client::new(id, "webhook", start).agent("PayHooks/2");
    for _ in 0..60 {
        client.send("POST", "/webhooks/payment", 204, false);
        client.wait(dice.pause(20.0, 1.2));
    }
    client
}

/// A declared search engine: robots.txt, then pages, a few seconds apart.
pub(crate) fn crawler(id: u64, seed: u64, start: f64) -> Client {
    let mut dice = Dice::new(seed ^ id);
    let agent = "Mozilla/5.0 (compatible; ExampleSearch/2.1; +https://search.example/bot.html)";
    let mut client = Client::new(id, "crawler", start).agent(agent);
    client.send("GET", "/robots.txt", 200, false);
    for _ in 0..200 {
        client.wait(dice.pause(3.0, 0.3));
        client.send(
            "GET",
            &format!("/product/{}", 1000 + dice.below(5000)),
            200,
            false,
        );
    }
    client
}
