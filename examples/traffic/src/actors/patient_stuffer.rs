//! A stuffer with time: from one address, with the cookie it was given, a few logins, then nothing
//! for an hour or three, day and night. No visit has more failures than a forgetful person's.

use rand::Rng;

use super::{Actor, Class};
use crate::addresses::Net;
use crate::agents;
use crate::browsing;
use crate::client::{Client, Over};
use crate::device::get;
use crate::draw::{Count, Pace, Span, chance};

pub(crate) const ACTOR: Actor = Actor {
    name: "patient_stuffer",
    class: Class::Bot,
    summary: "tries stolen logins, a few per visit, over many visits and days",
    clients: 2,
    play: |client| Box::pin(play(client)),
};

struct Ranges {
    visits: Count,
    /// Tries per visit.
    tries: Count,
    /// Median seconds between two tries: a person's.
    think_s: Span,
    think_sigma: Span,
    /// Seconds between two visits.
    break_s: Span,
    hits: Span,
}

const RANGES: Ranges = Ranges {
    visits: Count(8, 20),
    tries: Count(2, 4),
    think_s: Span(3.0, 12.0),
    think_sigma: Span(0.5, 0.9),
    break_s: Span(2_400.0, 9_000.0),
    hits: Span(0.0, 0.05),
};

async fn play(mut client: Client) -> Result<(), Over> {
    let agent = agents::desktop(&mut client.dice);
    let mut device = client.device(agent, Net::Home);
    let think = Pace::of(RANGES.think_s, RANGES.think_sigma, &mut client.dice);
    let hits = RANGES.hits.draw(&mut client.dice);
    for _ in 0..RANGES.visits.draw(&mut client.dice) {
        browsing::open(&mut device, "/").await?;
        client.pause(think).await?;
        device.turn_to("/login");
        for _ in 0..RANGES.tries.draw(&mut client.dice) {
            let victim = client.victim();
            let right = chance(&mut client.dice, hits);
            let guess = format!("Winter{}!", client.dice.random_range(2_015..2_026));
            let password = if right { victim.password } else { guess };
            if device.login(&victim.email, &password).await? == 200 {
                device.send(get("/api/me")).await?;
                device.logout().await?;
            }
            client.pause(think).await?;
        }
        let pause = RANGES.break_s.draw(&mut client.dice);
        client.wait(pause).await?;
    }
    Ok(())
}
