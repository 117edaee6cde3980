//! A scraper that is one customer many times: it logs in, looks at a few products as people do, with
//! all their files, throws its cookies away, and comes back from another address. What it copies
//! shows only over all its sessions.

use rand::seq::SliceRandom;

use super::{Actor, Class};
use crate::addresses::Net;
use crate::agents;
use crate::browsing::{self, PRODUCTS};
use crate::client::{Client, Over};
use crate::draw::{Count, Pace, Span, chance};

pub(crate) const ACTOR: Actor = Actor {
    name: "relogin_scraper",
    class: Class::Bot,
    summary: "copies the catalogue, a few products with each login of one account",
    clients: 2,
    play: |client| Box::pin(play(client)),
};

struct Ranges {
    /// Logins, one after the other.
    logins: Count,
    /// Products looked at with one login.
    products: Count,
    /// Median seconds between two products: a person's.
    think_s: Span,
    think_sigma: Span,
    /// Seconds between two logins.
    break_s: Span,
    /// Chance to go through the products in the catalogue's order.
    ordered: f64,
}

const RANGES: Ranges = Ranges {
    logins: Count(25, 50),
    products: Count(6, 12),
    think_s: Span(2.0, 7.0),
    think_sigma: Span(0.5, 1.0),
    break_s: Span(20.0, 400.0),
    ordered: 0.5,
};

async fn play(mut client: Client) -> Result<(), Over> {
    let agent = agents::desktop(&mut client.dice);
    let mut device = client.device(agent, Net::Home);
    let think = Pace::of(RANGES.think_s, RANGES.think_sigma, &mut client.dice);
    let mut ids: Vec<u64> = PRODUCTS.collect();
    if !chance(&mut client.dice, RANGES.ordered) {
        ids.shuffle(&mut client.dice);
    }
    let mut ids = ids.into_iter();
    for _ in 0..RANGES.logins.draw(&mut client.dice) {
        browsing::home(&mut device).await?;
        client.pause(think).await?;
        device.turn_to("/login");
        client.sign_in(&mut device, think).await?;
        for id in ids.by_ref().take(RANGES.products.draw(&mut client.dice)) {
            browsing::product(&mut device, id).await?;
            client.pause(think).await?;
        }
        device.forget();
        let elsewhere = client.address(Net::Home);
        device.move_to(elsewhere);
        let pause = RANGES.break_s.draw(&mut client.dice);
        client.wait(pause).await?;
    }
    Ok(())
}
