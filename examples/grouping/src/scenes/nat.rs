//! A stuffer among two hundred people behind one address.

use std::net::{IpAddr, Ipv4Addr};

use traffic::Part;

use super::{Draw, HOUR_S, Scene, part};

pub(super) const SCENE: Scene = Scene {
    name: "nat",
    summary: "one stuffer among 200 people of a company, all behind 203.0.113.7, most with the same browser",
    counts: true,
    token_lifetime_s: HOUR_S,
    parts: |draw| behind(draw, 200.0, "office_stuffer"),
    crowd: 0.45,
};

const OFFICE: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 7));

/// The company, and a bot in it.
pub(super) fn behind(draw: &Draw, people: f64, bot: &str) -> Vec<Part> {
    let people = draw.honest("office_user", people);
    let all = [people, part(bot, 1)].into_iter().flatten();
    all.map(|part| Part {
        place: Some(OFFICE),
        ..part
    })
    .collect()
}
