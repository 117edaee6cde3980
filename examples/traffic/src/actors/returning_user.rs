//! A regular customer with a laptop and a phone, logged in on both: two sessions, two addresses, one person.

use super::{Actor, Class};
use crate::addresses::Net;
use crate::agents;
use crate::browsing;
use crate::client::{Client, Over};
use crate::device::{Device, get};
use crate::draw::{Count, Pace, Span, chance, pick};

pub(crate) const ACTOR: Actor = Actor {
    name: "returning_user",
    class: Class::Person,
    summary: "one account on laptop and phone, comes back and changes devices",
    clients: 6,
    play: |client| Box::pin(play(client)),
};

struct Ranges {
    /// Visits, each on either device.
    visits: Count,
    /// Steps per visit.
    steps: Count,
    /// Median seconds between two steps.
    think_s: Span,
    think_sigma: Span,
    /// Seconds between two visits.
    break_s: Span,
}

const RANGES: Ranges = Ranges {
    visits: Count(2, 5),
    steps: Count(3, 8),
    think_s: Span(3.0, 11.0),
    think_sigma: Span(0.6, 1.0),
    break_s: Span(10.0, 120.0),
};

async fn play(mut client: Client) -> Result<(), Over> {
    let laptop = agents::desktop(&mut client.dice);
    let phone = agents::phone(&mut client.dice);
    let mut laptop = client.device(laptop, Net::Home);
    let mut phone = client.device(phone, Net::Mobile);
    let think = Pace::of(RANGES.think_s, RANGES.think_sigma, &mut client.dice);
    let visits = RANGES.visits.draw(&mut client.dice).max(2);
    for visit in 0..visits {
        let on_phone = visit == 1 || (visit > 1 && chance(&mut client.dice, 0.5));
        let device = if on_phone { &mut phone } else { &mut laptop };
        visit_once(&mut client, device, think).await?;
        let pause = RANGES.break_s.draw(&mut client.dice);
        client.wait(pause).await?;
    }
    Ok(())
}

async fn visit_once(client: &mut Client, device: &mut Device, think: Pace) -> Result<(), Over> {
    let mut list = browsing::home(device).await?;
    client.pause(think).await?;
    if !device.logged_in() {
        let account = client.account();
        device.turn_to("/login");
        device.login(&account.email, &account.password).await?;
        client.pause(think).await?;
    }
    device.send(get("/api/orders")).await?;
    for _ in 0..RANGES.steps.draw(&mut client.dice) {
        client.pause(think).await?;
        if list.is_empty() || chance(&mut client.dice, 0.3) {
            let category = browsing::category(&mut client.dice);
            list = browsing::browse(device, category, 1).await?;
            continue;
        }
        let id = pick(&mut client.dice, &list);
        browsing::product(device, id).await?;
        if chance(&mut client.dice, 0.2) {
            browsing::add_to_cart(device, id).await?;
        }
    }
    browsing::cart(device).await?;
    Ok(())
}
