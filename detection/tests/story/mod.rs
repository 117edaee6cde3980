//! Traffic made up for tests: people, honest machines and bots against a shop, each a list of
//! exchanges; a scene merges them by time.

use std::borrow::Cow;

use throughline_detection::{Detection, Exchange, LogPosition, Settings};
use throughline_session::hex::Hex;

pub(crate) mod bots;
pub(crate) mod honest;

/// 2026-03-02 09:00 UTC.
pub(crate) const START_US: i64 = 1_772_442_000_000_000;

/// Numbers from a seed.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Log-normal around `median` seconds: how long people pause.
    pub(crate) fn pause(&mut self, median: f64, spread: f64) -> f64 {
        let normal: f64 = (0..12).map(|_| self.unit()).sum::<f64>() - 6.0;
        median * (normal * spread).exp()
    }
}

/// One client and what it sends.
pub(crate) struct Client {
    pub(crate) name: &'static str,
    pub(crate) bot: bool,
    session: u64,
    keyed: bool,
    ip: String,
    user_agent: String,
    at: f64,
    pub(crate) sent: Vec<Exchange<'static>>,
}

pub(crate) const CHROME: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/145.0 Safari/537.36";

impl Client {
    pub(crate) fn new(id: u64, name: &'static str, start: f64) -> Self {
        let ip = format!("10.{}.{}.{}", id >> 14 & 255, id >> 6 & 255, id % 64 + 1);
        Self {
            name,
            bot: false,
            session: id << 20,
            keyed: false,
            ip,
            user_agent: CHROME.to_owned(),
            at: start,
            sent: Vec::new(),
        }
    }

    pub(crate) fn bot(mut self) -> Self {
        self.bot = true;
        self
    }

    pub(crate) fn keyed(mut self) -> Self {
        self.keyed = true;
        self
    }

    pub(crate) fn agent(mut self, text: &str) -> Self {
        self.user_agent = text.to_owned();
        self
    }

    pub(crate) fn ip(&mut self, ip: String) {
        self.ip = ip;
    }

    pub(crate) fn new_session(&mut self) {
        self.session += 1;
    }

    pub(crate) fn wait(&mut self, seconds: f64) {
        self.at += seconds;
    }

    /// Sends a request; `referer` says whether it names the shop's own page.
    pub(crate) fn send(&mut self, method: &str, target: &str, status: u16, referer: bool) {
        let mut id = [0_u8; 16];
        for (to, from) in id
            .iter_mut()
            .zip(self.session.wrapping_add(1).to_be_bytes())
        {
            *to = from;
        }
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (target, None),
        };
        let owned = |text: &str| Some(Cow::Owned(text.to_owned()));
        #[expect(clippy::cast_possible_truncation, reason = "seconds of a test")]
        let start_us = START_US + (self.at * 1e6) as i64;
        self.sent.push(Exchange {
            start_us,
            application: Cow::Borrowed("shop"),
            request_session: Hex(id),
            session: Hex(id),
            keyed: self.keyed,
            client_ip: owned(&self.ip),
            country: None,
            asn: None,
            fingerprint: None,
            user_agent: owned(&self.user_agent),
            links: Default::default(),
            before_change: None,
            user: None,
            user_forgeable: false,
            account: None,
            header_shape: None,
            header_marks: None,
            method: owned(method),
            host: owned("shop.example"),
            path: owned(path),
            query: query.and_then(owned),
            query_names: query.map_or(0, |query| query.split('&').count()),
            protocol: owned("HTTP/2"),
            status: Some(status),
            flags: 0,
            upstream_answered: Some(true),
            request_bytes: 0,
            response_bytes: 1000 + self.session % 500,
            upstream_us: Some(5000),
            referer_host: if referer { owned("shop.example") } else { None },
            referer_path: None,
            content_type: None,
        });
    }
}

/// All exchanges with the client they belong to, by time.
pub(crate) fn merged(clients: &[Client]) -> Vec<(usize, &Exchange<'static>)> {
    let mut all: Vec<_> = clients
        .iter()
        .enumerate()
        .flat_map(|(index, client)| client.sent.iter().map(move |sent| (index, sent)))
        .collect();
    all.sort_by_key(|(index, exchange)| (exchange.start_us, *index));
    all
}

/// What became of a client.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outcome {
    pub(crate) confidence: f64,
    pub(crate) requests: u32,
    pub(crate) detectors: Vec<&'static str>,
}

/// Plays clients; per client its strongest verdict and the requests until it was flagged.
pub(crate) fn play(clients: &[Client]) -> Vec<Outcome> {
    let mut detection = Detection::new(Settings::default());
    let mut outcomes = vec![Outcome::default(); clients.len()];
    let mut sent = vec![0_u32; clients.len()];
    let mut owners = std::collections::HashMap::new();
    for (position, (index, exchange)) in (1..).zip(merged(clients)) {
        owners.insert(exchange.session, index);
        if let Some(sent) = sent.get_mut(index) {
            *sent += 1;
        }
        let position = LogPosition {
            offset: position,
            index: 0,
        };
        for verdict in detection.observe_exchange(exchange, position) {
            let Some(owner) = owners.get(&verdict.session).copied() else {
                continue;
            };
            let Some(outcome) = outcomes.get_mut(owner) else {
                continue;
            };
            if verdict.confidence >= 0.8 && outcome.confidence < 0.8 {
                outcome.requests = sent.get(owner).copied().unwrap_or(0);
            }
            outcome.confidence = outcome.confidence.max(verdict.confidence);
            outcome
                .detectors
                .extend(verdict.votes.iter().map(|vote| vote.detector));
        }
    }
    outcomes
}
