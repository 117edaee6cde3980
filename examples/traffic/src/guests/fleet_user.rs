//! Somebody with a phone of a fleet: bought together, set up together, the same app in the same
//! version, behind a carrier's few addresses.

use crate::actors::{Actor, Class, mobile_app_user};
use crate::addresses::Net;
use crate::agents;
use crate::client::{Client, Over};

pub(super) const ACTOR: Actor = Actor {
    name: "fleet_user",
    class: Class::Person,
    summary: "uses the app on one of many equal phones",
    clients: 160,
    play: |client| Box::pin(play(client)),
};

async fn play(mut client: Client) -> Result<(), Over> {
    let agent = agents::fleet_app(client.seat.world.plan.seed, &mut client.dice);
    let device = client.device(agent, Net::Mobile);
    mobile_app_user::tap(client, device).await
}
