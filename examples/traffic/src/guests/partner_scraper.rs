//! Somebody who has got hold of a partner's key and copies the catalogue with it, one product after
//! the other, from one machine that looks like the partner's.

use rand::seq::SliceRandom;

use super::PARTNER_KEY;
use crate::actors::{Actor, Class};
use crate::addresses::Net;
use crate::agents;
use crate::browsing::PRODUCTS;
use crate::client::{Client, Over};
use crate::device::get;
use crate::draw::{Pace, Span, chance, uuid};

pub(super) const ACTOR: Actor = Actor {
    name: "partner_scraper",
    class: Class::Bot,
    summary: "copies the catalogue with a partner's key",
    clients: 1,
    play: |client| Box::pin(play(client)),
};

struct Ranges {
    /// Median seconds between two requests.
    every_s: Span,
    sigma: Span,
    /// Chance to go through the products in the catalogue's order.
    ordered: f64,
}

const RANGES: Ranges = Ranges {
    every_s: Span(0.5, 3.0),
    sigma: Span(0.1, 0.6),
    ordered: 0.5,
};

async fn play(mut client: Client) -> Result<(), Over> {
    let agent = agents::python(&mut client.dice).on_device(uuid(&mut client.dice));
    let mut device = client.device(agent, Net::Hosting);
    let every = Pace::of(RANGES.every_s, RANGES.sigma, &mut client.dice);
    let mut ids: Vec<u64> = PRODUCTS.collect();
    if !chance(&mut client.dice, RANGES.ordered) {
        ids.shuffle(&mut client.dice);
    }
    for id in ids {
        let product = get(format!("/api/products/{id}"));
        let product = product.header("x-api-key", PARTNER_KEY.to_owned());
        device.send(product).await?;
        client.pause(every).await?;
    }
    Ok(())
}
