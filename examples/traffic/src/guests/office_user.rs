//! Somebody at work, behind the address of the whole company, mostly with the browser that the
//! company has on its machines. The shop's web application names its device in every call.

use crate::actors::{Actor, Class, browser_shopper};
use crate::addresses::Net;
use crate::agents;
use crate::client::{Client, Over};
use crate::draw::{Count, chance, uuid};

pub(super) const ACTOR: Actor = Actor {
    name: "office_user",
    class: Class::Person,
    summary: "shops at work, with the company's browser",
    clients: 200,
    play: |client| Box::pin(play(client)),
};

/// Share of the machines that are set up by the company.
const SET_UP: f64 = 0.75;
/// There is work to do.
const VISITS: Count = Count(1, 1);

async fn play(mut client: Client) -> Result<(), Over> {
    let agent = if chance(&mut client.dice, SET_UP) {
        agents::company_browser(client.seat.world.plan.seed)
    } else {
        agents::desktop(&mut client.dice)
    };
    let agent = agent.on_device(uuid(&mut client.dice));
    let device = client.device(agent, Net::Office);
    browser_shopper::shop(client, device, VISITS).await
}
