//! What lives in one VM: a worker per configured plugin, an exchange per open stream.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use throughline_session::filter::{Exchange, Host as _, Level, Settings, Side, Worker};
use throughline_session::headers::HeaderBlock;

use crate::abi;
use crate::envoy::Envoy;

/// Context ids are small numbers that Envoy chooses: they need no real hashing.
#[derive(Default)]
struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }
    fn write_u32(&mut self, id: u32) {
        self.0 = u64::from(id).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

type ById<T> = HashMap<u32, T, BuildHasherDefault<IdHasher>>;

/// Everything in this VM.
pub(crate) struct Module {
    envoy: Envoy,
    /// By root context; `None` where the configuration was refused.
    workers: ById<Option<Worker>>,
    streams: ById<Stream>,
    /// Workers whose configuration was replaced, with records still to be sent; the oldest first.
    outlived: Vec<Worker>,
}

/// Workers kept that have nothing left but records to send. With one more, the oldest is given up:
/// the aggregator counts what it held as lost.
const OUTLIVED_MAX: usize = 4;

struct Stream {
    root: u32,
    exchange: Option<Exchange>,
}

thread_local! {
    static MODULE: RefCell<Option<Module>> = const { RefCell::new(None) };
}

/// Runs `action` on the module. Envoy never calls into a VM that is already running, so the
/// borrow holds; if it ever did, the inner call would be skipped.
pub(crate) fn with_module(action: impl FnOnce(&mut Module)) {
    MODULE.with(|cell| {
        if let Ok(mut module) = cell.try_borrow_mut() {
            action(module.get_or_insert_with(Module::new));
        }
    });
}

impl Module {
    fn new() -> Self {
        Self {
            envoy: Envoy::new(),
            workers: HashMap::default(),
            streams: HashMap::default(),
            outlived: Vec::new(),
        }
    }

    pub(crate) fn on_context_create(&mut self, context: u32, root: u32) {
        if root != 0 {
            self.streams.insert(
                context,
                Stream {
                    root,
                    exchange: None,
                },
            );
        }
    }

    pub(crate) fn on_configure(&mut self, root: u32, size: usize) {
        let config = abi::buffer(abi::Buffer::PluginConfiguration, size);
        let session_secret = std::env::var("THROUGHLINE_SESSION_SECRET").ok();
        let ingest_token = std::env::var("THROUGHLINE_INGEST_TOKEN").ok();
        let settings = Settings {
            config: &config,
            session_secret: session_secret.as_deref(),
            ingest_token: ingest_token.as_deref(),
        };
        let worker = match Worker::new(settings) {
            Ok(worker) => {
                Worker::prepare(&mut self.envoy);
                abi::set_tick_ms(worker.tick_ms());
                Some(worker)
            }
            Err(error) => {
                self.envoy.log(
                    Level::Error,
                    &format!("{error}. Nothing is recorded; traffic passes unchanged."),
                );
                None
            }
        };
        self.workers.insert(root, worker);
    }

    pub(crate) fn on_tick(&mut self, root: u32) {
        if let Some(Some(worker)) = self.workers.get_mut(&root) {
            worker.on_tick(&mut self.envoy);
            for outlived in &mut self.outlived {
                outlived.on_tick(&mut self.envoy);
            }
            self.outlived.retain(|outlived| !outlived.is_done());
        }
    }

    pub(crate) fn on_request_headers(&mut self, context: u32) {
        let Some(stream) = self.streams.get_mut(&context) else {
            return;
        };
        if let Some(Some(worker)) = self.workers.get(&stream.root) {
            let exchange = worker.on_request(&self.envoy);
            #[cfg(feature = "test-abort")]
            if abi::headers(abi::Map::Request)
                .map(HeaderBlock::new)
                .is_some_and(|headers| headers.get(b"x-throughline-test-abort").is_some())
            {
                std::process::abort();
            }
            stream.exchange = Some(exchange);
        }
    }

    pub(crate) fn on_body(&mut self, context: u32, side: Side, size: usize, end: bool) {
        let Some(stream) = self.streams.get_mut(&context) else {
            return;
        };
        if let Some(exchange) = &mut stream.exchange {
            exchange.on_body(&self.envoy, side, size, end);
        }
    }

    pub(crate) fn on_log(&mut self, context: u32) {
        let Some(stream) = self.streams.remove(&context) else {
            return;
        };
        if let Some(Some(worker)) = self.workers.get_mut(&stream.root) {
            worker.on_end(&mut self.envoy, stream.exchange);
        }
    }

    pub(crate) fn on_delete(&mut self, context: u32) {
        self.streams.remove(&context);
        let worker = self.workers.remove(&context).flatten();
        if let Some(outlived) = worker.and_then(Worker::outlived) {
            if self.outlived.len() >= OUTLIVED_MAX {
                self.outlived.remove(0);
            }
            self.outlived.push(outlived);
        }
    }

    pub(crate) fn on_call_response(&mut self, root: u32, token: u32) {
        let headers = abi::headers(abi::Map::CallResponse).unwrap_or_default();
        let headers = HeaderBlock::new(headers);
        let number = |name| {
            std::str::from_utf8(headers.get(name)?)
                .ok()?
                .parse::<u64>()
                .ok()
        };
        let status = number(b":status").and_then(|status| u16::try_from(status).ok());
        let outlived = self.outlived.iter_mut().find(|it| it.awaits(token));
        let worker = match outlived {
            Some(outlived) => Some(outlived),
            None => self.workers.get_mut(&root).and_then(Option::as_mut),
        };
        if let Some(worker) = worker {
            abi::set_effective_context(root);
            worker.on_answer(&mut self.envoy, token, status, number(b"retry-after"));
        }
    }
}
