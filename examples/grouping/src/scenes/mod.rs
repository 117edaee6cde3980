//! Who plays, scene by scene: one file each, one line in [`ALL`].

use std::time::Duration;

use shop::mix::{mix, text, unit};
use traffic::{Cast, Part, Plan, Turnover, actors};

mod fleet;
mod keyless;
mod nat;
mod partner;
mod probe;
mod rotation;
mod scanner;
mod tokens;

/// A kind of situation. Each is played in a shop of its own.
#[derive(Debug)]
pub struct Scene {
    /// The file's name.
    pub name: &'static str,
    /// Who the bots are and what is hard about them, for the report.
    pub summary: &'static str,
    /// Whether it counts towards macro figures; otherwise it is shown beside them.
    pub counts: bool,
    /// How long tokens live, seconds.
    pub token_lifetime_s: f64,
    /// Bots, and the honest clients that the scene is about.
    parts: fn(&Draw) -> Vec<Part>,
    /// The shop's usual people and programs beside them, as a multiple of [`USUAL`].
    crowd: f64,
}

/// All scenes, in the order of the tables.
pub const ALL: &[&Scene] = &[
    &nat::SCENE,
    &fleet::SCENE,
    &rotation::SCENE,
    &tokens::SCENE,
    &probe::SCENE,
    &partner::SCENE,
    &scanner::SCENE,
    &keyless::SCENE,
];

/// An hour: what tokens live where the scene is not about them.
const HOUR_S: f64 = 3_600.0;
/// Hours from the first request to the last.
const HOURS: (f64, f64) = (8.0, 16.0);
/// How long machines stay, seconds.
const MACHINE_STAY_S: (f64, f64) = (300.0, 1_500.0);
/// A Thursday noon.
const EPOCH_US: u64 = 1_772_100_000_000_000;
/// The shop's usual people and programs, and how many of each.
const USUAL: &[(&str, f64)] = &[
    ("browser_shopper", 24.0),
    ("returning_user", 10.0),
    ("window_shopper", 16.0),
    ("forgetful_user", 8.0),
    ("mobile_app_user", 16.0),
    ("sdk_sync", 4.0),
    ("app_polling", 8.0),
    ("webhook_sender", 2.0),
    ("health_checker", 1.0),
    ("monitoring", 1.0),
];

/// What is drawn for a scene's seed.
#[derive(Debug, Clone, Copy)]
pub struct Draw {
    seed: u64,
    /// Factor on the number of honest clients.
    scale: f64,
}

impl Draw {
    /// A number between the two, for this purpose.
    fn between(&self, purpose: &str, (low, high): (f64, f64)) -> f64 {
        low + (high - low) * unit(mix(text(self.seed, purpose)))
    }

    /// Honest clients, more or less.
    fn honest(&self, actor: &'static str, usual: f64) -> Option<Part> {
        let more_or_less = self.between(actor, (0.85, 1.25));
        part(actor, whole(usual * more_or_less * self.scale))
    }
}

/// So many clients of an actor, each at an address of its own.
fn part(actor: &str, clients: u32) -> Option<Part> {
    let actor = actors::find(actor)?;
    Some(Part {
        actor,
        clients,
        place: None,
    })
}

impl Scene {
    /// Everything that makes one run of it; `scale` is a factor on the number of honest clients.
    #[must_use]
    pub fn stage(&self, seed: u64, scale: f64) -> stage::scene::Scene {
        let seed = text(seed, self.name);
        let draw = Draw { seed, scale };
        let mut parts = (self.parts)(&draw);
        let crowd = USUAL.iter();
        parts.extend(crowd.filter_map(|(actor, usual)| draw.honest(actor, usual * self.crowd)));
        let hours = draw.between("hours", HOURS);
        stage::scene::Scene {
            seed,
            plan: Plan {
                seed,
                duration: Duration::from_secs_f64(hours * 3_600.0),
                time_scale: 1.0,
                host: "shop.example".to_owned(),
                cast: Cast { parts },
                turnover: Turnover::Once {
                    machine_stay_s: MACHINE_STAY_S,
                },
                requests_max: u64::MAX,
                clients_max: u32::MAX,
                epoch_us: EPOCH_US + mix(seed) % (7 * 86_400 * 1_000_000),
            },
            shop: shop::Config {
                seed: 1,
                token_lifetime: Duration::from_secs_f64(self.token_lifetime_s),
                latency_scale: draw.between("latency", (0.3, 3.0)),
                fault_every: 200 + mix(seed ^ 4) % 1_800,
            },
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to what fits"
)]
fn whole(number: f64) -> u32 {
    number.round().clamp(1.0, 10_000.0) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_in_the_list() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/scenes");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter_map(|name| name.strip_suffix(".rs").map(str::to_owned))
            .filter(|name| name != "mod")
            .collect();
        let mut names: Vec<&str> = ALL.iter().map(|scene| scene.name).collect();
        files.sort_unstable();
        names.sort_unstable();
        assert_eq!(files, names);
    }

    #[test]
    fn every_actor_exists() {
        for scene in ALL {
            let plan = scene.stage(1, 1.0).plan;
            let bots = plan.cast.parts.iter();
            let bots = bots.filter(|part| part.actor.class == actors::Class::Bot);
            assert!(bots.count() > 0, "{}", scene.name);
            let all = USUAL.len()
                + (scene.parts)(&Draw {
                    seed: 1,
                    scale: 1.0,
                })
                .len();
            assert_eq!(plan.cast.parts.len(), all, "{}", scene.name);
        }
    }
}
