//! An order enumerator that knows how it would be seen: a browser's headers, a person's pauses, and
//! after a handful of numbers a new token, by renewal or by a new login. No single session shows it.

use rand::Rng;

use super::{Actor, Class};
use crate::addresses::Net;
use crate::agents;
use crate::client::{Client, Over};
use crate::device::get;
use crate::draw::{Count, Pace, Span, chance};

pub(crate) const ACTOR: Actor = Actor {
    name: "rotating_enumerator",
    class: Class::Bot,
    summary: "asks for order numbers, a few with each token",
    clients: 2,
    play: |client| Box::pin(play(client)),
};

struct Ranges {
    /// Tokens used, one after the other.
    tokens: Count,
    /// Numbers tried with one token.
    numbers: Count,
    /// Distance between two numbers.
    stride: Count,
    /// Median seconds between two tries: a person's.
    think_s: Span,
    think_sigma: Span,
    /// Chance that the next token comes by renewal, per client.
    renews: Span,
}

const RANGES: Ranges = Ranges {
    tokens: Count(20, 60),
    numbers: Count(3, 6),
    stride: Count(1, 3),
    think_s: Span(2.0, 9.0),
    think_sigma: Span(0.5, 1.0),
    renews: Span(0.0, 1.0),
};

async fn play(mut client: Client) -> Result<(), Over> {
    let agent = agents::desktop(&mut client.dice);
    let mut device = client.device(agent, Net::Home);
    let think = Pace::of(RANGES.think_s, RANGES.think_sigma, &mut client.dice);
    let renews = RANGES.renews.draw(&mut client.dice);
    let stride = u64::try_from(RANGES.stride.draw(&mut client.dice)).unwrap_or(1);
    let mut id = client.dice.random_range(1_000_000..1_150_000);
    for _ in 0..RANGES.tokens.draw(&mut client.dice) {
        client.sign_in(&mut device, think).await?;
        device.turn_to("/orders");
        for _ in 0..RANGES.numbers.draw(&mut client.dice) {
            id += stride;
            device.send(get(format!("/api/orders/{id}"))).await?;
            client.pause(think).await?;
        }
        if !(chance(&mut client.dice, renews) && device.renew().await?) {
            device.forget();
        }
    }
    Ok(())
}
