//! Scrapers with three hundred addresses and one account each.

use super::{HOUR_S, Scene, part};

pub(super) const SCENE: Scene = Scene {
    name: "rotation",
    summary: "two scrapers, each with 300 addresses and one account, every request from another address",
    counts: true,
    token_lifetime_s: HOUR_S,
    parts: |_| part("pool_scraper", 2).into_iter().collect(),
    crowd: 1.5,
};
