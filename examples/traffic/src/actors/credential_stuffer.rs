//! A credential stuffer: a list of addresses and passwords from somebody else's leak, tried one
//! after the other from one or a few addresses. Most fail; where one works, it looks and goes on.

use super::{Actor, Class};
use rand::Rng;

use crate::addresses::Net;
use crate::agents;
use crate::client::{Client, Over};
use crate::device::get;
use crate::draw::{Count, Pace, Span, chance};

pub(crate) const ACTOR: Actor = Actor {
    name: "credential_stuffer",
    class: Class::Bot,
    summary: "tries a list of stolen logins from few addresses",
    clients: 3,
    play: |client| Box::pin(play(client)),
};

struct Ranges {
    /// Entries of the list.
    list: Count,
    addresses: Count,
    /// Median seconds between two tries.
    every_s: Span,
    sigma: Span,
    /// Share of entries that work.
    hits: Span,
    /// Share of entries of people who are no customers.
    strangers: Span,
}

const RANGES: Ranges = Ranges {
    list: Count(80, 400),
    addresses: Count(1, 4),
    every_s: Span(0.3, 2.0),
    sigma: Span(0.05, 0.7),
    hits: Span(0.005, 0.06),
    strangers: Span(0.2, 0.7),
};

async fn play(mut client: Client) -> Result<(), Over> {
    let agent = match client.dice.random_range(0..3) {
        0 => agents::python(&mut client.dice),
        1 => agents::go(&mut client.dice),
        _ => agents::masked(&mut client.dice),
    };
    let mut device = client.device(agent, Net::Hosting);
    let count = RANGES.addresses.draw(&mut client.dice);
    let pool: Vec<_> = (0..count).map(|_| client.address(Net::Hosting)).collect();
    let every = Pace::of(RANGES.every_s, RANGES.sigma, &mut client.dice);
    let hits = RANGES.hits.draw(&mut client.dice);
    let strangers = RANGES.strangers.draw(&mut client.dice);
    for n in 0..RANGES.list.draw(&mut client.dice) {
        if n % 20 == 0 {
            device.move_to(pool[n / 20 % pool.len()]);
        }
        let (email, password) = entry(&mut client, hits, strangers);
        if device.login(&email, &password).await? == 200 {
            device.send(get("/api/me")).await?;
            device.forget();
        }
        client.pause(every).await?;
    }
    Ok(())
}

/// One line of the list.
fn entry(client: &mut Client, hits: f64, strangers: f64) -> (String, String) {
    let victim = client.victim();
    let number: u32 = client.dice.random();
    if chance(&mut client.dice, hits) {
        (victim.email, victim.password)
    } else if chance(&mut client.dice, strangers) {
        (
            victim.email.replace('@', &format!("{}@", number % 90 + 10)),
            format!("pass{number}"),
        )
    } else {
        (
            victim.email,
            format!("{}{}", victim.name.replace(' ', ""), number % 1_000),
        )
    }
}
