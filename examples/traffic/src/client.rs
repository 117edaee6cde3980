//! One true client: its name in the truth file, its dice, its devices, its sense of time.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rand::{Rng, SeedableRng};
use shop::accounts::{ACCOUNTS, Account, account};
use tokio::time::{Instant, sleep_until};

use crate::actors::Actor;
use crate::addresses::Net;
use crate::agents::Agent;
use crate::device::Device;
use crate::draw::{Dice, Pace, chance, uuid};
use crate::run::World;
use crate::truth::ClientLine;

/// Accounts that belong to one actor's clients; the places of the actors in the list follow each
/// other, so there is room for as many actors as [`ACCOUNTS`] has such blocks.
pub(crate) const ACCOUNTS_PER_ACTOR: u32 = 4_000;

const SIGN_IN_TRIES: u32 = 5;

/// The curtain has fallen: no further request may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Over;

/// What all devices of a client share.
pub(crate) struct Seat {
    pub(crate) world: Arc<World>,
    pub(crate) name: String,
    pub(crate) actor: &'static Actor,
    sent: AtomicU64,
    notes: Mutex<Notes>,
}

struct Notes {
    /// Ids of the planned requests.
    ids: Dice,
    /// Ids of requests that the clock brought about (renewing a token), kept apart so that they
    /// do not shift the plan.
    spare: Dice,
    accounts: BTreeSet<String>,
    ips: BTreeSet<IpAddr>,
}

/// Handed to an actor's `play`.
pub(crate) struct Client {
    pub(crate) dice: Dice,
    pub(crate) seat: Arc<Seat>,
    /// All devices come from here, when the cast says so (a shared address).
    place: Option<IpAddr>,
    account: u32,
    /// When it leaves, whatever it is at; otherwise it stays until the curtain falls.
    leaves: Option<Instant>,
}

impl Seat {
    pub(crate) fn next(&self, spare: bool, ip: IpAddr) -> (u64, String) {
        let mut notes = self.notes();
        notes.ips.insert(ip);
        let id = uuid(if spare {
            &mut notes.spare
        } else {
            &mut notes.ids
        });
        (self.sent.fetch_add(1, Ordering::Relaxed), id)
    }

    pub(crate) fn note_account(&self, email: &str) {
        self.notes().accounts.insert(email.to_owned());
    }

    /// The client's line in the truth; none when it never sent anything.
    pub(crate) fn line(&self) -> Option<ClientLine> {
        let requests = self.sent.load(Ordering::Relaxed);
        let notes = self.notes();
        (requests > 0).then(|| ClientLine {
            r#type: "client",
            client: self.name.clone(),
            class: self.actor.class.name(),
            actor: self.actor.name,
            requests,
            accounts: notes.accounts.iter().cloned().collect(),
            ips: notes.ips.iter().copied().collect(),
        })
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Client {
    /// Client `number` of this actor, which has this `block` of accounts.
    pub(crate) fn new(
        world: Arc<World>,
        actor: &'static Actor,
        block: u32,
        number: u32,
        place: Option<IpAddr>,
    ) -> Self {
        let name = format!("{}-{number}", actor.name);
        let seed = shop::mix::text(world.plan.seed, &name);
        let stream = |n: u64| Dice::seed_from_u64(shop::mix::mix(seed ^ n));
        let notes = Notes {
            ids: stream(1),
            spare: stream(2),
            accounts: BTreeSet::new(),
            ips: BTreeSet::new(),
        };
        Self {
            dice: stream(0),
            seat: Arc::new(Seat {
                world,
                name,
                actor,
                sent: AtomicU64::new(0),
                notes: Mutex::new(notes),
            }),
            place,
            account: block * ACCOUNTS_PER_ACTOR + number % ACCOUNTS_PER_ACTOR,
            leaves: None,
        }
    }

    pub(crate) fn device(&mut self, agent: Agent, net: Net) -> Device {
        let ip = self.address(net);
        let h2 = chance(&mut self.dice, 0.25);
        Device::new(Arc::clone(&self.seat), agent, ip, h2)
    }

    /// A new address, or the one place the cast has put this client in.
    pub(crate) fn address(&mut self, net: Net) -> IpAddr {
        let drawn = net.address(&mut self.dice);
        self.place.unwrap_or(drawn)
    }

    /// The account that this client registered.
    pub(crate) fn account(&self) -> Account {
        account(self.account)
    }

    /// Somebody else's account, as found in a list of stolen ones: mostly of strangers, at times
    /// of somebody who is shopping right now.
    pub(crate) fn victim(&mut self) -> Account {
        if chance(&mut self.dice, 0.05) {
            let shopper =
                ACCOUNTS_PER_ACTOR * self.dice.random_range(0..5) + self.dice.random_range(0..20);
            return account(shopper);
        }
        account(self.dice.random_range(0..ACCOUNTS))
    }

    /// Logs in to the client's own account unless the device already is; a few tries, since the
    /// shop may have a bad moment.
    pub(crate) async fn sign_in(&mut self, device: &mut Device, pace: Pace) -> Result<(), Over> {
        let account = self.account();
        for _ in 0..SIGN_IN_TRIES {
            if device.logged_in() {
                break;
            }
            device.login(&account.email, &account.password).await?;
            self.pause(pace).await?;
        }
        Ok(())
    }

    /// Leaves after a time between these bounds, story seconds; short stays are likelier.
    pub(crate) fn stay(&mut self, (shortest, longest): (f64, f64)) {
        let seconds = shortest * (longest / shortest).powf(self.dice.random());
        self.leaves = Some(Instant::now() + self.real(seconds));
    }

    /// Story seconds as the clock runs, three days at most.
    fn real(&self, seconds: f64) -> Duration {
        let real = seconds / self.seat.world.plan.time_scale;
        Duration::from_secs_f64(real.clamp(0.0, 3.0 * 86_400.0))
    }

    /// Waits as long as the pace says.
    pub(crate) async fn pause(&mut self, pace: Pace) -> Result<(), Over> {
        let seconds = pace.draw(&mut self.dice);
        self.wait(seconds).await
    }

    /// Waits for so many seconds of story time.
    pub(crate) async fn wait(&self, seconds: f64) -> Result<(), Over> {
        let world = &self.seat.world;
        let until = Instant::now() + self.real(seconds);
        let ends = self
            .leaves
            .map_or(world.ends, |leaves| leaves.min(world.ends));
        sleep_until(until.min(ends)).await;
        if until >= ends { Err(Over) } else { Ok(()) }
    }
}
