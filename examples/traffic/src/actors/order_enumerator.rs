//! An order enumerator: logs in with an account of its own, takes its own order's number and counts
//! on, up or down, sometimes in strides, to see whether the shop looks who asks.

use super::{Actor, Class};
use crate::addresses::Net;
use crate::agents;
use crate::client::{Client, Over};
use crate::device::get;
use crate::draw::{Count, Pace, Span, chance};
use rand::Rng;

pub(crate) const ACTOR: Actor = Actor {
    name: "order_enumerator",
    class: Class::Bot,
    summary: "logged in, asks for one order number after the other",
    clients: 2,
    play: |client| Box::pin(play(client)),
};

struct Ranges {
    /// Numbers tried.
    numbers: Count,
    /// Distance between two numbers.
    stride: Count,
    /// Median seconds between two tries.
    every_s: Span,
    sigma: Span,
}

const RANGES: Ranges = Ranges {
    numbers: Count(100, 500),
    stride: Count(1, 3),
    every_s: Span(0.2, 1.5),
    sigma: Span(0.02, 0.6),
};

async fn play(mut client: Client) -> Result<(), Over> {
    let agent = match client.dice.random_range(0..3) {
        0 => agents::axios(&mut client.dice),
        1 => agents::python(&mut client.dice),
        _ => agents::desktop(&mut client.dice),
    };
    let mut device = client.device(agent, Net::Home);
    let every = Pace::of(RANGES.every_s, RANGES.sigma, &mut client.dice);
    let stride = u64::try_from(RANGES.stride.draw(&mut client.dice)).unwrap_or(1);
    let down = chance(&mut client.dice, 0.4);
    client.sign_in(&mut device, every).await?;
    let mine = device.send(get("/api/orders")).await?.ids();
    let mut id = mine.last().copied().unwrap_or(1_100_000);
    for _ in 0..RANGES.numbers.draw(&mut client.dice) {
        client.pause(every).await?;
        id = if down {
            id.saturating_sub(stride)
        } else {
            id + stride
        };
        device.send(get(format!("/api/orders/{id}"))).await?;
    }
    Ok(())
}
