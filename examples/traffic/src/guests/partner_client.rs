//! A till of a partner: forty of them, each with a device and an address of its own, all with the one
//! key that the partner was given. Reads the list and the stock of what it sells, again and again.

use rand::Rng;

use super::PARTNER_KEY;
use crate::actors::{Actor, Class};
use crate::addresses::Net;
use crate::agents;
use crate::browsing::PRODUCTS;
use crate::client::{Client, Over};
use crate::device::get;
use crate::draw::{Count, Pace, Span, chance, uuid};

pub(super) const ACTOR: Actor = Actor {
    name: "partner_client",
    class: Class::Machine,
    summary: "a partner's till: the partner's key, its own device, steady",
    clients: 40,
    play: |client| Box::pin(play(client)),
};

struct Ranges {
    /// Products that it sells.
    products: Count,
    /// Seconds between two requests of a round.
    step_s: Span,
    /// Seconds between two rounds.
    round_s: Span,
    /// A timer's unevenness.
    sigma: Span,
}

const RANGES: Ranges = Ranges {
    products: Count(3, 9),
    step_s: Span(0.5, 2.0),
    round_s: Span(60.0, 240.0),
    sigma: Span(0.05, 0.3),
};

async fn play(mut client: Client) -> Result<(), Over> {
    let agent = if chance(&mut client.dice, 0.7) {
        agents::python(&mut client.dice)
    } else {
        agents::go(&mut client.dice)
    };
    let agent = agent.on_device(uuid(&mut client.dice));
    let mut device = client.device(agent, Net::Hosting);
    let sigma = RANGES.sigma.draw(&mut client.dice);
    let (step, round) = (RANGES.step_s, RANGES.round_s);
    let [step, round] = [step, round].map(|of| of.draw(&mut client.dice));
    let [step, round] = [step, round].map(|median_s| Pace { median_s, sigma });
    let count = RANGES.products.draw(&mut client.dice);
    let products: Vec<u64> = (0..count)
        .map(|_| client.dice.random_range(PRODUCTS))
        .collect();
    loop {
        let list = get("/api/products?per_page=50").header("x-api-key", PARTNER_KEY.to_owned());
        device.send(list).await?;
        client.pause(step).await?;
        for id in &products {
            let stock = get(format!("/api/stock/{id}"));
            let stock = stock.header("x-api-key", PARTNER_KEY.to_owned());
            device.send(stock).await?;
            client.pause(step).await?;
        }
        client.pause(round).await?;
    }
}
