//! Tokens that live five minutes, and enumerators who renew theirs sooner.

use super::{Scene, part};

pub(super) const SCENE: Scene = Scene {
    name: "tokens",
    summary: "four enumerators of orders: a few numbers with each five-minute token, renewed from another address",
    counts: true,
    token_lifetime_s: 300.0,
    parts: |_| part("renewing_enumerator", 4).into_iter().collect(),
    crowd: 1.5,
};
