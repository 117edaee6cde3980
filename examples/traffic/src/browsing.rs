//! What happens in a browser when somebody clicks: page loads with their files, and the calls of
//! the single-page application. People use it, and so do bots that drive a browser.

use serde_json::json;

use crate::agents::Kind;
use crate::client::Over;
use crate::device::{Answer, Device, get, post};
use crate::draw::{Dice, pick};

const CATEGORIES: &[&str] = &[
    "bags", "bikes", "books", "camping", "garden", "kitchen", "lamps", "shoes", "toys", "watches",
];
const WORDS: &[&str] = &[
    "alpine", "bright", "compact", "folding", "light", "nordic", "quiet", "slim", "solid", "urban",
    "arc", "haven", "loop", "orbit", "trail", "wave", "shoes", "lamps", "watches", "bags",
];
/// The numbers of the catalogue, as anyone can see in its addresses.
pub(crate) const PRODUCTS: std::ops::Range<u64> = 1_001..1_501;

pub(crate) fn category(dice: &mut Dice) -> &'static str {
    pick(dice, CATEGORIES)
}

pub(crate) fn words(dice: &mut Dice) -> &'static str {
    pick(dice, WORDS)
}

pub(crate) fn card(dice: &mut Dice) -> &'static str {
    pick(
        dice,
        &["4111111111111111", "5555555555554444", "378282246310005"],
    )
}

/// A page load: the page, its files, then the first call of the application.
pub(crate) async fn open(device: &mut Device, path: &str) -> Result<(), Over> {
    device.navigate(path).await?;
    let files = vec![
        get("/assets/style.css").kind(Kind::Style),
        get("/assets/vendor.js").kind(Kind::Script),
        get("/assets/app.js").kind(Kind::Script),
        get("/assets/logo.svg").kind(Kind::Image),
        get("/favicon.ico").kind(Kind::Image),
    ];
    device.burst(files).await?;
    Ok(())
}

/// The front page with what it shows.
pub(crate) async fn home(device: &mut Device) -> Result<Vec<u64>, Over> {
    open(device, "/").await?;
    device
        .send(get("/assets/hero.webp").kind(Kind::Image))
        .await?;
    list(device, "/api/products?per_page=12&sort=rating").await
}

/// A category of the application, without a page load.
pub(crate) async fn browse(
    device: &mut Device,
    category: &str,
    page: usize,
) -> Result<Vec<u64>, Over> {
    device.turn_to(&format!("/category/{category}"));
    list(
        device,
        &format!("/api/products?category={category}&page={page}"),
    )
    .await
}

pub(crate) async fn search(device: &mut Device, words: &str) -> Result<Vec<u64>, Over> {
    device.turn_to("/search");
    list(device, &format!("/api/search?q={words}")).await
}

/// A list and the pictures at its top.
async fn list(device: &mut Device, path: &str) -> Result<Vec<u64>, Over> {
    let answer = device.send(get(path)).await?;
    let ids = answer.ids();
    let pictures = ids
        .iter()
        .take(4)
        .map(|id| get(format!("/images/{id}.webp")).kind(Kind::Image));
    device.burst(pictures.collect()).await?;
    Ok(ids)
}

/// One product, with what belongs to it.
pub(crate) async fn product(device: &mut Device, id: u64) -> Result<(), Over> {
    device.turn_to(&format!("/product/{id}"));
    let asks = vec![
        get(format!("/api/products/{id}")),
        get(format!("/images/{id}.webp")).kind(Kind::Image),
        get(format!("/api/products/{id}/reviews")),
        get(format!("/api/stock/{id}")),
    ];
    device.burst(asks).await?;
    Ok(())
}

pub(crate) async fn add_to_cart(device: &mut Device, id: u64) -> Result<Answer, Over> {
    device
        .send(post(
            "/api/cart/items",
            json!({"product_id": id, "quantity": 1}),
        ))
        .await
}

/// The cart and what the page around it wants to know.
pub(crate) async fn cart(device: &mut Device) -> Result<Answer, Over> {
    device.turn_to("/cart");
    device.send(get("/api/cart")).await
}

pub(crate) async fn checkout(device: &mut Device, card: &str) -> Result<Answer, Over> {
    device.turn_to("/checkout");
    device
        .send(post("/api/checkout", json!({"card": card})))
        .await
}
