//! Scanners at one address each: what any grouping should find.

use super::{HOUR_S, Scene, part};

pub(super) const SCENE: Scene = Scene {
    name: "scanner",
    summary: "four scanners, each at one address with one user agent",
    counts: true,
    token_lifetime_s: HOUR_S,
    parts: |_| part("path_scanner", 4).into_iter().collect(),
    crowd: 1.5,
};
