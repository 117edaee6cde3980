//! An application: its endpoints, its usual steps, its baseline; and what an exchange means to it.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::Step;
use super::baseline::Baseline;
use super::campaign::Campaign;
use super::readers::Readers;
use super::session::Session;
use super::shapes::Shapes;
use crate::event::{
    self, Browser, Claim, Event, Exchange, Kind, LogPosition, Method, Referer, Templates,
};
use crate::features::{Place, Visit};
use crate::hash;
use crate::num;
use crate::sketch::{Bits, LogBins, Top};

/// Pairs of endpoints that are counted.
const PAIRS_MAX: usize = 16_384;
/// Requests of one visit that teach: more of the same would only let one client write the norm.
const LESSONS_MAX: u32 = 200;

/// What is known of an endpoint.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Endpoint {
    pub(crate) requests: u32,
    /// Steps that led on from here.
    out: u32,
    bytes: LogBins<52>,
    times: LogBins<52>,
    /// Parameter values that were served: the catalogue, as far as anyone saw it.
    pub(crate) values: Bits<16>,
    /// Of requests with a parameter, the first three of a visit and of all that is judged with it:
    /// more would let one enumerator make misses usual.
    pub(crate) tries: u32,
    pub(crate) tries_missed: u32,
    /// Of the same, pairs of numbers that followed each other, and those that were neighbours.
    pub(crate) pairs: u32,
    pub(crate) pairs_near: u32,
    /// Networks that these pairs came from, each once: one client's habit is nobody else's.
    taught: Bits<4>,
    /// The same for tries, the first three of each network.
    tried: Bits<16>,
}

impl Endpoint {
    fn learn_tries(&mut self, event: &Event, place: Option<&Place>, network: u64) {
        const TRIES_MAX: u32 = 3;
        const TRIED_MAX: f64 = 1_500.0;
        const NETWORKS_MAX: f64 = 500.0;
        let tries = place.map_or(0, |it| it.requests);
        if event.parameter.is_none() || tries > TRIES_MAX {
            return;
        }
        // Whoever changes the session with every few tries must not make misses usual.
        if self.tried.insert(hash::pair(network, u64::from(tries))) {
            self.tries += 1;
            self.tries_missed += u32::from(event.missed());
            if self.tried.count() > TRIED_MAX {
                self.tried = Bits::default();
                self.tries /= 2;
                self.tries_missed /= 2;
            }
        }
        let Some(place) = place.filter(|_| tries == TRIES_MAX && self.taught.insert(network))
        else {
            return;
        };
        self.pairs += place.numbers.saturating_sub(1);
        self.pairs_near += place.steps;
        if self.taught.count() > NETWORKS_MAX {
            self.taught = Bits::default();
            self.pairs /= 2;
            self.pairs_near /= 2;
        }
    }
}

/// How far records lag behind the latest: the most lately, halved every ten minutes.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Late {
    us: i64,
    since_us: i64,
}

impl Late {
    fn observe(&mut self, latest_us: i64, at_us: i64) {
        /// More is a clock that jumped.
        const LATE_MAX_US: i64 = 3600 * 1_000_000;
        const HALF_US: i64 = 600 * 1_000_000;
        let late = latest_us.saturating_sub(at_us);
        if (self.us..LATE_MAX_US).contains(&late) {
            (self.us, self.since_us) = (late, latest_us);
        } else if latest_us.saturating_sub(self.since_us) > HALF_US {
            (self.us, self.since_us) = (self.us / 2, latest_us);
        }
    }
}

/// One application.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Application {
    pub(crate) name: Box<str>,
    seed: u64,
    pub(crate) templates: Templates,
    endpoints: Vec<Endpoint>,
    #[serde(with = "pairs")]
    steps: HashMap<(u32, u32), u32>,
    pub(crate) requests: u64,
    /// Hosts that assets name as the page they belong to.
    hosts: Top<8>,
    pub(crate) baseline: Baseline,
    pub(crate) campaign: Campaign,
    pub(crate) shapes: Shapes,
    pub(crate) readers: Readers,
    late: Late,
    /// Visits of 3 requests, and those with an asset by then.
    visits: u32,
    visits_with_assets: u32,
    pub(crate) first_us: i64,
    pub(crate) last_us: i64,
}

/// Maps with tuple keys as lists: JSON has no others.
mod pairs {
    use std::collections::HashMap;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(
        map: &HashMap<(u32, u32), u32>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(map)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<HashMap<(u32, u32), u32>, D::Error> {
        Ok(Vec::deserialize(deserializer)?.into_iter().collect())
    }
}

impl Application {
    pub(crate) fn new(name: &str, seed: u64) -> Self {
        Self {
            name: name.into(),
            seed,
            templates: Templates::new(seed),
            endpoints: Vec::new(),
            steps: HashMap::new(),
            requests: 0,
            hosts: Top::default(),
            baseline: Baseline::default(),
            campaign: Campaign::default(),
            shapes: Shapes::default(),
            readers: Readers::default(),
            late: Late::default(),
            visits: 0,
            visits_with_assets: 0,
            first_us: 0,
            last_us: 0,
        }
    }

    /// Makes the event of an exchange.
    pub(crate) fn event(
        &mut self,
        exchange: &Exchange<'_>,
        (claim, browser): (Claim, Option<Browser>),
        position: LogPosition,
    ) -> Event {
        let seed = self.seed;
        let hashed = |text: &str| hash::bytes(seed, text.as_bytes());
        let path = exchange.path.as_deref().unwrap_or_default();
        let query = exchange.query.as_deref();
        let kind = Kind::of(path, query, exchange.content_type.as_deref());
        let method = event::method(exchange.method.as_deref());
        let status = exchange.status.unwrap_or(0);
        let outcome = event::outcome(exchange);
        let served = event::served(exchange);
        let write = method == Method::Write;
        let resolved = self.templates.resolve(path, kind, write, served);
        let address = exchange.client_ip.as_deref().and_then(event::address);
        let query_hash = query.map(hashed);
        let by_query = query_hash.filter(|_| exchange.query_names > 0 && !write);
        let by_query = by_query.map(|value| event::Parameter {
            value,
            number: None,
        });
        Event {
            position,
            at_us: exchange.start_us,
            session: exchange.session,
            came_from: (exchange.request_session != exchange.session)
                .then_some(exchange.request_session),
            keyed: exchange.keyed,
            address,
            subnet: address.map(event::prefix),
            user_agent: exchange.user_agent.as_deref().map(hashed),
            claim,
            browser,
            country: exchange.country.as_deref().map(hashed),
            asn: exchange.asn,
            fingerprint: exchange.fingerprint.as_deref().map(hashed),
            header_shape: exchange.header_shape,
            header_marks: exchange.header_marks,
            links: exchange.links,
            before_change: exchange.before_change,
            user: exchange.user.as_deref().map(hashed),
            user_forgeable: exchange.user_forgeable,
            account: exchange.account.as_deref().map(hashed),
            method,
            protocol: event::protocol(exchange.protocol.as_deref()),
            kind,
            login: write && event::is_login(path),
            probe: !served && event::is_probe(path),
            path: hashed(path),
            endpoint: resolved.endpoint,
            parameter: resolved.parameter.or(by_query),
            depth: resolved.depth,
            root: resolved.root,
            query: query_hash,
            query_names: u8::try_from(exchange.query_names).unwrap_or(u8::MAX),
            status,
            outcome,
            request_bytes: exchange.request_bytes,
            response_bytes: exchange.response_bytes,
            upstream_us: exchange.upstream_us,
            referer: self.referer(exchange, kind),
            referer_path: exchange.referer_path.as_deref().map(hashed),
        }
    }

    fn referer(&mut self, exchange: &Exchange<'_>, kind: Kind) -> Referer {
        /// Of all referers of assets.
        const OWN_SHARE: u32 = 5;
        let Some(host) = exchange.referer_host.as_deref() else {
            return Referer::None;
        };
        let bare = |host: &str| hash::bytes(self.seed, host.trim_start_matches("www.").as_bytes());
        let hashed = num::low32(bare(host));
        if exchange.host.as_deref() == Some(host) {
            return Referer::Own;
        }
        if kind.is_asset() {
            self.hosts.add(hashed);
        }
        let own = self.hosts.count(hashed).saturating_mul(OWN_SHARE) >= self.hosts.total();
        if own && self.hosts.total() > 0 {
            Referer::Own
        } else {
            Referer::Foreign
        }
    }

    /// Sets an event beside what its session and application know.
    pub(crate) fn step<'a>(
        &self,
        event: &'a Event,
        session: &Session,
        gap_us: Option<i64>,
    ) -> Step<'a> {
        let endpoint = self.endpoints.get(event.endpoint as usize);
        let milli = |rank: f64| num::count(rank * 1e3);
        let chance = self.chance(event.endpoint);
        Step {
            event,
            gap_us,
            surprise: session
                .previous
                .checked_sub(1)
                .map(|from| milli(-self.chance_after(from, event.endpoint, chance).ln())),
            rarity: milli(-chance.ln()),
            bytes_rank: endpoint
                .and_then(|it| it.bytes.rank(event.response_bytes as f64))
                .map(milli),
            time_rank: endpoint
                .zip(event.upstream_us)
                .and_then(|(it, us)| it.times.rank(us as f64))
                .map(milli),
            came_from_here: session.came_from_here(event),
        }
    }

    /// How likely a request is for this endpoint.
    fn chance(&self, endpoint: u32) -> f64 {
        let requests = self
            .endpoints
            .get(endpoint as usize)
            .map_or(0, |it| it.requests);
        let endpoints = self.endpoints.len().max(10) as f64;
        (f64::from(requests) + 0.5) / (self.requests as f64 + endpoints)
    }

    /// How likely it is after another: counted pairs, backed off to the endpoint's own chance.
    fn chance_after(&self, from: u32, to: u32, chance: f64) -> f64 {
        const BACK_OFF: f64 = 4.0;
        let out = self.endpoints.get(from as usize).map_or(0, |it| it.out);
        let pair = self.steps.get(&(from, to)).copied().unwrap_or(0);
        (f64::from(pair) + BACK_OFF * chance) / (f64::from(out) + BACK_OFF)
    }

    /// Learns from a step. `lesson` counts the visit's requests so far, `place` the values at this
    /// endpoint of all that is judged as one with it, this one included; `network` is where it
    /// comes from.
    pub(crate) fn learn(
        &mut self,
        step: &Step<'_>,
        previous: u32,
        lesson: u32,
        place: Option<&Place>,
        network: u64,
    ) {
        const REQUESTS_MAX: u64 = 1 << 24;
        let event = step.event;
        self.late.observe(self.last_us, event.at_us);
        self.last_us = self.last_us.max(event.at_us);
        if self.first_us == 0 {
            self.first_us = event.at_us;
        }
        if lesson > LESSONS_MAX {
            return;
        }
        self.shapes.learn(event);
        if self.requests > REQUESTS_MAX {
            self.fade();
        }
        self.requests += 1;
        let at = event.endpoint as usize;
        if self.endpoints.len() <= at {
            self.endpoints.resize_with(at + 1, Endpoint::default);
        }
        if let Some(endpoint) = self.endpoints.get_mut(at) {
            endpoint.requests += 1;
            endpoint.learn_tries(event, place, network);
            if event.succeeded() {
                endpoint.bytes.insert(event.response_bytes as f64);
                if let Some(us) = event.upstream_us {
                    endpoint.times.insert(us as f64);
                }
                if let Some(parameter) = event.parameter {
                    endpoint.values.insert(parameter.value);
                }
            }
        }
        let Some(from) = previous.checked_sub(1) else {
            return;
        };
        if let Some(endpoint) = self.endpoints.get_mut(from as usize) {
            endpoint.out += 1;
        }
        let full = self.steps.len() >= PAIRS_MAX;
        match self.steps.get_mut(&(from, event.endpoint)) {
            Some(count) => *count += 1,
            None if !full => {
                self.steps.insert((from, event.endpoint), 1);
            }
            None => {}
        }
    }

    /// Halves all counts, so that what is usual today outweighs what was usual once.
    fn fade(&mut self) {
        self.requests /= 2;
        for endpoint in &mut self.endpoints {
            endpoint.requests /= 2;
            endpoint.tries /= 2;
            endpoint.tries_missed /= 2;
            endpoint.out /= 2;
        }
        self.steps.retain(|_, count| {
            *count /= 2;
            *count > 0
        });
    }

    /// What is known of an endpoint.
    pub(crate) fn endpoint(&self, endpoint: u32) -> Option<&Endpoint> {
        self.endpoints.get(endpoint as usize)
    }

    /// How late records have been of late, microseconds: what is not there yet may still come.
    pub(crate) fn late_us(&self) -> i64 {
        self.late.us
    }

    /// Whether there is a baseline worth the name.
    pub(crate) fn ready(&self) -> bool {
        const SESSIONS: u64 = 200;
        const HOURS: f64 = 6.0;
        const ROWS: usize = 100;
        let (rows, seen) = self.baseline.sessions();
        let hours = num::seconds(self.last_us.saturating_sub(self.first_us)) / 3600.0;
        rows >= ROWS && seen >= SESSIONS && hours >= HOURS
    }

    /// Learns from a visit that came to its third request.
    pub(crate) fn count_visit(&mut self, visit: &Visit) {
        let with_assets = visit.assets.assets() > 0;
        self.shapes.learn_visit(visit);
        self.visits = self.visits.saturating_add(1);
        self.visits_with_assets += u32::from(with_assets);
    }

    /// Whether some visits fetch assets at all: one in ten, of at least ten.
    pub(crate) fn has_assets(&self) -> bool {
        self.visits >= 10 && self.visits_with_assets.saturating_mul(10) >= self.visits
    }
}
