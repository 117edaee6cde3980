//! Somebody who mistypes the password once or twice, and sometimes gives up and asks for the mail
//! with the reset link.

use super::{Actor, Class};
use serde_json::json;
use shop::accounts::reset_token;

use crate::addresses::Net;
use crate::agents;
use crate::browsing;
use crate::client::{Client, Over};
use crate::device::{Device, get, post};
use crate::draw::{Count, Pace, Span, chance};

pub(crate) const ACTOR: Actor = Actor {
    name: "forgetful_user",
    class: Class::Person,
    summary: "mistypes the password, sometimes needs the reset mail",
    clients: 5,
    play: |client| Box::pin(play(client)),
};

struct Ranges {
    /// Wrong passwords before the right one.
    mistakes: Count,
    /// Chance to ask for the mail instead of remembering.
    resets: f64,
    /// Median seconds between two steps.
    think_s: Span,
    think_sigma: Span,
    /// Seconds until the mail is found and opened.
    mail_s: Span,
    /// Times the person comes back and logs in again.
    visits: Count,
}

const RANGES: Ranges = Ranges {
    mistakes: Count(1, 3),
    resets: 0.45,
    think_s: Span(4.0, 12.0),
    think_sigma: Span(0.5, 0.9),
    mail_s: Span(10.0, 40.0),
    visits: Count(1, 2),
};

async fn play(mut client: Client) -> Result<(), Over> {
    let agent = agents::desktop(&mut client.dice);
    let net = Net::of_person(&mut client.dice);
    let mut device = client.device(agent, net);
    let think = Pace::of(RANGES.think_s, RANGES.think_sigma, &mut client.dice);
    for _ in 0..RANGES.visits.draw(&mut client.dice) {
        browsing::home(&mut device).await?;
        client.pause(think).await?;
        come_in(&mut client, &mut device, think).await?;
        for ask in ["/api/me", "/api/orders", "/api/cart"] {
            device.send(get(ask)).await?;
            client.pause(think).await?;
        }
        let category = browsing::category(&mut client.dice);
        browsing::browse(&mut device, category, 1).await?;
        client.pause(think).await?;
        device.logout().await?;
        client.pause(think).await?;
    }
    Ok(())
}

async fn come_in(client: &mut Client, device: &mut Device, think: Pace) -> Result<(), Over> {
    let account = client.account();
    device.turn_to("/login");
    for n in 0..RANGES.mistakes.draw(&mut client.dice) {
        let mistyped = format!("{}{n}", account.password);
        device.login(&account.email, &mistyped).await?;
        client.pause(think).await?;
    }
    if chance(&mut client.dice, RANGES.resets) {
        let email = &account.email;
        device
            .send(post("/api/password-reset", json!({"email": email})))
            .await?;
        let mail = RANGES.mail_s.draw(&mut client.dice);
        client.wait(mail).await?;
        let token = reset_token(email);
        browsing::open(device, "/").await?;
        let link = format!("/api/password-reset/{token}?email={email}");
        device.send(get(link.clone())).await?;
        client.pause(think).await?;
        // The old password again: who plays next should find the account as it was.
        device
            .send(post(link, json!({"password": account.password})))
            .await?;
        client.pause(think).await?;
    }
    device.login(&account.email, &account.password).await?;
    Ok(())
}
