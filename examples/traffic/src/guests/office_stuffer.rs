//! A stuffer on one of a company's machines: the company's address and its browser's name, and a
//! device of its own, since the shop's web application is what it drives. Slower than most, as the
//! company's line is watched.

use rand::Rng;

use crate::actors::{Actor, Class};
use crate::addresses::Net;
use crate::agents;
use crate::client::{Client, Over};
use crate::device::{Device, get};
use crate::draw::{Count, Pace, Span, chance, uuid};

pub(super) const ACTOR: Actor = Actor {
    name: "office_stuffer",
    class: Class::Bot,
    summary: "tries stolen logins from inside a company",
    clients: 1,
    play: |client| Box::pin(play(client)),
};

/// What stuffers of the guests have in common.
pub(super) struct Ranges {
    /// Entries of the list.
    pub(super) list: Count,
    /// Median seconds between two tries.
    pub(super) every_s: Span,
    pub(super) sigma: Span,
    /// Share of entries that work.
    pub(super) hits: Span,
}

const RANGES: Ranges = Ranges {
    list: Count(40, 160),
    every_s: Span(3.0, 20.0),
    sigma: Span(0.2, 0.8),
    hits: Span(0.0, 0.05),
};

async fn play(mut client: Client) -> Result<(), Over> {
    let agent = agents::company_browser(client.seat.world.plan.seed);
    let agent = agent.on_device(uuid(&mut client.dice));
    let device = client.device(agent, Net::Office);
    stuff(&mut client, device, &RANGES).await
}

/// Works through a list of stolen logins.
pub(super) async fn stuff(
    client: &mut Client,
    mut device: Device,
    ranges: &Ranges,
) -> Result<(), Over> {
    let every = Pace::of(ranges.every_s, ranges.sigma, &mut client.dice);
    let hits = ranges.hits.draw(&mut client.dice);
    device.turn_to("/login");
    for _ in 0..ranges.list.draw(&mut client.dice) {
        let victim = client.victim();
        let guess = format!("Summer{}!", client.dice.random_range(2_015..2_027));
        let right = chance(&mut client.dice, hits);
        let password = if right { victim.password } else { guess };
        if device.login(&victim.email, &password).await? == 200 {
            device.send(get("/api/me")).await?;
            device.logout().await?;
        }
        client.pause(every).await?;
    }
    Ok(())
}
