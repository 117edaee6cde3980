//! A smaller company with a stuffer that has no key at all: what grouping by keys does not solve.

use super::{HOUR_S, Scene, nat};

pub(super) const SCENE: Scene = Scene {
    name: "keyless",
    summary: "as `nat` with 80 people, but the stuffer is a script without cookie or device: no rule finds a key",
    counts: false,
    token_lifetime_s: HOUR_S,
    parts: |draw| nat::behind(draw, 80.0, "script_stuffer"),
    crowd: 0.3,
};
