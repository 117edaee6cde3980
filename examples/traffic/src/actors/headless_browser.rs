//! A headless browser: a real engine with all its files and nearly all its headers, driven by a
//! script whose pauses come from a timer.

use super::{Actor, Class};
use crate::addresses::Net;
use crate::agents;
use crate::browsing;
use crate::client::{Client, Over};
use crate::draw::{Count, Pace, Span, chance};
use rand::Rng;

pub(crate) const ACTOR: Actor = Actor {
    name: "headless_browser",
    class: Class::Bot,
    summary: "drives a real engine on a timer through the catalogue",
    clients: 3,
    play: |client| Box::pin(play(client)),
};

struct Ranges {
    /// Products looked at.
    products: Count,
    /// Seconds between two steps.
    every_s: Span,
    /// A timer's unevenness.
    sigma: Span,
    /// Chance to load every product as a page of its own.
    reload: f64,
}

const RANGES: Ranges = Ranges {
    products: Count(40, 150),
    every_s: Span(0.8, 4.0),
    sigma: Span(0.0, 0.04),
    reload: 0.5,
};

async fn play(mut client: Client) -> Result<(), Over> {
    let agent = agents::headless(&mut client.dice);
    let net = if chance(&mut client.dice, 0.5) {
        Net::Hosting
    } else {
        Net::Home
    };
    let mut device = client.device(agent, net);
    let every = Pace::of(RANGES.every_s, RANGES.sigma, &mut client.dice);
    let reload = chance(&mut client.dice, RANGES.reload);
    browsing::home(&mut device).await?;
    client.pause(every).await?;
    let first = client.dice.random_range(browsing::PRODUCTS);
    let count = RANGES.products.draw(&mut client.dice);
    for id in (first..browsing::PRODUCTS.end)
        .chain(browsing::PRODUCTS)
        .take(count)
    {
        if reload {
            browsing::open(&mut device, &format!("/product/{id}")).await?;
        }
        browsing::product(&mut device, id).await?;
        client.pause(every).await?;
    }
    Ok(())
}
