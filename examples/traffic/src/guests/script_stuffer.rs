//! The same stuffer without the web application: a script that posts to the login alone, under the
//! company's browser's name, keeps no cookie and names no device. It has no key that any rule finds.

use super::office_stuffer::{Ranges, stuff};
use crate::actors::{Actor, Class};
use crate::addresses::Net;
use crate::agents;
use crate::client::{Client, Over};
use crate::draw::{Count, Span};

pub(super) const ACTOR: Actor = Actor {
    name: "script_stuffer",
    class: Class::Bot,
    summary: "tries stolen logins from inside a company, without any key",
    clients: 1,
    play: |client| Box::pin(play(client)),
};

const RANGES: Ranges = Ranges {
    list: Count(40, 160),
    every_s: Span(3.0, 20.0),
    sigma: Span(0.2, 0.8),
    hits: Span(0.0, 0.05),
};

async fn play(mut client: Client) -> Result<(), Over> {
    let mut agent = agents::company_browser(client.seat.world.plan.seed);
    agent.cookies = false;
    agent.caches = false;
    let device = client.device(agent, Net::Office);
    stuff(&mut client, device, &RANGES).await
}
