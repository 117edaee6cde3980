//! The demo's people, machines and bots against Envoy.

use std::sync::Arc;
use std::time::Duration;

use demo::Stack;
use traffic::{Cast, Plan, Tally, Tcp, Truth, Turnover};

/// How long a program stays, story seconds: mostly far less than the longest.
const MACHINE_STAY_S: (f64, f64) = (30.0, 300.0);

/// A round of the demo's traffic, each place taken once; the same seed plays the same stories.
#[derive(Debug, Clone, Copy)]
pub struct Round {
    /// Makes every client's choices.
    pub seed: u64,
    /// Factor on the number of clients.
    pub scale: f64,
    /// Real seconds.
    pub seconds: u64,
    /// Story seconds per real second.
    pub time_scale: f64,
}

/// Plays a round to its end; fails when a request was not answered.
pub async fn play(stack: &Stack, round: Round) -> Tally {
    let plan = Plan {
        seed: round.seed,
        duration: Duration::from_secs(round.seconds),
        time_scale: round.time_scale,
        host: "shop.example".to_owned(),
        cast: Cast::everybody(round.scale),
        turnover: Turnover::Once {
            machine_stay_s: MACHINE_STAY_S,
        },
        requests_max: 1_000_000,
        clients_max: 20_000,
        epoch_us: 0,
    };
    let address = stack.ingress.to_string();
    let truth = Truth::new(Box::new(std::io::sink()));
    let (tally, _) = traffic::run(plan, Arc::new(Tcp { address }), truth).await;
    assert!(tally.answered > 0 && tally.failed == 0, "{tally:?}");
    tally
}
