//! Low and slow: the same kind of list, but every address tries only a few logins, looks like a
//! browser each time, and the next one comes when the last has rested. Only the sum shows it.

use super::{Actor, Class};
use rand::Rng;

use crate::addresses::Net;
use crate::agents;
use crate::browsing;
use crate::client::{Client, Over};
use crate::device::get;
use crate::draw::{Count, Pace, Span, chance};

pub(crate) const ACTOR: Actor = Actor {
    name: "slow_stuffer",
    class: Class::Bot,
    summary: "tries stolen logins, few per address, over many addresses",
    clients: 2,
    play: |client| Box::pin(play(client)),
};

struct Ranges {
    addresses: Count,
    /// Tries per address.
    tries: Count,
    /// Median seconds between two tries.
    every_s: Span,
    sigma: Span,
    hits: Span,
    /// Chance that an address loads the page before it tries.
    page: Span,
}

const RANGES: Ranges = Ranges {
    addresses: Count(40, 150),
    tries: Count(1, 3),
    every_s: Span(0.8, 4.0),
    sigma: Span(0.3, 1.0),
    hits: Span(0.01, 0.05),
    page: Span(0.0, 0.7),
};

async fn play(mut client: Client) -> Result<(), Over> {
    let every = Pace::of(RANGES.every_s, RANGES.sigma, &mut client.dice);
    let hits = RANGES.hits.draw(&mut client.dice);
    let page = RANGES.page.draw(&mut client.dice);
    for _ in 0..RANGES.addresses.draw(&mut client.dice) {
        let agent = agents::desktop(&mut client.dice);
        let mut device = client.device(agent, Net::Home);
        if chance(&mut client.dice, page) {
            browsing::open(&mut device, "/").await?;
            client.pause(every).await?;
        }
        device.turn_to("/login");
        for _ in 0..RANGES.tries.draw(&mut client.dice) {
            let victim = client.victim();
            let right = chance(&mut client.dice, hits);
            let guess = format!("Summer{}!", client.dice.random_range(2_015..2_026));
            let password = if right { victim.password } else { guess };
            if device.login(&victim.email, &password).await? == 200 {
                device.send(get("/api/me")).await?;
                device.forget();
            }
            client.pause(every).await?;
        }
    }
    Ok(())
}
