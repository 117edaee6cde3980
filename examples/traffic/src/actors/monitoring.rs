//! A monitoring service that walks the same short path on a timer from a few places, to see
//! whether the shop is up and how fast.

use super::{Actor, Class};
use crate::addresses::Net;
use crate::agents;
use crate::browsing;
use crate::client::{Client, Over};
use crate::device::get;
use crate::draw::{Count, Pace, Span};

pub(crate) const ACTOR: Actor = Actor {
    name: "monitoring",
    class: Class::Machine,
    summary: "walks through the shop on a timer and measures",
    clients: 2,
    play: |client| Box::pin(play(client)),
};

struct Ranges {
    /// Places it looks from.
    places: Count,
    /// Seconds between two walks.
    every_s: Span,
    sigma: Span,
}

const RANGES: Ranges = Ranges {
    places: Count(2, 4),
    every_s: Span(8.0, 25.0),
    sigma: Span(0.01, 0.06),
};

async fn play(mut client: Client) -> Result<(), Over> {
    let agent = agents::named("ExampleUptime/3.2 (+https://uptime.example)", "*/*");
    let mut device = client.device(agent, Net::Hosting);
    let count = RANGES.places.draw(&mut client.dice);
    let places: Vec<_> = (0..count).map(|_| client.address(Net::Hosting)).collect();
    let every = Pace::of(RANGES.every_s, RANGES.sigma, &mut client.dice);
    let words = browsing::words(&mut client.dice);
    for place in places.iter().cycle() {
        device.move_to(*place);
        device.send(get("/")).await?;
        device.send(get("/healthz")).await?;
        device.send(get(format!("/api/search?q={words}"))).await?;
        device.send(get("/api/products/1001")).await?;
        client.pause(every).await?;
    }
    Ok(())
}
