//! Somebody who only looks: anonymous, arrives on the front page or on a product somebody sent,
//! browses a little, leaves.

use super::{Actor, Class};
use crate::addresses::Net;
use crate::agents;
use crate::browsing;
use crate::client::{Client, Over};
use crate::draw::{Count, Pace, Span, chance, pick};
use rand::Rng;

pub(crate) const ACTOR: Actor = Actor {
    name: "window_shopper",
    class: Class::Person,
    summary: "anonymous, looks at this and that, leaves",
    clients: 20,
    play: |client| Box::pin(play(client)),
};

struct Ranges {
    /// Clicks in all.
    clicks: Count,
    /// Median seconds between two clicks.
    think_s: Span,
    think_sigma: Span,
    /// Chance to arrive on a product's page instead of the front page.
    deep_link: f64,
}

const RANGES: Ranges = Ranges {
    clicks: Count(1, 15),
    think_s: Span(3.0, 20.0),
    think_sigma: Span(0.6, 1.3),
    deep_link: 0.35,
};

async fn play(mut client: Client) -> Result<(), Over> {
    let phone = chance(&mut client.dice, 0.5);
    let agent = if phone {
        agents::phone(&mut client.dice)
    } else {
        agents::desktop(&mut client.dice)
    };
    let net = if phone {
        Net::Mobile
    } else {
        Net::of_person(&mut client.dice)
    };
    let mut device = client.device(agent, net);
    let think = Pace::of(RANGES.think_s, RANGES.think_sigma, &mut client.dice);
    let mut list = if chance(&mut client.dice, RANGES.deep_link) {
        let id = client.dice.random_range(browsing::PRODUCTS);
        browsing::open(&mut device, &format!("/product/{id}")).await?;
        browsing::product(&mut device, id).await?;
        Vec::new()
    } else {
        browsing::home(&mut device).await?
    };
    let favourite = browsing::category(&mut client.dice);
    let mut page = 1;
    for _ in 0..RANGES.clicks.draw(&mut client.dice) {
        client.pause(think).await?;
        if list.is_empty() || chance(&mut client.dice, 0.25) {
            list = browsing::browse(&mut device, favourite, page).await?;
            page = page % 2 + 1;
        } else if chance(&mut client.dice, 0.15) {
            let words = browsing::words(&mut client.dice);
            list = browsing::search(&mut device, words).await?;
        } else {
            let id = pick(&mut client.dice, &list);
            browsing::product(&mut device, id).await?;
        }
    }
    Ok(())
}
