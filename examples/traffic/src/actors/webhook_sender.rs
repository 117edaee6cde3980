//! The payment provider: signed events, in bunches when something happens; repeated when refused
//! for a moment. Now and then one carries a signature made with yesterday's key.

use super::{Actor, Class};
use rand::Rng;
use serde_json::json;
use shop::webhook;

use crate::addresses::Net;
use crate::agents;
use crate::client::{Client, Over};
use crate::device::post;
use crate::draw::{Count, Pace, Span, chance, pick};

pub(crate) const ACTOR: Actor = Actor {
    name: "webhook_sender",
    class: Class::Machine,
    summary: "the payment provider: signed webhooks in bunches",
    clients: 2,
    play: |client| Box::pin(play(client)),
};

struct Ranges {
    /// Events in a bunch.
    bunch: Count,
    /// Median seconds between two bunches.
    every_s: Span,
    sigma: Span,
    /// Chance of a bad signature.
    stale: f64,
}

const RANGES: Ranges = Ranges {
    bunch: Count(1, 6),
    every_s: Span(4.0, 20.0),
    sigma: Span(0.4, 1.0),
    stale: 0.01,
};
const EVENTS: &[&str] = &["payment.authorised", "payment.settled", "payment.refunded"];

async fn play(mut client: Client) -> Result<(), Over> {
    let agent = agents::named(
        "ExamplePay-Webhooks/2.4 (+https://pay.example/hooks)",
        "*/*",
    );
    let mut device = client.device(agent, Net::Hosting);
    let every = Pace::of(RANGES.every_s, RANGES.sigma, &mut client.dice);
    loop {
        for _ in 0..RANGES.bunch.draw(&mut client.dice) {
            let order = client.dice.random_range(1_000_000..1_200_000);
            let event = json!({"event": pick(&mut client.dice, EVENTS), "order": order});
            let mut signature = webhook::signature(event.to_string().as_bytes());
            if chance(&mut client.dice, RANGES.stale) {
                signature = webhook::signature(b"stale");
            }
            let hook = post("/webhooks/payment", event).header(webhook::HEADER, signature);
            if device.send(hook.clone()).await?.status >= 500 {
                client.wait(1.0).await?;
                device.send(hook).await?;
            }
        }
        client.pause(every).await?;
    }
}
