//! Somebody with the shop's app: no pages and no files, only the API and GraphQL, with taps as
//! uneven as anyone's, and a parcel that is awaited.

use super::{Actor, Class};
use serde_json::{Value, json};

use crate::addresses::Net;
use crate::agents;
use crate::browsing;
use crate::client::{Client, Over};
use crate::device::{Device, get, post};
use crate::draw::{Count, Pace, Span, chance, pick};

pub(crate) const ACTOR: Actor = Actor {
    name: "mobile_app_user",
    class: Class::Person,
    summary: "uses the app: lists, products, where is my order",
    clients: 10,
    play: |client| Box::pin(play(client)),
};

struct Ranges {
    /// Taps in all.
    taps: Count,
    /// Median seconds between two taps.
    think_s: Span,
    think_sigma: Span,
    /// Chance that a tap looks after the order.
    orders: Span,
}

const RANGES: Ranges = Ranges {
    taps: Count(5, 25),
    think_s: Span(3.0, 12.0),
    think_sigma: Span(0.6, 1.1),
    orders: Span(0.1, 0.5),
};

async fn play(mut client: Client) -> Result<(), Over> {
    let agent = agents::app(&mut client.dice);
    let net = if chance(&mut client.dice, 0.7) {
        Net::Mobile
    } else {
        Net::Home
    };
    let device = client.device(agent, net);
    tap(client, device).await
}

/// The story of everybody with the app, whatever it runs on.
pub(crate) async fn tap(mut client: Client, mut device: Device) -> Result<(), Over> {
    let think = Pace::of(RANGES.think_s, RANGES.think_sigma, &mut client.dice);
    let orders = RANGES.orders.draw(&mut client.dice);
    let account = client.account();
    device.login(&account.email, &account.password).await?;
    device
        .send(post("/graphql", operation("Viewer", &Value::Null)))
        .await?;
    let mine = device.send(get("/api/orders")).await?.ids();
    let mut list = device.send(get("/api/products?per_page=20")).await?.ids();
    for _ in 0..RANGES.taps.draw(&mut client.dice) {
        client.pause(think).await?;
        if !mine.is_empty() && chance(&mut client.dice, orders) {
            let id = pick(&mut client.dice, &mine);
            device.send(get(format!("/api/orders/{id}"))).await?;
        } else if list.is_empty() || chance(&mut client.dice, 0.3) {
            let category = browsing::category(&mut client.dice);
            let path = format!("/api/products?per_page=20&category={category}");
            list = device.send(get(path)).await?.ids();
        } else {
            let id = pick(&mut client.dice, &list);
            device
                .send(post(
                    "/graphql",
                    operation("ProductPage", &json!({"id": id})),
                ))
                .await?;
            if chance(&mut client.dice, 0.2) {
                browsing::add_to_cart(&mut device, id).await?;
            }
        }
    }
    Ok(())
}

fn operation(name: &str, variables: &Value) -> Value {
    json!({"operationName": name, "query": format!("query {name} {{ result }}"), "variables": variables})
}
