//! exchanges → batches: the filter's own code, set up as in `envoy/envoy.yaml`.

use std::collections::HashMap;
use std::rc::Rc;

use anyhow::Context as _;
use throughline_session::filter::{Exchange, Settings, Side, Worker};
use throughline_session::wire::{BatchHeader, Reply};

use crate::host::{Shared, StageHost};
use crate::play::{Answered, Asked, Passing};

/// What users copy; its plugin configuration has the demo's policy.
const ENVOY: &str = include_str!("../../../envoy/envoy.yaml");
/// The same for those who have read on: the key is known from the login's answer on, a renewed
/// token is linked to the one before, and users have names.
const COMPLETE: &str = include_str!("../policy.json");
/// Workers of the Envoy that is played. Their batches arrive side by side, so records come
/// slightly out of order, as they do in the world.
const WORKERS: u64 = 2;
/// The session secret where nobody gives another.
pub const SECRET: &str = "the secret of the stage, for all seeds";

/// The workers of one Envoy.
pub struct Filter {
    workers: Vec<(Worker, StageHost)>,
    open: HashMap<u64, (Asked, Exchange)>,
}

/// Which policy the filter works by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Policy {
    /// `envoy/envoy.yaml` as it stands there.
    Shipped,
    /// With `examples/stage/policy.json` as its policy.
    #[default]
    Complete,
}

impl Policy {
    /// The plugin configuration.
    ///
    /// # Errors
    /// When `envoy/envoy.yaml` has none.
    pub fn plugin(self) -> anyhow::Result<String> {
        match self {
            Self::Shipped => Ok(serde_json::to_string(&shipped()?)?),
            Self::Complete => plugin_with(COMPLETE),
        }
    }
}

/// The plugin configuration of `envoy/envoy.yaml` with another policy, given as JSON.
///
/// # Errors
/// When `envoy/envoy.yaml` has none, or the policy is no JSON.
pub fn plugin_with(policy: &str) -> anyhow::Result<String> {
    let mut plugin = shipped()?;
    plugin.insert("policy".to_owned(), serde_json::from_str(policy)?);
    Ok(serde_json::to_string(&plugin)?)
}

fn shipped() -> anyhow::Result<serde_json::Map<String, serde_json::Value>> {
    let document: serde_yaml_ng::Value = serde_yaml_ng::from_str(ENVOY)?;
    let text = find(&document).context("envoy/envoy.yaml has no plugin configuration")?;
    Ok(serde_json::from_str(&text)?)
}

/// The `value` beside a `StringValue`, wherever it stands.
fn find(value: &serde_yaml_ng::Value) -> Option<String> {
    if let Some(map) = value.as_mapping() {
        let kind = map.get("@type").and_then(|it| it.as_str()).unwrap_or("");
        if kind.ends_with("StringValue") {
            return map.get("value")?.as_str().map(str::to_owned);
        }
        return map.values().find_map(find);
    }
    value.as_sequence()?.iter().find_map(find)
}

impl Filter {
    /// Sets the workers up.
    ///
    /// # Errors
    /// When the configuration is not usable.
    pub fn new(seed: u64, policy: Policy) -> anyhow::Result<Self> {
        Self::configured(seed, &policy.plugin()?, SECRET)
    }

    /// The same with any plugin configuration and session secret.
    ///
    /// # Errors
    /// See [`Self::new`].
    pub fn configured(seed: u64, plugin: &str, secret: &str) -> anyhow::Result<Self> {
        let shared = Shared::default();
        let worker = |number| {
            let mut host = StageHost::new(seed ^ number, Rc::clone(&shared));
            Worker::prepare(&mut host);
            let settings = Settings {
                config: plugin.as_bytes(),
                session_secret: Some(secret),
                ingest_token: Some("token-of-the-stage"),
            };
            Ok((Worker::new(settings)?, host))
        };
        let workers: anyhow::Result<Vec<_>> = (0..WORKERS).map(worker).collect();
        Ok(Self {
            workers: workers?,
            open: HashMap::new(),
        })
    }

    /// An exchange goes on; gives the batches that were sent because of it.
    ///
    /// # Errors
    /// When a batch has no header line, or a record was dropped.
    pub fn pass(&mut self, passing: Passing) -> anyhow::Result<Vec<Vec<u8>>> {
        match passing {
            Passing::Request(asked) => {
                self.request(asked);
                Ok(Vec::new())
            }
            Passing::Response(answered) => self.response(&answered),
        }
    }

    /// What the workers still hold.
    ///
    /// # Errors
    /// See [`Self::pass`].
    pub fn finish(&mut self) -> anyhow::Result<Vec<Vec<u8>>> {
        let later = |host: &StageHost| host.now_us.saturating_add(60_000_000);
        let at_us = self.workers.iter().map(|(_, host)| later(host)).max();
        self.tick(at_us.unwrap_or(0))
    }

    fn request(&mut self, asked: Asked) {
        let at = usize::try_from(asked.exchange % WORKERS).unwrap_or(0);
        let Some((worker, host)) = self.workers.get_mut(at) else {
            return;
        };
        host.now_us = asked.at_us;
        host.request = asked.headers.clone();
        host.address.clone_from(&asked.address);
        host.chunk = asked.body.clone();
        let mut exchange = worker.on_request(host);
        if !asked.body.is_empty() {
            exchange.on_body(host, Side::Request, asked.body.len(), true);
        }
        self.open.insert(asked.exchange, (asked, exchange));
    }

    fn response(&mut self, answered: &Answered) -> anyhow::Result<Vec<Vec<u8>>> {
        let at = usize::try_from(answered.exchange % WORKERS).unwrap_or(0);
        if let Some((worker, host)) = self.workers.get_mut(at)
            && let Some((asked, mut exchange)) = self.open.remove(&answered.exchange)
        {
            host.now_us = answered.at_us;
            host.request = asked.headers;
            host.address = asked.address;
            host.protocol = asked.protocol;
            host.response = answered.headers.clone();
            host.upstream_ns = answered.upstream_ns;
            host.chunk = answered.body.clone();
            if !answered.body.is_empty() {
                exchange.on_body(host, Side::Response, answered.body.len(), true);
            }
            worker.on_end(host, Some(exchange));
        }
        self.tick(answered.at_us)
    }

    /// All workers look at the clock; each call is answered at once, as stored.
    fn tick(&mut self, at_us: i64) -> anyhow::Result<Vec<Vec<u8>>> {
        let mut batches = Vec::new();
        for (worker, host) in &mut self.workers {
            host.now_us = at_us;
            worker.on_tick(host);
            while let Some((token, body)) = host.calls.pop() {
                let header = body.split(|byte| *byte == b'\n').next();
                let header: BatchHeader<'_> = serde_json::from_slice(header.unwrap_or_default())?;
                let reply = Reply {
                    acknowledged: header.sequence,
                    duplicate: false,
                    live_version: None,
                };
                host.answer = serde_json::to_vec(&reply)?;
                let holds_records = header.sequence.is_some();
                worker.on_answer(host, token, Some(200), None);
                if holds_records {
                    batches.push(body);
                }
            }
            anyhow::ensure!(host.dropped() == 0, "the filter has dropped a record");
        }
        Ok(batches)
    }
}
