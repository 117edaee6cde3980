//! One worker of the filter: opens and ends exchanges, fills batches, sends them, keeps the books.

use std::borrow::Cow;
use std::rc::Rc;

use sha2::{Digest as _, Sha256};

use super::exchange::Exchange;
use super::host::{Call, Counter, Host, Level, Property};
use super::live::{Active, Bootstrap, Shares};
use super::outbox::{Answer, Outbox};
use crate::headers::HeaderBlock;
use crate::hex::Hex;
use crate::identity::{Hasher, ShortSecret};
use crate::policy::{ConfigError, PluginConfig};
use crate::wire::{BatchHeader, BootId, Refused, Reply, WIRE_VERSION};

/// Also how soon a live policy is heard of.
const HEARTBEAT_US: i64 = 1_000_000;
const SHARED_LOOK_US: i64 = 500_000;
const REPLY_BYTES_MAX: usize = 64 * 1024;
const POLICY_BYTES_MAX: usize = 1024 * 1024;
const SHARED_BOOT: &str = "throughline.boot";
const SHARED_LIVE: &str = "throughline.live";
const SHARED_LIVE_VERSION: &str = "throughline.live.version";
const SHARED_WORKERS: &str = "throughline.workers";
const TOKEN_BYTES_MIN: usize = 16;
/// How much longer than its timeout a call may take before its answer counts as lost.
const ANSWER_GRACE_US: i64 = 5_000_000;

/// What a worker starts with.
#[derive(Debug, Clone, Copy)]
pub struct Settings<'a> {
    /// The plugin configuration, JSON.
    pub config: &'a [u8],
    /// `THROUGHLINE_SESSION_SECRET` of the environment.
    pub session_secret: Option<&'a str>,
    /// `THROUGHLINE_INGEST_TOKEN` of the environment.
    pub ingest_token: Option<&'a str>,
}

/// Why the filter records nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// The configuration is not usable.
    #[error("plugin configuration: {0}")]
    Config(#[from] ConfigError),
    /// There is no session secret.
    #[error(
        "no session secret: set THROUGHLINE_SESSION_SECRET in Envoy's environment and list it \
         in the plugin's `environment_variables.host_env_keys`"
    )]
    NoSecret,
    /// The session secret could be guessed.
    #[error("THROUGHLINE_SESSION_SECRET: {0}")]
    ShortSecret(#[from] ShortSecret),
    /// There is no usable ingest token.
    #[error(
        "no ingest token of at least {TOKEN_BYTES_MIN} printable characters: set \
         THROUGHLINE_INGEST_TOKEN in Envoy's environment and list it in the plugin's \
         `environment_variables.host_env_keys`"
    )]
    NoToken,
}

/// One Envoy worker's part of the filter.
pub struct Worker {
    active: Rc<Active>,
    bootstrap: Bootstrap,
    shares: Shares,
    fetch: Option<Fetch>,
    refused: Option<(String, String)>,
    shared_look_us: i64,
    hasher: Hasher,
    config: PluginConfig,
    call_headers: HeaderBlock,
    fetch_headers: HeaderBlock,
    outbox: Outbox,
    identity: Option<Identity>,
    heartbeat_us: i64,
}

/// A live policy that is being fetched.
struct Fetch {
    token: u32,
    version: String,
    deadline_us: i64,
}

/// Who this worker is, known from its first exchange on.
struct Identity {
    boot: BootId,
    worker: u32,
    node: String,
}

impl Worker {
    /// Reads the configuration and the secrets.
    ///
    /// # Errors
    /// [`SetupError`]; the filter then lets traffic pass and records nothing.
    pub fn new(settings: Settings<'_>) -> Result<Self, SetupError> {
        let config = PluginConfig::parse(settings.config)?;
        let development = config.development.clone();
        let inline = |pick: fn(crate::policy::Development) -> Option<String>| {
            development.clone().and_then(pick)
        };
        let secret = settings
            .session_secret
            .filter(|secret| !secret.is_empty())
            .map(str::to_owned)
            .or_else(|| inline(|development| development.session_secret))
            .ok_or(SetupError::NoSecret)?;
        let token = settings
            .ingest_token
            .filter(|token| !token.is_empty())
            .map(str::to_owned)
            .or_else(|| inline(|development| development.ingest_token))
            .filter(|token| {
                token.len() >= TOKEN_BYTES_MIN && token.bytes().all(|byte| byte.is_ascii_graphic())
            })
            .ok_or(SetupError::NoToken)?;
        let bootstrap = Bootstrap {
            document: config.policy.clone(),
            version: config_version(settings.config),
        };
        let authority = &config.aggregator.authority;
        Ok(Self {
            active: Rc::new(Active::start(&bootstrap)),
            bootstrap,
            shares: Shares::default(),
            fetch: None,
            refused: None,
            shared_look_us: i64::MIN,
            hasher: Hasher::new(secret.as_bytes())?,
            call_headers: call_headers("POST", "/v1/ingest", authority, &token),
            fetch_headers: call_headers("GET", "/v1/policy/live", authority, &token),
            config,
            outbox: Outbox::new(),
            identity: None,
            // The first is due at once.
            heartbeat_us: i64::MIN,
        })
    }

    /// Lays out what the workers share, at configuration time: Envoy configures a trial VM
    /// alone first, so that later nobody has to create a value in a race.
    pub fn prepare<H: Host>(host: &mut H) {
        for (key, value) in [(SHARED_BOOT, host.random()), (SHARED_WORKERS, 0)] {
            let (known, version) = host.shared(key);
            if known.is_none() {
                host.set_shared(key, &value.to_le_bytes(), version);
            }
        }
    }

    /// How often [`Self::on_tick`] is to be called.
    #[must_use]
    pub fn tick_ms(&self) -> u32 {
        self.config.limits.batch_ms
    }

    /// The request's headers are in.
    pub fn on_request<H: Host>(&self, host: &H) -> Exchange {
        Exchange::begin(host, &self.active, &self.hasher)
    }

    /// The exchange has ended, however it did; `None` when its headers were never seen.
    pub fn on_end<H: Host>(&mut self, host: &mut H, exchange: Option<Exchange>) {
        self.identify(host);
        self.outbox.ledger.seen = self.outbox.ledger.seen.saturating_add(1);
        host.count(Counter::Seen, 1);
        let buffer_bytes = to_usize(self.config.limits.buffer_bytes);
        if !self.outbox.has_room(buffer_bytes) {
            let dropped = &mut self.outbox.ledger.dropped.buffer_full;
            if *dropped == 0 {
                host.log(
                    Level::Error,
                    "the buffer for records is full; records are dropped and counted until the \
                     aggregator answers (limits.buffer_bytes)",
                );
            }
            *dropped = dropped.saturating_add(1);
            host.count(Counter::DroppedBufferFull, 1);
            return;
        }
        // Envoy refused the request before the filters: what it still knows of it.
        let exchange =
            exchange.unwrap_or_else(|| Exchange::unseen(host, &self.active, &self.hasher));
        let index = self.outbox.records;
        let now_us = host.now_us();
        let written = exchange.finish(host, &self.hasher, index, now_us, &mut self.outbox.lines);
        let Ok(hits) = written else {
            let unwritable = &mut self.outbox.ledger.dropped.unwritable;
            *unwritable = unwritable.saturating_add(1);
            host.count(Counter::DroppedUnwritable, 1);
            return;
        };
        self.shares.count(&hits);
        if hits.failed > 0 {
            host.count(Counter::ExtractFailed, hits.failed.into());
        }
        self.outbox.added(now_us);
        if self.outbox.lines.len() >= to_usize(self.config.limits.batch_bytes) {
            self.close_batch(now_us);
        }
    }

    /// Closes a ripe batch, sends what is due, and says where the books stand.
    ///
    /// A worker that never handled an exchange has nothing to say: Envoy also runs the filter in
    /// its main thread, which handles none.
    pub fn on_tick<H: Host>(&mut self, host: &mut H) {
        let now_us = host.now_us();
        self.look_at_shared(host, now_us);
        if self.identity.is_none() {
            return;
        }
        let limits = self.config.limits;
        if self
            .outbox
            .is_ripe(now_us, to_usize(limits.batch_bytes), limits.batch_ms)
        {
            self.close_batch(now_us);
        }
        let limit_us = self.answer_us_max();
        if self.outbox.expire(now_us, limit_us) > 0 {
            self.call_failed(host, now_us, None, "no answer came");
        }
        self.send_due(host, now_us);
        self.heartbeat(host, now_us);
    }

    /// Envoy has ended what this worker worked for, and with it the calls under way. What was not
    /// acknowledged can still be sent by whoever goes on in the same VM: the worker is then ticked and
    /// answered until [`Self::is_done`]. `None` when there is nothing to send.
    #[must_use]
    pub fn outlived(mut self) -> Option<Self> {
        self.fetch = None;
        self.outbox.forget_calls();
        (!self.is_done()).then_some(self)
    }

    /// Everything was acknowledged or given up.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.outbox.is_empty()
    }

    /// Whether the call under this token carries a batch of this worker.
    #[must_use]
    pub fn awaits(&self, token: u32) -> bool {
        self.outbox.sequence_of(token).is_some()
    }

    /// A call was answered: its status, `None` when it failed below HTTP.
    pub fn on_answer<H: Host>(
        &mut self,
        host: &mut H,
        token: u32,
        status: Option<u16>,
        retry_after_s: Option<u64>,
    ) {
        let now_us = host.now_us();
        if self
            .fetch
            .as_ref()
            .is_some_and(|fetch| fetch.token == token)
        {
            self.fetched(host, now_us, status);
            return;
        }
        let reply = (status == Some(200))
            .then(|| self.reply(host, token))
            .flatten();
        let answer = match status {
            Some(200) if reply.is_some() => Answer::Acknowledged,
            Some(400 | 409 | 413 | 415 | 422) => Answer::Rejected,
            _ => Answer::Failed { retry_after_s },
        };
        let settled = self.outbox.answered(token, answer);
        match answer {
            Answer::Acknowledged => {
                self.outbox.succeeded();
                host.count(Counter::Acknowledged, settled.map_or(0, u64::from));
                self.heard(host, now_us, reply.and_then(|reply| reply.live_version));
            }
            Answer::Rejected => {
                self.outbox.succeeded();
                if let Some(records) = settled {
                    host.count(Counter::DroppedRejected, u64::from(records));
                    host.log(
                        Level::Error,
                        &format!(
                            "the aggregator refused a batch of {records} records for good \
                             (status {}); see its log",
                            status.unwrap_or(0)
                        ),
                    );
                }
            }
            Answer::Failed { retry_after_s } => {
                let reason = status.map_or("no connection".to_owned(), |s| format!("status {s}"));
                self.call_failed(host, now_us, retry_after_s, &reason);
            }
        }
        self.send_due(host, now_us);
    }

    /// The aggregator's reply, if it is one, and to the batch of this token: whatever else answers
    /// 200 in its place has not stored anything.
    fn reply<H: Host>(&self, host: &H, token: u32) -> Option<Reply> {
        let reply: Reply = serde_json::from_slice(&host.answer_body(REPLY_BYTES_MAX)).ok()?;
        let sequence = self.outbox.sequence_of(token);
        (sequence.is_none() || reply.acknowledged == sequence).then_some(reply)
    }

    /// The aggregator's reply names the live policy; one that is not this worker's is fetched.
    fn heard<H: Host>(&mut self, host: &mut H, now_us: i64, live_version: Option<String>) {
        let Some(version) = live_version else {
            return;
        };
        let is_coming = self
            .fetch
            .as_ref()
            .is_some_and(|fetch| now_us < fetch.deadline_us);
        if self.knows_live(&version) || is_coming {
            return;
        }
        let timeout_ms = self.config.aggregator.timeout_ms;
        let call = Call {
            cluster: &self.config.aggregator.cluster,
            headers: &self.fetch_headers,
            body: &[],
            timeout_ms,
        };
        if let Some(token) = host.call(&call) {
            let deadline_us = now_us + self.answer_us_max();
            self.fetch = Some(Fetch {
                token,
                version,
                deadline_us,
            });
        }
    }

    /// The fetch of a live policy was answered. Where it failed, the next reply starts another.
    fn fetched<H: Host>(&mut self, host: &mut H, now_us: i64, status: Option<u16>) {
        let Some(fetch) = self.fetch.take() else {
            return;
        };
        if status != Some(200) {
            return;
        }
        let json = host.answer_body(POLICY_BYTES_MAX);
        if self.take_live(host, now_us, &json, &fetch.version) {
            for (key, value) in [
                (SHARED_LIVE, &*json),
                (SHARED_LIVE_VERSION, fetch.version.as_bytes()),
            ] {
                let (_, version) = host.shared(key);
                host.set_shared(key, value, version);
            }
        }
    }

    /// Whether a live version is active here, or was refused.
    fn knows_live(&self, version: &str) -> bool {
        let refused = self.refused.as_ref().map(|(refused, _)| &**refused);
        [self.active.live_version.as_deref(), refused].contains(&Some(version))
    }

    /// How long the answer to a call may take before it counts as lost.
    fn answer_us_max(&self) -> i64 {
        i64::from(self.config.aggregator.timeout_ms) * 1_000 + ANSWER_GRACE_US
    }

    /// Another worker of this Envoy may have fetched a live policy, maybe before this one began.
    fn look_at_shared<H: Host>(&mut self, host: &mut H, now_us: i64) {
        if now_us.saturating_sub(self.shared_look_us) < SHARED_LOOK_US {
            return;
        }
        self.shared_look_us = now_us;
        let version = host
            .shared(SHARED_LIVE_VERSION)
            .0
            .and_then(|v| String::from_utf8(v).ok());
        let Some(version) = version else { return };
        if !self.knows_live(&version)
            && let (Some(json), _) = host.shared(SHARED_LIVE)
        {
            self.take_live(host, now_us, &json, &version);
        }
    }

    /// Makes a live policy the active one; one that is not usable is named in the next batch, and
    /// the one before stays.
    fn take_live<H: Host>(
        &mut self,
        host: &mut H,
        now_us: i64,
        json: &[u8],
        version: &str,
    ) -> bool {
        match self.active.live(json, &self.bootstrap, now_us) {
            Ok(active) => {
                // A batch has one policy version.
                if self.outbox.records > 0 {
                    self.close_batch(now_us);
                }
                host.log(
                    Level::Info,
                    &format!("policy {} is active", active.policy.version),
                );
                if !Rc::ptr_eq(&active.policy, &self.active.policy) {
                    self.shares = Shares::default();
                }
                self.active = Rc::new(active);
                self.refused = None;
                true
            }
            Err(error) => {
                let why = error.to_string();
                host.log(
                    Level::Error,
                    &format!("live policy {version} is not usable: {why}"),
                );
                let (why, _) = crate::text::limited(why.as_bytes(), 512);
                self.refused = Some((version.to_owned(), why.into_owned()));
                false
            }
        }
    }

    fn call_failed<H: Host>(
        &mut self,
        host: &mut H,
        now_us: i64,
        retry_after_s: Option<u64>,
        reason: &str,
    ) {
        self.outbox.failed(now_us, retry_after_s, host.random());
        host.count(Counter::CallFailed, 1);
        host.log(
            Level::Warn,
            &format!(
                "the aggregator (cluster `{}`) did not take a batch: {reason}; it is tried again",
                self.config.aggregator.cluster
            ),
        );
    }

    fn send_due<H: Host>(&mut self, host: &mut H, now_us: i64) {
        while self.outbox.may_call(now_us) {
            let Some(batch) = self.outbox.due() else {
                return;
            };
            let timeout_ms = self.config.aggregator.timeout_ms;
            let call = Call {
                cluster: &self.config.aggregator.cluster,
                headers: &self.call_headers,
                body: &batch.body,
                timeout_ms,
            };
            let Some(token) = host.call(&call) else {
                self.call_failed(host, now_us, None, "Envoy refused the call");
                return;
            };
            let deadline_us = now_us + self.answer_us_max();
            self.outbox.sent(token, deadline_us);
            // Every batch carries the books, so it is a heartbeat too.
            self.heartbeat_us = now_us;
        }
    }

    /// Without batches to carry them, the books are sent alone, as a sign of life.
    fn heartbeat<H: Host>(&mut self, host: &mut H, now_us: i64) {
        let due =
            now_us.saturating_sub(self.heartbeat_us) >= HEARTBEAT_US || now_us < self.heartbeat_us;
        if !due || !self.outbox.is_empty() || !self.outbox.may_call(now_us) {
            return;
        }
        let body = self.header_line(None, 0, now_us);
        let call = Call {
            cluster: &self.config.aggregator.cluster,
            headers: &self.call_headers,
            body: &body,
            timeout_ms: self.config.aggregator.timeout_ms,
        };
        if host.call(&call).is_none() {
            self.call_failed(host, now_us, None, "Envoy refused the call");
        }
        self.heartbeat_us = now_us;
    }

    fn close_batch(&mut self, now_us: i64) {
        let sequence = self.outbox.next_sequence();
        let header_line = self.header_line(Some(sequence), self.outbox.records, now_us);
        self.outbox.close(&header_line);
    }

    fn header_line(&self, sequence: Option<u64>, records: u32, now_us: i64) -> Vec<u8> {
        let (boot, worker, node) = match &self.identity {
            Some(identity) => (identity.boot, identity.worker, identity.node.as_str()),
            None => (Hex([0; 8]), 0, ""),
        };
        let header = BatchHeader {
            throughline: WIRE_VERSION,
            boot,
            worker,
            sequence,
            records,
            closed_us: now_us,
            capture_point: Cow::Borrowed(&self.config.capture_point),
            node: Cow::Borrowed(node),
            policy_version: Cow::Borrowed(&self.active.policy.version),
            filter_version: Cow::Borrowed(env!("CARGO_PKG_VERSION")),
            ledger: self.outbox.ledger,
            shares: self.shares.shown(&self.active.policy),
            refused: self.refused.as_ref().map(|(version, why)| Refused {
                policy_version: Cow::Borrowed(version),
                why: Cow::Borrowed(why),
            }),
        };
        let mut line = serde_json::to_vec(&header).unwrap_or_default();
        line.push(b'\n');
        line
    }

    /// Takes the boot id and a worker number out of what all workers share.
    ///
    /// Not at configuration time: Envoy configures a trial VM first, and one in its main thread,
    /// which would be workers that never handle anything.
    fn identify<H: Host>(&mut self, host: &mut H) {
        if self.identity.is_some() {
            return;
        }
        let boot = host
            .shared(SHARED_BOOT)
            .0
            .and_then(|boot| boot.try_into().ok());
        let worker = take_worker_number(host);
        let node = host.property(Property::NodeId).unwrap_or_default();
        let (node, _) = crate::text::limited(&node, 128);
        let identity = Identity {
            boot: Hex(boot.unwrap_or_else(|| host.random().to_le_bytes())),
            // A number that was drawn for want of a counted one has 64 bits.
            worker: u32::try_from(worker & u64::from(u32::MAX)).unwrap_or(0),
            node: node.into_owned(),
        };
        host.show_boot(&identity.boot.to_string());
        host.log(
            Level::Info,
            &format!(
                "recording as boot {} worker {} with policy {}",
                identity.boot, identity.worker, self.active.policy.version
            ),
        );
        self.identity = Some(identity);
    }
}

/// Counts up the shared number of workers, however many do so at once.
fn take_worker_number<H: Host>(host: &mut H) -> u64 {
    // Each refusal means that another worker got through, so this ends.
    for _ in 0..1_000 {
        let (known, version) = host.shared(SHARED_WORKERS);
        let taken = known
            .and_then(|known| known.try_into().ok())
            .map_or(0, u64::from_le_bytes);
        if host.set_shared(
            SHARED_WORKERS,
            &taken.saturating_add(1).to_le_bytes(),
            version,
        ) {
            return taken;
        }
    }
    host.random()
}

fn call_headers(method: &str, path: &str, authority: &str, token: &str) -> HeaderBlock {
    let authorization = format!("Bearer {token}");
    HeaderBlock::from_pairs(&[
        (b":method", method.as_bytes()),
        (b":path", path.as_bytes()),
        (b":authority", authority.as_bytes()),
        (b"content-type", b"application/x-ndjson"),
        (b"authorization", authorization.as_bytes()),
    ])
}

/// Names a configuration that has no name of its own.
fn config_version(config: &[u8]) -> String {
    let digest = Sha256::digest(config);
    let mut version = [0; 6];
    for (byte, digested) in version.iter_mut().zip(digest) {
        *byte = digested;
    }
    Hex(version).to_string()
}

fn to_usize(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
