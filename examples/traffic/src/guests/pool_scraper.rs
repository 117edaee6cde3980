//! A scraper with three hundred rented addresses, a browser's headers and one account: every request
//! comes from another address.

use rand::seq::SliceRandom;

use crate::actors::{Actor, Class};
use crate::addresses::Net;
use crate::agents;
use crate::browsing::PRODUCTS;
use crate::client::{Client, Over};
use crate::device::get;
use crate::draw::{Pace, Span, chance, pick};

pub(super) const ACTOR: Actor = Actor {
    name: "pool_scraper",
    class: Class::Bot,
    summary: "copies the catalogue over 300 addresses with one account",
    clients: 2,
    play: |client| Box::pin(play(client)),
};

struct Ranges {
    addresses: usize,
    /// Median seconds between two requests.
    every_s: Span,
    sigma: Span,
    /// Chance to go through the products in the catalogue's order.
    ordered: f64,
}

const RANGES: Ranges = Ranges {
    addresses: 300,
    every_s: Span(1.0, 6.0),
    sigma: Span(0.3, 0.9),
    ordered: 0.3,
};

async fn play(mut client: Client) -> Result<(), Over> {
    let agent = agents::desktop(&mut client.dice);
    let mut device = client.device(agent, Net::Home);
    let pool: Vec<_> = (0..RANGES.addresses)
        .map(|_| client.address(Net::Home))
        .collect();
    let every = Pace::of(RANGES.every_s, RANGES.sigma, &mut client.dice);
    let mut ids: Vec<u64> = PRODUCTS.collect();
    if !chance(&mut client.dice, RANGES.ordered) {
        ids.shuffle(&mut client.dice);
    }
    device.turn_to("/login");
    client.sign_in(&mut device, every).await?;
    for id in ids {
        device.move_to(pick(&mut client.dice, &pool));
        device.turn_to(&format!("/product/{id}"));
        device.send(get(format!("/api/products/{id}"))).await?;
        client.pause(every).await?;
    }
    Ok(())
}
