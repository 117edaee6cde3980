//! What Envoy is to the filter: headers, bodies and attributes of the exchange at hand, and calls.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use bytes::Bytes;
use throughline_session::filter::{Call, Counter, Host, Level, Property, Side};
use throughline_session::headers::HeaderBlock;

/// What all workers of an Envoy share: values with their versions.
pub(crate) type Shared = Rc<RefCell<BTreeMap<String, (Vec<u8>, u32)>>>;

/// Answers for the exchange that was put on the stage last.
#[derive(Debug, Default)]
pub(crate) struct StageHost {
    pub(crate) now_us: i64,
    pub(crate) request: HeaderBlock,
    pub(crate) response: HeaderBlock,
    /// The chunk that is passing by.
    pub(crate) chunk: Bytes,
    pub(crate) address: String,
    pub(crate) protocol: &'static str,
    pub(crate) upstream_ns: i64,
    /// Calls that wait for their answers, with their tokens.
    pub(crate) calls: Vec<(u32, Vec<u8>)>,
    pub(crate) answer: Vec<u8>,
    shared: Shared,
    tokens: u32,
    dice: Cell<u64>,
    dropped: u64,
}

impl StageHost {
    pub(crate) fn new(seed: u64, shared: Shared) -> Self {
        Self {
            dice: Cell::new(shop::mix::mix(seed)),
            shared,
            ..Self::default()
        }
    }

    /// Records that the filter gave up.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped
    }
}

impl Host for StageHost {
    fn now_us(&self) -> i64 {
        self.now_us
    }
    fn random(&self) -> u64 {
        self.dice.set(shop::mix::mix(self.dice.get()));
        self.dice.get()
    }
    fn request_headers(&self) -> HeaderBlock {
        self.request.clone()
    }
    fn response_headers(&self) -> HeaderBlock {
        self.response.clone()
    }
    fn body_chunk(&self, _: Side, bytes_max: usize) -> Vec<u8> {
        self.chunk.iter().copied().take(bytes_max).collect()
    }
    fn property(&self, property: Property) -> Option<Vec<u8>> {
        let number = |number: i64| Some(number.to_le_bytes().to_vec());
        match property {
            Property::SourceAddress => Some(self.address.clone().into_bytes()),
            Property::Protocol => Some(self.protocol.into()),
            Property::BackendLatency => number(self.upstream_ns),
            Property::ResponseFlags => number(0),
            Property::NodeId => Some(b"stage".to_vec()),
            _ => None,
        }
    }
    fn call(&mut self, call: &Call<'_>) -> Option<u32> {
        self.tokens = self.tokens.wrapping_add(1);
        self.calls.push((self.tokens, call.body.to_vec()));
        Some(self.tokens)
    }
    fn answer_body(&self, bytes_max: usize) -> Vec<u8> {
        self.answer.iter().copied().take(bytes_max).collect()
    }
    fn count(&mut self, counter: Counter, amount: u64) {
        if !matches!(counter, Counter::Seen | Counter::Acknowledged) {
            self.dropped += amount;
        }
    }
    fn show_boot(&mut self, _: &str) {}
    fn shared(&self, key: &str) -> (Option<Vec<u8>>, u32) {
        let shared = self.shared.borrow();
        shared.get(key).map_or((None, 0), |(value, version)| {
            (Some(value.clone()), *version)
        })
    }
    fn set_shared(&mut self, key: &str, value: &[u8], version: u32) -> bool {
        if self.shared(key).1 != version {
            return false;
        }
        let entry = (value.to_vec(), version + 1);
        self.shared.borrow_mut().insert(key.to_owned(), entry);
        true
    }
    fn log(&self, _: Level, _: &str) {}
}
