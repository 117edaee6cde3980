//! The shop's app in a pocket: nobody looks at it, a timer asks for the orders.

use super::{Actor, Class};
use crate::addresses::Net;
use crate::agents;
use crate::client::{Client, Over};
use crate::device::get;
use crate::draw::{Pace, Span};

pub(crate) const ACTOR: Actor = Actor {
    name: "app_polling",
    class: Class::Machine,
    summary: "the app in the background: asks for orders on a timer",
    clients: 8,
    play: |client| Box::pin(play(client)),
};

struct Ranges {
    /// Seconds between two polls.
    every_s: Span,
    /// The unevenness that a sleeping phone adds.
    sigma: Span,
}

const RANGES: Ranges = Ranges {
    every_s: Span(8.0, 30.0),
    sigma: Span(0.03, 0.3),
};

async fn play(mut client: Client) -> Result<(), Over> {
    let agent = agents::app(&mut client.dice);
    let mut device = client.device(agent, Net::Mobile);
    let every = Pace::of(RANGES.every_s, RANGES.sigma, &mut client.dice);
    client.sign_in(&mut device, every).await?;
    let mine = device.send(get("/api/orders")).await?.ids();
    loop {
        client.pause(every).await?;
        client.sign_in(&mut device, every).await?;
        device.send(get("/api/orders")).await?;
        if let Some(id) = mine.last() {
            device.send(get(format!("/api/orders/{id}"))).await?;
        }
    }
}
