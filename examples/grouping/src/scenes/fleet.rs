//! Equal phones behind a carrier's four addresses, and stuffers among them.

use std::net::{IpAddr, Ipv4Addr};

use traffic::Part;

use super::{Draw, HOUR_S, Scene, part};

pub(super) const SCENE: Scene = Scene {
    name: "fleet",
    summary: "three stuffers with the app among 160 equal phones behind a carrier's four addresses",
    counts: true,
    token_lifetime_s: HOUR_S,
    parts,
    crowd: 0.5,
};

const ADDRESSES: u8 = 4;
const STUFFERS: u8 = 3;

fn parts(draw: &Draw) -> Vec<Part> {
    let honest = 160.0 / f64::from(ADDRESSES);
    let people = (0..ADDRESSES).map(|at| (at, draw.honest("fleet_user", honest)));
    let bots = (0..STUFFERS).map(|at| (at, part("fleet_stuffer", 1)));
    let all = people.chain(bots);
    all.filter_map(|(at, part)| {
        let carrier = Ipv4Addr::new(203, 0, 113, 200 + at);
        Some(Part {
            place: Some(IpAddr::V4(carrier)),
            ..part?
        })
    })
    .collect()
}
