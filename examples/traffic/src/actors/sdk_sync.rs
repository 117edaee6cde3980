//! A partner's sync job: logs in once, then in every round reads a few pages of the catalogue and
//! the stock of the partner's own products. Steady, authenticated, honest, and every day the same.

use super::{Actor, Class};
use rand::Rng;

use crate::addresses::Net;
use crate::agents;
use crate::browsing::PRODUCTS;
use crate::client::{Client, Over};
use crate::device::get;
use crate::draw::{Count, Pace, Span, chance};

pub(crate) const ACTOR: Actor = Actor {
    name: "sdk_sync",
    class: Class::Machine,
    summary: "a partner's job: logged in, steady, copies catalogue and stock",
    clients: 4,
    play: |client| Box::pin(play(client)),
};

struct Ranges {
    /// Products the partner sells.
    products: Count,
    /// Pages of the partner's list per round.
    pages: Count,
    /// Seconds between two requests of a round.
    step_s: Span,
    /// Seconds between two rounds.
    round_s: Span,
    /// A timer's unevenness.
    sigma: Span,
}

const RANGES: Ranges = Ranges {
    products: Count(5, 30),
    pages: Count(1, 4),
    step_s: Span(0.4, 1.5),
    round_s: Span(15.0, 60.0),
    sigma: Span(0.02, 0.15),
};

async fn play(mut client: Client) -> Result<(), Over> {
    let python = chance(&mut client.dice, 0.6);
    let agent = if python {
        agents::python(&mut client.dice)
    } else {
        agents::go(&mut client.dice)
    };
    let mut device = client.device(agent, Net::Hosting);
    let sigma = RANGES.sigma.draw(&mut client.dice);
    let step = Pace {
        median_s: RANGES.step_s.draw(&mut client.dice),
        sigma,
    };
    let round = Pace {
        median_s: RANGES.round_s.draw(&mut client.dice),
        sigma,
    };
    let pages = RANGES.pages.draw(&mut client.dice);
    let count = RANGES.products.draw(&mut client.dice);
    let products: Vec<u64> = (0..count)
        .map(|_| client.dice.random_range(PRODUCTS))
        .collect();
    loop {
        client.sign_in(&mut device, step).await?;
        for page in 1..=pages {
            device
                .send(get(format!("/api/products?page={page}&per_page=50")))
                .await?;
            client.pause(step).await?;
        }
        for id in &products {
            device.send(get(format!("/api/stock/{id}"))).await?;
            client.pause(step).await?;
        }
        device.send(get("/api/orders")).await?;
        client.pause(round).await?;
    }
}
