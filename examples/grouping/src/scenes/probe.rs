//! Enumerators who try a little without a login and a little with one.

use super::{HOUR_S, Scene, part};

pub(super) const SCENE: Scene = Scene {
    name: "probe",
    summary: "four enumerators of orders: some numbers without a login, then a login, then some more",
    counts: true,
    token_lifetime_s: HOUR_S,
    parts: |_| part("probing_enumerator", 4).into_iter().collect(),
    crowd: 1.5,
};
