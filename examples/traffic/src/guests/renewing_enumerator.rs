//! An order enumerator where tokens live five minutes: a handful of numbers with each, a person's
//! pauses, a browser's headers, no cookies, and with each renewed token another address.

use rand::Rng;

use crate::actors::{Actor, Class};
use crate::addresses::Net;
use crate::agents;
use crate::client::{Client, Over};
use crate::device::get;
use crate::draw::{Count, Pace, Span};

pub(super) const ACTOR: Actor = Actor {
    name: "renewing_enumerator",
    class: Class::Bot,
    summary: "asks for order numbers, a few with each renewed token",
    clients: 4,
    play: |client| Box::pin(play(client)),
};

struct Ranges {
    /// Tokens used, one after the other.
    tokens: Count,
    /// Numbers tried with one token.
    numbers: Count,
    /// Distance between two numbers.
    stride: Count,
    /// Median seconds between two tries.
    think_s: Span,
    think_sigma: Span,
}

const RANGES: Ranges = Ranges {
    tokens: Count(10, 30),
    numbers: Count(3, 6),
    stride: Count(2, 40),
    think_s: Span(15.0, 40.0),
    think_sigma: Span(0.4, 0.8),
};

async fn play(mut client: Client) -> Result<(), Over> {
    let mut agent = agents::desktop(&mut client.dice);
    agent.cookies = false;
    let mut device = client.device(agent, Net::Home);
    let think = Pace::of(RANGES.think_s, RANGES.think_sigma, &mut client.dice);
    let mut id = client.dice.random_range(1_000_000..1_150_000);
    device.turn_to("/login");
    client.sign_in(&mut device, think).await?;
    for _ in 0..RANGES.tokens.draw(&mut client.dice) {
        device.turn_to("/orders");
        for _ in 0..RANGES.numbers.draw(&mut client.dice) {
            id += RANGES.stride.draw(&mut client.dice);
            device.send(get(format!("/api/orders/{id}"))).await?;
            client.pause(think).await?;
        }
        let elsewhere = client.address(Net::Home);
        device.move_to(elsewhere);
        if !device.renew().await? {
            client.sign_in(&mut device, think).await?;
        }
    }
    Ok(())
}
