//! The load balancer's probe: one address, one path, for ever.

use super::{Actor, Class};
use crate::addresses::Net;
use crate::agents;
use crate::client::{Client, Over};
use crate::device::get;
use crate::draw::{Pace, Span, pick};

pub(crate) const ACTOR: Actor = Actor {
    name: "health_checker",
    class: Class::Machine,
    summary: "asks /healthz on a timer",
    clients: 2,
    play: |client| Box::pin(play(client)),
};

struct Ranges {
    /// Seconds between two probes.
    every_s: Span,
    sigma: Span,
}

const RANGES: Ranges = Ranges {
    every_s: Span(3.0, 10.0),
    sigma: Span(0.005, 0.03),
};

async fn play(mut client: Client) -> Result<(), Over> {
    let ua = pick(
        &mut client.dice,
        &["kube-probe/1.31", "ELB-HealthChecker/2.0", "GoogleHC/1.0"],
    );
    let mut device = client.device(agents::named(ua, "*/*"), Net::Hosting);
    let every = Pace::of(RANGES.every_s, RANGES.sigma, &mut client.dice);
    loop {
        device.send(get("/healthz")).await?;
        client.pause(every).await?;
    }
}
