//! A scraper that takes pains: a real browser's headers and files, pauses as uneven as a person's,
//! a search now and then. What it cannot hide is that it leaves nothing out and never buys.

use super::{Actor, Class};
use crate::addresses::Net;
use crate::agents;
use crate::browsing;
use crate::client::{Client, Over};
use crate::draw::{Count, Pace, Span, chance};
use rand::Rng;
use rand::seq::SliceRandom;

pub(crate) const ACTOR: Actor = Actor {
    name: "human_scraper",
    class: Class::Bot,
    summary: "a scraper that copies people's headers, files and timing",
    clients: 3,
    play: |client| Box::pin(play(client)),
};

struct Ranges {
    /// Categories copied completely, one after the other.
    categories: Count,
    /// Median seconds between two clicks: a person's, at the quick end.
    think_s: Span,
    think_sigma: Span,
    /// Chance of a detour that means nothing.
    detour: Span,
    /// Chance to go through a list in a mixed order.
    mixed: f64,
}

const RANGES: Ranges = Ranges {
    categories: Count(2, 5),
    think_s: Span(1.5, 5.0),
    think_sigma: Span(0.5, 1.0),
    detour: Span(0.0, 0.15),
    mixed: 0.5,
};

async fn play(mut client: Client) -> Result<(), Over> {
    let agent = agents::desktop(&mut client.dice);
    let mut device = client.device(agent, Net::Home);
    let think = Pace::of(RANGES.think_s, RANGES.think_sigma, &mut client.dice);
    let detour = RANGES.detour.draw(&mut client.dice);
    browsing::home(&mut device).await?;
    client.pause(think).await?;
    for _ in 0..RANGES.categories.draw(&mut client.dice) {
        let category = browsing::category(&mut client.dice);
        for page in 1..=3 {
            let mut ids = browsing::browse(&mut device, category, page).await?;
            client.pause(think).await?;
            if chance(&mut client.dice, RANGES.mixed) {
                ids.shuffle(&mut client.dice);
            }
            for id in ids {
                browsing::product(&mut device, id).await?;
                client.pause(think).await?;
                if chance(&mut client.dice, detour) {
                    let elsewhere = client.dice.random_range(browsing::PRODUCTS);
                    browsing::product(&mut device, elsewhere).await?;
                    client.pause(think).await?;
                }
            }
        }
    }
    Ok(())
}
