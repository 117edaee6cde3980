//! A partner's key that forty of its programs share, and a scraper who has got hold of it.

use super::{HOUR_S, Scene, part};

pub(super) const SCENE: Scene = Scene {
    name: "partner",
    summary: "one scraper with a partner's key, which 40 honest programs of the partner share",
    counts: true,
    token_lifetime_s: HOUR_S,
    parts: |draw| {
        let tills = draw.honest("partner_client", 40.0);
        let all = [tills, part("partner_scraper", 1)];
        all.into_iter().flatten().collect()
    },
    crowd: 1.2,
};
