//! A scraper that rents many addresses and spreads its work over them, every request from another
//! one, but logs in with one account because prices are better then.

use super::{Actor, Class};
use rand::seq::SliceRandom;

use crate::addresses::Net;
use crate::agents;
use crate::browsing::PRODUCTS;
use crate::client::{Client, Over};
use crate::device::get;
use crate::draw::{Count, Pace, Span, chance, pick};

pub(crate) const ACTOR: Actor = Actor {
    name: "account_scraper",
    class: Class::Bot,
    summary: "copies the catalogue over many addresses with one account",
    clients: 2,
    play: |client| Box::pin(play(client)),
};

struct Ranges {
    /// Addresses rented.
    addresses: Count,
    /// Requests from one address before the next is taken.
    stay: Count,
    /// Median seconds between two requests.
    every_s: Span,
    sigma: Span,
    /// Chance to go through the products in the catalogue's order.
    ordered: f64,
}

const RANGES: Ranges = Ranges {
    addresses: Count(40, 300),
    stay: Count(1, 5),
    every_s: Span(0.3, 1.5),
    sigma: Span(0.1, 0.8),
    ordered: 0.5,
};

async fn play(mut client: Client) -> Result<(), Over> {
    let browser = chance(&mut client.dice, 0.5);
    let agent = if browser {
        agents::desktop(&mut client.dice)
    } else {
        agents::masked(&mut client.dice)
    };
    let mut device = client.device(agent, Net::Home);
    let count = RANGES.addresses.draw(&mut client.dice);
    let pool: Vec<_> = (0..count).map(|_| client.address(Net::Home)).collect();
    let every = Pace::of(RANGES.every_s, RANGES.sigma, &mut client.dice);
    let mut ids: Vec<u64> = PRODUCTS.collect();
    if !chance(&mut client.dice, RANGES.ordered) {
        ids.shuffle(&mut client.dice);
    }
    client.sign_in(&mut device, every).await?;
    let mut stay = 0;
    for id in ids {
        if stay == 0 {
            device.move_to(pick(&mut client.dice, &pool));
            stay = RANGES.stay.draw(&mut client.dice);
        }
        stay -= 1;
        device.send(get(format!("/api/products/{id}"))).await?;
        client.pause(every).await?;
    }
    Ok(())
}
