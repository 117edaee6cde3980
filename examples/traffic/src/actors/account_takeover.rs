//! An account takeover: many wrong passwords for one user, then the right one, then what the user
//! never does: the profile changed, all orders read, a quick purchase to another address.

use super::{Actor, Class};
use serde_json::json;

use crate::addresses::Net;
use crate::agents;
use crate::browsing;
use crate::client::{Client, Over};
use crate::device::{Ask, get};
use crate::draw::{Count, Pace, Span, chance};
use rand::Rng;

pub(crate) const ACTOR: Actor = Actor {
    name: "account_takeover",
    class: Class::Bot,
    summary: "guesses one user's password, gets in, empties the account",
    clients: 2,
    play: |client| Box::pin(play(client)),
};

struct Ranges {
    /// Users, one after the other.
    victims: Count,
    /// Wrong passwords before the right one; the shop locks at 25 in a minute.
    guesses: Count,
    /// Median seconds between two guesses.
    every_s: Span,
    sigma: Span,
    /// Things bought.
    loot: Count,
    addresses: Count,
}

const RANGES: Ranges = Ranges {
    victims: Count(2, 4),
    guesses: Count(9, 22),
    every_s: Span(0.6, 3.0),
    sigma: Span(0.1, 0.8),
    loot: Count(1, 4),
    addresses: Count(1, 6),
};

async fn play(mut client: Client) -> Result<(), Over> {
    let browser = chance(&mut client.dice, 0.6);
    let agent = if browser {
        agents::desktop(&mut client.dice)
    } else {
        agents::masked(&mut client.dice)
    };
    let mut device = client.device(agent, Net::Home);
    let count = RANGES.addresses.draw(&mut client.dice);
    let pool: Vec<_> = (0..count).map(|_| client.address(Net::Home)).collect();
    let every = Pace::of(RANGES.every_s, RANGES.sigma, &mut client.dice);
    for n in 0..RANGES.victims.draw(&mut client.dice) {
        let victim = client.victim();
        device.forget();
        device.move_to(pool[n % pool.len()]);
        device.turn_to("/login");
        for guess in 0..RANGES.guesses.draw(&mut client.dice) {
            device
                .login(
                    &victim.email,
                    &format!("{}{guess}", victim.name.replace(' ', ".")),
                )
                .await?;
            client.pause(every).await?;
        }
        if device.login(&victim.email, &victim.password).await? != 200 {
            continue;
        }
        let phone = format!("+99 {}", client.dice.random_range(100_000..999_999));
        device
            .send(Ask::new(
                "PUT",
                "/api/me".to_owned(),
                Some(json!({"phone": phone})),
            ))
            .await?;
        client.pause(every).await?;
        for id in device.send(get("/api/orders")).await?.ids() {
            device.send(get(format!("/api/orders/{id}"))).await?;
            client.pause(every).await?;
        }
        for _ in 0..RANGES.loot.draw(&mut client.dice) {
            let id = client.dice.random_range(browsing::PRODUCTS);
            browsing::add_to_cart(&mut device, id).await?;
        }
        let card = browsing::card(&mut client.dice);
        browsing::checkout(&mut device, card).await?;
        client.pause(every).await?;
    }
    Ok(())
}
