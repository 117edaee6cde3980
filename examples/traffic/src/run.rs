//! The run: raises the curtain, lets everybody play until the deadline, waits for what is still
//! under way, and counts.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use rand::Rng;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::actors::{self, Actor, Class};
use crate::cast::Cast;
use crate::client::{Client, Over};
use crate::draw::Span;
use crate::truth::Truth;
use crate::wire::Dial;

/// First clients arrive within this share of the run, so that most stories come to their end.
const ARRIVAL_SHARE: f64 = 0.35;
/// The same where a crowd is wanted soon.
const ARRIVAL_SHARE_EARLY: f64 = 0.12;
/// The same where nobody is replaced.
const ARRIVAL_SHARE_ONCE: f64 = 0.7;
/// Story seconds until somebody new takes the place of a client whose story has ended.
const SUCCESSION_S: Span = Span(5.0, 60.0);

/// Who comes when.
#[derive(Clone, Copy, Debug)]
pub enum Turnover {
    /// Everybody within the first third; when a story has ended, somebody new takes the place.
    Replaced,
    /// The same, but everybody within the first eighth.
    Early,
    /// Each place is taken once, at any time before the last third. Machines, whose stories do not
    /// end, leave after a time between these bounds, story seconds; short stays are likelier.
    Once {
        /// Shortest and longest stay.
        machine_stay_s: (f64, f64),
    },
}

/// What to play.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Makes every client's dice.
    pub seed: u64,
    /// Real time until no further request is sent.
    pub duration: Duration,
    /// Story seconds per real second.
    pub time_scale: f64,
    /// The `Host` of all requests.
    pub host: String,
    /// Who plays.
    pub cast: Cast,
    /// Who comes when.
    pub turnover: Turnover,
    /// No further request is sent after so many.
    pub requests_max: u64,
    /// Nobody new arrives after so many.
    pub clients_max: u32,
    /// Microseconds since 1970 at the start, for the truth.
    pub epoch_us: u64,
}

/// What happened. `requests == answered + failed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tally {
    /// Requests for which a full response or a failure was seen.
    pub requests: u64,
    /// Full responses, whatever their status.
    pub answered: u64,
    /// No connection, broken connection, or no full response in time.
    pub failed: u64,
    /// Clients that sent at least one request.
    pub clients: u64,
}

/// What all clients share.
pub(crate) struct World {
    pub(crate) plan: Plan,
    pub(crate) dial: Arc<dyn Dial>,
    pub(crate) truth: Truth,
    start: Instant,
    pub(crate) ends: Instant,
    admitted: AtomicU64,
    answered: AtomicU64,
    failed: AtomicU64,
    arrived: AtomicU32,
    clients: AtomicU64,
}

impl World {
    /// Whether one more request may be sent.
    pub(crate) fn admit(&self) -> Result<(), Over> {
        if Instant::now() >= self.ends {
            return Err(Over);
        }
        let before = self.admitted.fetch_add(1, Ordering::Relaxed);
        if before < self.plan.requests_max {
            Ok(())
        } else {
            Err(Over)
        }
    }

    pub(crate) fn count(&self, status: u16) {
        let counter = if status == 0 {
            &self.failed
        } else {
            &self.answered
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn now_us(&self) -> u64 {
        let since = u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.plan.epoch_us.saturating_add(since)
    }
}

/// Plays the plan to its end; gives the truth back for its last flush.
pub async fn run(plan: Plan, dial: Arc<dyn Dial>, truth: Truth) -> (Tally, Option<Truth>) {
    let start = Instant::now();
    let world = Arc::new(World {
        ends: start + plan.duration,
        start,
        dial,
        truth,
        admitted: AtomicU64::new(0),
        answered: AtomicU64::new(0),
        failed: AtomicU64::new(0),
        arrived: AtomicU32::new(0),
        clients: AtomicU64::new(0),
        plan,
    });
    let mut places = JoinSet::new();
    // An actor may stand in several parts: its clients are numbered through, so that no name is
    // given twice. Taken and all, by actor.
    let mut numbers: HashMap<&str, (u32, u32)> = HashMap::new();
    for part in &world.plan.cast.parts {
        numbers.entry(part.actor.name).or_default().1 += part.clients;
    }
    for part in &world.plan.cast.parts {
        let (before, all) = numbers.entry(part.actor.name).or_default();
        let first = *before;
        *before += part.clients;
        let all = *all;
        for slot in first..*before {
            let place = Place {
                actor: part.actor,
                clients: all,
                slot,
                ip: part.place,
            };
            places.spawn(place.fill(Arc::clone(&world)));
        }
    }
    while places.join_next().await.is_some() {}
    let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let (answered, failed) = (load(&world.answered), load(&world.failed));
    let tally = Tally {
        requests: answered + failed,
        answered,
        failed,
        clients: load(&world.clients),
    };
    (tally, Arc::into_inner(world).map(|world| world.truth))
}

/// One place in the cast, held by one client after the other.
struct Place {
    actor: &'static Actor,
    /// All places of this actor, in whatever part.
    clients: u32,
    slot: u32,
    ip: Option<IpAddr>,
}

impl Place {
    async fn fill(self, world: Arc<World>) {
        let block = actors::block_of(self.actor.name);
        for generation in 0.. {
            if world.arrived.fetch_add(1, Ordering::Relaxed) >= world.plan.clients_max {
                return;
            }
            let number = self.slot + generation * self.clients;
            let mut client = Client::new(Arc::clone(&world), self.actor, block, number, self.ip);
            let story = world.plan.duration.as_secs_f64() * world.plan.time_scale;
            let once = matches!(world.plan.turnover, Turnover::Once { .. });
            let share = match world.plan.turnover {
                Turnover::Replaced => ARRIVAL_SHARE,
                Turnover::Early => ARRIVAL_SHARE_EARLY,
                Turnover::Once { .. } => ARRIVAL_SHARE_ONCE,
            };
            let delay_s = match generation {
                0 => client.dice.random::<f64>() * story * share,
                _ => SUCCESSION_S.draw(&mut client.dice),
            };
            if client.wait(delay_s).await.is_err() {
                return;
            }
            if let Turnover::Once { machine_stay_s } = world.plan.turnover
                && self.actor.class == Class::Machine
            {
                client.stay(machine_stay_s);
            }
            let seat = Arc::clone(&client.seat);
            let ended = (self.actor.play)(client).await;
            if let Some(line) = seat.line() {
                world.truth.write(&line);
                world.clients.fetch_add(1, Ordering::Relaxed);
            }
            if ended.is_err() || once {
                return;
            }
        }
    }
}
