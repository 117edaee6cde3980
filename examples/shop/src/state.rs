//! What the shop remembers, and how it answers one call.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::header;
use rand::SeedableRng;
use rand::rngs::SmallRng;
use serde::Serialize;
use tokio::time::Instant;

use crate::bounded::Bounded;
use crate::call::Call;
use crate::catalogue::Catalogue;
use crate::latency::{self, Weight};
use crate::mix::{mix, text};
use crate::reply::Reply;
use crate::router;
use crate::tokens::{Standing, Tokens, opaque};

const CARTS_MAX: usize = 20_000;
const PROFILES_MAX: usize = 20_000;

/// How a shop is set up.
#[derive(Clone, Debug)]
pub struct Config {
    /// Makes the catalogue, the latencies and the faults.
    pub seed: u64,
    /// How long an access token lives.
    pub token_lifetime: Duration,
    /// Factor on all latencies.
    pub latency_scale: f64,
    /// One answer in so many is a 500 or 503; 0 means none.
    pub fault_every: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            seed: 1,
            token_lifetime: Duration::from_secs(900),
            latency_scale: 1.0,
            fault_every: 500,
        }
    }
}

/// Whose cart: an account's, or an anonymous session's.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Owner {
    Account(u32),
    Anonymous(String),
}

/// Lines of a cart by product, with quantities, and a coupon.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cart {
    pub(crate) lines: BTreeMap<u32, u32>,
    pub(crate) coupon: Option<String>,
}

/// What a customer changed about the account.
#[derive(Clone, Debug, Default)]
pub(crate) struct Profile {
    pub(crate) name: Option<String>,
    pub(crate) phone: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) reset_pending: bool,
    pub(crate) coupons: Vec<String>,
    pub(crate) failures: u32,
    pub(crate) failures_since: Option<Instant>,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Order {
    pub(crate) id: u32,
    #[serde(skip)]
    pub(crate) account: u32,
    pub(crate) status: &'static str,
    pub(crate) lines: BTreeMap<u32, u32>,
    pub(crate) total_cents: u32,
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) rng: SmallRng,
    pub(crate) tokens: Tokens,
    pub(crate) carts: Bounded<Owner, Cart>,
    pub(crate) profiles: Bounded<u32, Profile>,
    /// Orders placed since the start; the history before it is a function of the number.
    pub(crate) orders: Vec<Order>,
    pub(crate) sold: HashMap<u32, u32>,
    calls: u64,
}

/// The shop: what never changes, and what does behind one lock.
#[derive(Debug)]
pub struct Shop {
    pub(crate) config: Config,
    pub(crate) catalogue: Catalogue,
    state: Mutex<State>,
}

/// An answer and how long to hold it back.
#[derive(Debug)]
pub(crate) struct Timed {
    pub(crate) reply: Reply,
    pub(crate) delay: Duration,
}

impl Shop {
    /// A shop that nobody has visited yet.
    #[must_use]
    pub fn new(config: Config) -> Self {
        let state = State {
            rng: SmallRng::seed_from_u64(mix(config.seed ^ 0x5e55)),
            tokens: Tokens::new(config.token_lifetime),
            carts: Bounded::new(CARTS_MAX),
            profiles: Bounded::new(PROFILES_MAX),
            orders: Vec::new(),
            sold: HashMap::new(),
            calls: 0,
        };
        Self {
            catalogue: Catalogue::new(config.seed),
            state: Mutex::new(state),
            config,
        }
    }

    pub(crate) fn answer(&self, mut call: Call) -> Timed {
        let mut state = self.state();
        state.calls += 1;
        let luck = match call.header("x-request-id") {
            Some(id) => text(self.config.seed, id),
            None => mix(state.calls ^ self.config.seed),
        };
        let (weight, mut reply) = match router::find(&mut call) {
            Ok(route) => match latency::fault(route.weight, luck, self.config.fault_every) {
                Some(status) => (route.weight, hiccup(status)),
                None => (route.weight, (route.answer)(self, &mut state, &call)),
            },
            Err(reply) => (Weight::Static, reply),
        };
        if starts_session(&call) {
            let sid = opaque(&mut state.rng, 16);
            let cookie = format!("sid={sid}; Path=/; HttpOnly; SameSite=Lax");
            reply = reply.with(header::SET_COOKIE, &cookie);
        }
        let delay = latency::delay(weight, luck, self.config.latency_scale);
        Timed { reply, delay }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The account that calls, or the 401 to send.
    pub(crate) fn caller(&self, call: &Call) -> Result<u32, Reply> {
        let refuse = |code, message| {
            let reply = Reply::error(401, code, message);
            Err(reply.with(header::WWW_AUTHENTICATE, "Bearer realm=\"shop\""))
        };
        match call
            .bearer()
            .map(|token| self.tokens.standing(token, call.now))
        {
            Some(Standing::Account(account)) => Ok(account),
            Some(Standing::Expired) => refuse("token_expired", "The access token has expired."),
            Some(Standing::Unknown) => refuse("invalid_token", "The access token is not valid."),
            None => refuse("missing_token", "Log in first."),
        }
    }

    /// Whose cart this call means; nobody's without a token and a cookie.
    pub(crate) fn owner(&self, call: &Call) -> Result<Owner, Reply> {
        if call.bearer().is_some() {
            return self.caller(call).map(Owner::Account);
        }
        let sid = call.sid().map(|sid| Owner::Anonymous(sid.to_owned()));
        sid.ok_or_else(|| Reply::error(400, "no_session", "Cookies are needed for a cart."))
    }

    /// What the account changed, made on first use.
    pub(crate) fn profile(&mut self, account: u32) -> Option<&mut Profile> {
        self.profiles.entry(&account, Profile::default)
    }
}

/// Pages and the API start a session for a browser; files, health checks and webhooks do not.
fn starts_session(call: &Call) -> bool {
    let file = ["/assets/", "/images/", "/webhooks/"];
    let quiet = ["/healthz", "/robots.txt", "/favicon.ico", "/sitemap.xml"];
    call.sid().is_none()
        && call.bearer().is_none()
        && !quiet.contains(&call.path.as_str())
        && !file.iter().any(|prefix| call.path.starts_with(prefix))
}

fn hiccup(status: u16) -> Reply {
    let reply = Reply::error(status, "temporary", "Something went wrong, try again.");
    if status == 503 {
        return reply.with(header::RETRY_AFTER, "1");
    }
    reply
}
