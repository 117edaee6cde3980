//! Somebody who came to buy: front page, lists, products, the back button, cart, login, checkout.
//! The next visit finds most files in the cache.

use super::{Actor, Class};
use crate::addresses::Net;
use crate::agents;
use crate::browsing;
use crate::client::{Client, Over};
use crate::device::{Device, get};
use crate::draw::{Count, Pace, Span, chance, pick};

pub(crate) const ACTOR: Actor = Actor {
    name: "browser_shopper",
    class: Class::Person,
    summary: "looks around, fills a cart, logs in, buys",
    clients: 16,
    play: |client| Box::pin(play(client)),
};

struct Ranges {
    visits: Count,
    /// Products looked at per visit.
    products: Count,
    /// Median seconds between two clicks, per person.
    think_s: Span,
    /// How uneven the clicks are.
    think_sigma: Span,
    /// Seconds between two visits.
    break_s: Span,
    /// Chance to go back to the list after a product.
    back: f64,
    /// Chance to buy at the end of a visit.
    buy: Span,
}

const RANGES: Ranges = Ranges {
    visits: Count(1, 3),
    products: Count(2, 7),
    think_s: Span(4.0, 14.0),
    think_sigma: Span(0.6, 1.1),
    break_s: Span(30.0, 240.0),
    back: 0.6,
    buy: Span(0.4, 0.9),
};

async fn play(mut client: Client) -> Result<(), Over> {
    let net = Net::of_person(&mut client.dice);
    let agent = agents::desktop(&mut client.dice);
    let device = client.device(agent, net);
    shop(client, device, RANGES.visits).await
}

/// The story of everybody who came to buy, whatever they use and however often.
pub(crate) async fn shop(
    mut client: Client,
    mut device: Device,
    visits: Count,
) -> Result<(), Over> {
    let think = Pace::of(RANGES.think_s, RANGES.think_sigma, &mut client.dice);
    let buy = RANGES.buy.draw(&mut client.dice);
    for _ in 0..visits.draw(&mut client.dice) {
        look_around(&mut client, &mut device, think).await?;
        if chance(&mut client.dice, buy) {
            purchase(&mut client, &mut device, think).await?;
        }
        let pause = RANGES.break_s.draw(&mut client.dice);
        client.wait(pause).await?;
    }
    Ok(())
}

async fn look_around(client: &mut Client, device: &mut Device, think: Pace) -> Result<(), Over> {
    let mut list = browsing::home(device).await?;
    client.pause(think).await?;
    for _ in 0..RANGES.products.draw(&mut client.dice) {
        if list.is_empty() || chance(&mut client.dice, 0.35) {
            let category = browsing::category(&mut client.dice);
            list = browsing::browse(device, category, 1).await?;
            client.pause(think).await?;
        }
        if chance(&mut client.dice, 0.15) {
            let words = browsing::words(&mut client.dice);
            list = browsing::search(device, words).await?;
            client.pause(think).await?;
        }
        if list.is_empty() {
            continue;
        }
        let id = pick(&mut client.dice, &list);
        browsing::product(device, id).await?;
        client.pause(think).await?;
        if chance(&mut client.dice, 0.3) {
            browsing::add_to_cart(device, id).await?;
            client.pause(think).await?;
        }
        if chance(&mut client.dice, RANGES.back) {
            device.turn_to("/");
            device
                .send(get("/api/products?per_page=12&sort=rating"))
                .await?;
            client.pause(think).await?;
        }
    }
    Ok(())
}

async fn purchase(client: &mut Client, device: &mut Device, think: Pace) -> Result<(), Over> {
    if !device.logged_in() {
        let account = client.account();
        device.turn_to("/login");
        client.pause(think).await?;
        device.login(&account.email, &account.password).await?;
        device.send(get("/api/me")).await?;
    }
    browsing::cart(device).await?;
    client.pause(think).await?;
    let card = browsing::card(&mut client.dice);
    if browsing::checkout(device, card).await?.status == 201 {
        client.pause(think).await?;
        device.send(get("/api/orders")).await?;
    }
    Ok(())
}
