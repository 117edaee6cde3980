//! A checkout abuser: straight to the cart without looking at anything, guesses coupon codes, then
//! tries stolen cards until one is taken, again and again.

use super::{Actor, Class};
use rand::Rng;
use serde_json::json;

use crate::addresses::Net;
use crate::agents;
use crate::browsing;
use crate::client::{Client, Over};
use crate::device::{Device, post};
use crate::draw::{Count, Pace, Span, chance, pick};

pub(crate) const ACTOR: Actor = Actor {
    name: "checkout_abuser",
    class: Class::Bot,
    summary: "guesses coupons and tries stolen cards at the checkout",
    clients: 2,
    play: |client| Box::pin(play(client)),
};

struct Ranges {
    rounds: Count,
    /// Coupon codes guessed per round.
    coupons: Count,
    /// Cards tried per round.
    cards: Count,
    /// Share of cards that are declined.
    declined: Span,
    /// Median seconds between two steps.
    every_s: Span,
    sigma: Span,
}

const RANGES: Ranges = Ranges {
    rounds: Count(4, 10),
    coupons: Count(4, 25),
    cards: Count(2, 12),
    declined: Span(0.6, 0.95),
    every_s: Span(0.3, 1.5),
    sigma: Span(0.05, 0.6),
};
const CODES: &[&str] = &[
    "WELCOME", "SPRING", "SUMMER", "THANKYOU", "VIP", "FREE", "SAVE", "CODE",
];

async fn play(mut client: Client) -> Result<(), Over> {
    let browser = chance(&mut client.dice, 0.5);
    let agent = if browser {
        agents::desktop(&mut client.dice)
    } else {
        agents::masked(&mut client.dice)
    };
    let mut device = client.device(agent, Net::Home);
    let every = Pace::of(RANGES.every_s, RANGES.sigma, &mut client.dice);
    let declined = RANGES.declined.draw(&mut client.dice);
    client.sign_in(&mut device, every).await?;
    for _ in 0..RANGES.rounds.draw(&mut client.dice) {
        let id = client.dice.random_range(browsing::PRODUCTS);
        browsing::add_to_cart(&mut device, id).await?;
        guess_coupons(&mut client, &mut device, every).await?;
        for _ in 0..RANGES.cards.draw(&mut client.dice) {
            let number: u64 = client
                .dice
                .random_range(400_000_000_000_000..500_000_000_000_000);
            let end = if chance(&mut client.dice, declined) {
                0
            } else {
                1
            };
            browsing::checkout(&mut device, &format!("{number}{end}")).await?;
            client.pause(every).await?;
        }
    }
    Ok(())
}

async fn guess_coupons(client: &mut Client, device: &mut Device, every: Pace) -> Result<(), Over> {
    for _ in 0..RANGES.coupons.draw(&mut client.dice) {
        let word = pick(&mut client.dice, CODES);
        let code = format!("{word}{}", client.dice.random_range(1..=20) * 5);
        device
            .send(post("/api/coupons/apply", json!({"code": code})))
            .await?;
        client.pause(every).await?;
    }
    Ok(())
}
