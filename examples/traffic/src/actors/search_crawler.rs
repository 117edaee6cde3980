//! A search engine's crawler that says who it is: robots.txt first, then the sitemap, then pages
//! at the pace the site asked for, in no particular order. It keeps away from what is disallowed, and
//! comes from the range that its company publishes.

use super::{Actor, Class};
use rand::seq::SliceRandom;

use crate::addresses::Net;
use crate::agents::{self, Kind};
use crate::browsing::PRODUCTS;
use crate::client::{Client, Over};
use crate::device::get;
use crate::draw::{Count, Pace, Span, chance, pick};

pub(crate) const ACTOR: Actor = Actor {
    name: "search_crawler",
    class: Class::Machine,
    summary: "a declared, polite search engine: robots.txt first",
    clients: 2,
    play: |client| Box::pin(play(client)),
};

struct Ranges {
    /// Pages before it reads robots.txt again.
    pages: Count,
    /// Seconds between two requests; the site asks for 1 at least.
    every_s: Span,
    sigma: Span,
    /// Share of product pages whose data it renders.
    render: Span,
}

const RANGES: Ranges = Ranges {
    pages: Count(40, 120),
    every_s: Span(1.5, 5.0),
    sigma: Span(0.1, 0.5),
    render: Span(0.1, 0.5),
};
pub(super) const AGENTS: &[&str] = &[
    "Mozilla/5.0 (compatible; ExampleSearch/2.1; +https://search.example/bot.html)",
    "Mozilla/5.0 (compatible; OpenIndexBot/1.4; +https://index.example/crawler)",
];

async fn play(mut client: Client) -> Result<(), Over> {
    let ua = pick(&mut client.dice, AGENTS);
    let agent = agents::named(
        ua,
        "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    );
    let mut device = client.device(agent, Net::Crawlers);
    let every = Pace::of(RANGES.every_s, RANGES.sigma, &mut client.dice);
    let render = RANGES.render.draw(&mut client.dice);
    loop {
        for path in ["/robots.txt", "/sitemap.xml", "/"] {
            device.send(get(path).kind(Kind::Page)).await?;
            client.pause(every).await?;
        }
        let mut ids: Vec<u64> = PRODUCTS.collect();
        ids.shuffle(&mut client.dice);
        for id in ids.into_iter().take(RANGES.pages.draw(&mut client.dice)) {
            device
                .send(get(format!("/product/{id}")).kind(Kind::Page))
                .await?;
            client.pause(every).await?;
            if chance(&mut client.dice, render) {
                device.send(get(format!("/api/products/{id}"))).await?;
                client.pause(every).await?;
            }
        }
    }
}
