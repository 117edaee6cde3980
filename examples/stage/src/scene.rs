//! A seed → what is played: how long, how busy, by whom, and in what shop.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use shop::mix::{below, mix, unit};
use traffic::actors::{self, Class};
use traffic::{Cast, Part, Plan, Turnover};

/// Clients of each bot actor in a scene.
const BOTS_EACH: u32 = 5;
/// People and machines in a scene at scale 1.
const PEOPLE: f64 = 400.0;
const MACHINES: f64 = 300.0;
/// Hours from the first request to the last.
const HOURS: (f64, f64) = (12.0, 48.0);
/// How long machines stay, seconds: a job's run, an app that is closed, a day's batch.
const MACHINE_STAY_S: (f64, f64) = (360.0, 9_000.0);
/// A Thursday noon.
const EPOCH_US: u64 = 1_772_100_000_000_000;

/// Everything that makes one run.
#[derive(Clone, Debug)]
pub struct Scene {
    /// Makes all choices.
    pub seed: u64,
    /// The actors' part.
    pub plan: Plan,
    /// The shop's part.
    pub shop: shop::Config,
}

/// A number between the two, drawn for this seed and purpose.
fn draw(seed: u64, purpose: u64, (low, high): (f64, f64)) -> f64 {
    low + (high - low) * unit(mix(mix(seed).wrapping_add(purpose)))
}

impl Scene {
    /// The scene of a seed; `scale` is a factor on the number of honest clients.
    #[must_use]
    pub fn of(seed: u64, scale: f64) -> Self {
        let hours = HOURS.0 * (HOURS.1 / HOURS.0).powf(draw(seed, 1, (0.0, 1.0)));
        let plan = Plan {
            seed,
            duration: Duration::from_secs_f64(hours * 3600.0),
            time_scale: 1.0,
            host: "shop.example".to_owned(),
            cast: cast(seed, scale),
            turnover: Turnover::Once {
                machine_stay_s: MACHINE_STAY_S,
            },
            requests_max: u64::MAX,
            clients_max: u32::MAX,
            epoch_us: EPOCH_US + mix(seed) % (7 * 86_400 * 1_000_000),
        };
        let shop = shop::Config {
            seed: 1,
            token_lifetime: Duration::from_secs_f64(draw(seed, 2, (300.0, 3_600.0))),
            latency_scale: draw(seed, 3, (0.3, 3.0)),
            fault_every: 200 + mix(seed ^ 4) % 1_800,
        };
        Self { seed, plan, shop }
    }
}

/// Everybody: honest clients in the demo's proportions, give or take a half, bots five of each,
/// and one stuffer more that sits behind an office's address among people.
fn cast(seed: u64, scale: f64) -> Cast {
    let usual = |class: Class| -> f64 {
        let actors = actors::ALL.iter().filter(|actor| actor.class == class);
        actors.map(|actor| f64::from(actor.clients)).sum()
    };
    let mut parts: Vec<Part> = Vec::new();
    for (number, actor) in (10..).zip(actors::ALL) {
        let all = match actor.class {
            Class::Bot => None,
            Class::Person => Some(PEOPLE),
            Class::Machine => Some(MACHINES),
        };
        let clients = all.map_or(BOTS_EACH, |all| {
            let share = f64::from(actor.clients) / usual(actor.class);
            let more_or_less = draw(seed, number, (0.6, 1.4));
            whole(all * share * more_or_less * scale)
        });
        parts.push(Part {
            actor,
            clients,
            place: None,
        });
    }
    let office = u8::try_from(below(mix(seed ^ 9), 8)).unwrap_or(0) + 1;
    parts.extend(actors::find("credential_stuffer").map(|actor| Part {
        actor,
        clients: 1,
        place: Some(IpAddr::V4(Ipv4Addr::new(203, 0, 113, office))),
    }));
    Cast { parts }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to what fits"
)]
fn whole(number: f64) -> u32 {
    number.round().clamp(1.0, 10_000.0) as u32
}
