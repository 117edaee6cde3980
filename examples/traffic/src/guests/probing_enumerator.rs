//! An order enumerator in two parts: it opens a page as people do, tries a few order numbers without
//! a login to see what the answers give away, then logs in and tries a few more. Neither part has more
//! misses than a clumsy client's.

use rand::Rng;

use crate::actors::{Actor, Class};
use crate::addresses::Net;
use crate::agents;
use crate::browsing;
use crate::client::{Client, Over};
use crate::device::{Device, get};
use crate::draw::{Count, Pace, Span};

pub(super) const ACTOR: Actor = Actor {
    name: "probing_enumerator",
    class: Class::Bot,
    summary: "tries order numbers without a login, then logs in and tries more",
    clients: 4,
    play: |client| Box::pin(play(client)),
};

struct Ranges {
    /// Numbers tried without a login, and after it.
    before: Count,
    after: Count,
    /// Distance between two numbers.
    stride: Count,
    /// Median seconds between two tries.
    think_s: Span,
    think_sigma: Span,
}

const RANGES: Ranges = Ranges {
    before: Count(4, 6),
    after: Count(5, 7),
    stride: Count(2, 40),
    think_s: Span(3.0, 12.0),
    think_sigma: Span(0.4, 0.9),
};

async fn play(mut client: Client) -> Result<(), Over> {
    let agent = agents::desktop(&mut client.dice);
    let mut device = client.device(agent, Net::Home);
    let think = Pace::of(RANGES.think_s, RANGES.think_sigma, &mut client.dice);
    let mut id = client.dice.random_range(1_000_000..1_150_000);
    browsing::home(&mut device).await?;
    client.pause(think).await?;
    let before = RANGES.before.draw(&mut client.dice);
    id = numbers(&mut client, &mut device, think, id, before).await?;
    device.turn_to("/login");
    client.sign_in(&mut device, think).await?;
    device.send(get("/api/orders")).await?;
    let after = RANGES.after.draw(&mut client.dice);
    numbers(&mut client, &mut device, think, id, after).await?;
    Ok(())
}

async fn numbers(
    client: &mut Client,
    device: &mut Device,
    think: Pace,
    mut id: usize,
    count: usize,
) -> Result<usize, Over> {
    device.turn_to("/orders");
    for _ in 0..count {
        id += RANGES.stride.draw(&mut client.dice);
        device.send(get(format!("/api/orders/{id}"))).await?;
        client.pause(think).await?;
    }
    Ok(id)
}
