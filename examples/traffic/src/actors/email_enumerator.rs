//! An e-mail enumerator: asks for password resets for a list of addresses and learns from the
//! answers who is a customer.

use super::{Actor, Class};
use rand::Rng;
use serde_json::json;

use crate::addresses::Net;
use crate::agents;
use crate::client::{Client, Over};
use crate::device::post;
use crate::draw::{Count, Pace, Span, chance};

pub(crate) const ACTOR: Actor = Actor {
    name: "email_enumerator",
    class: Class::Bot,
    summary: "asks for password resets to learn who is a customer",
    clients: 2,
    play: |client| Box::pin(play(client)),
};

struct Ranges {
    /// Addresses tried.
    list: Count,
    /// Share of them that are customers.
    customers: Span,
    /// Median seconds between two tries.
    every_s: Span,
    sigma: Span,
}

const RANGES: Ranges = Ranges {
    list: Count(80, 350),
    customers: Span(0.05, 0.4),
    every_s: Span(0.3, 2.0),
    sigma: Span(0.05, 0.7),
};

async fn play(mut client: Client) -> Result<(), Over> {
    let plain = chance(&mut client.dice, 0.5);
    let agent = if plain {
        agents::go(&mut client.dice)
    } else {
        agents::masked(&mut client.dice)
    };
    let net = if chance(&mut client.dice, 0.5) {
        Net::Hosting
    } else {
        Net::Home
    };
    let mut device = client.device(agent, net);
    let every = Pace::of(RANGES.every_s, RANGES.sigma, &mut client.dice);
    let customers = RANGES.customers.draw(&mut client.dice);
    for _ in 0..RANGES.list.draw(&mut client.dice) {
        let mut email = client.victim().email;
        if !chance(&mut client.dice, customers) {
            let number = client.dice.random_range(10..100);
            email = email.replace('@', &format!("{number}@"));
        }
        device
            .send(post("/api/password-reset", json!({"email": email})))
            .await?;
        client.pause(every).await?;
    }
    Ok(())
}
