//! A scraper that wants the whole catalogue: every page of the list, every product on it, some
//! with the reviews. Some say who they are, some wear a browser's
//! or a search engine's name.

use super::{Actor, Class, search_crawler};
use crate::addresses::Net;
use crate::agents;
use crate::client::{Client, Over};
use crate::device::get;
use crate::draw::{Pace, Span, chance, pick};
use rand::Rng;

pub(crate) const ACTOR: Actor = Actor {
    name: "scraper",
    class: Class::Bot,
    summary: "copies the catalogue, page by page, product by product",
    clients: 3,
    play: |client| Box::pin(play(client)),
};

struct Ranges {
    /// Median seconds between two requests.
    every_s: Span,
    sigma: Span,
    /// Chance to fetch a product's reviews as well.
    reviews: Span,
}

const RANGES: Ranges = Ranges {
    every_s: Span(0.15, 1.2),
    sigma: Span(0.05, 0.6),
    reviews: Span(0.0, 0.8),
};

async fn play(mut client: Client) -> Result<(), Over> {
    let agent = match client.dice.random_range(0..5) {
        0 => agents::scrapy(&mut client.dice),
        1 => agents::python(&mut client.dice),
        2 => agents::curl(&mut client.dice),
        3 => agents::named(pick(&mut client.dice, search_crawler::AGENTS), "*/*"),
        _ => agents::masked(&mut client.dice),
    };
    let mut device = client.device(agent, Net::Hosting);
    let every = Pace::of(RANGES.every_s, RANGES.sigma, &mut client.dice);
    let reviews = RANGES.reviews.draw(&mut client.dice);
    let mut page = Some("/api/products?page=1".to_owned());
    while let Some(path) = page {
        let list = device.send(get(path.clone())).await?;
        client.pause(every).await?;
        for id in list.ids() {
            device.send(get(format!("/api/products/{id}"))).await?;
            client.pause(every).await?;
            if chance(&mut client.dice, reviews) {
                device
                    .send(get(format!("/api/products/{id}/reviews")))
                    .await?;
                client.pause(every).await?;
            }
        }
        // A page that failed is asked for again.
        page = if list.ok() { list.next() } else { Some(path) };
    }
    Ok(())
}
