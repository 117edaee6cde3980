//! A stuffer on a phone of the fleet: the app's own calls, headers and version, the carrier's
//! address, a person's pace, and a device of its own.

use super::office_stuffer::{Ranges, stuff};
use crate::actors::{Actor, Class};
use crate::addresses::Net;
use crate::agents;
use crate::client::{Client, Over};
use crate::draw::{Count, Span};

pub(super) const ACTOR: Actor = Actor {
    name: "fleet_stuffer",
    class: Class::Bot,
    summary: "tries stolen logins with the app, from a phone like all others",
    clients: 3,
    play: |client| Box::pin(play(client)),
};

const RANGES: Ranges = Ranges {
    list: Count(20, 60),
    every_s: Span(5.0, 30.0),
    sigma: Span(0.4, 0.9),
    hits: Span(0.0, 0.05),
};

async fn play(mut client: Client) -> Result<(), Over> {
    let agent = agents::fleet_app(client.seat.world.plan.seed, &mut client.dice);
    let device = client.device(agent, Net::Mobile);
    stuff(&mut client, device, &RANGES).await
}
