//! Envoy as the filter's `Host`.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

use throughline_session::filter::{Call, Counter, Ended, Host, Level, Property, Side};
use throughline_session::headers::HeaderBlock;

use crate::abi::{self, Expression};

/// The Envoy worker that this VM runs in.
pub(crate) struct Envoy {
    /// Metric ids in the order of `Counter::ALL`.
    counters: [Option<u32>; Counter::ALL.len()],
    /// What [`Ended`] asks for, as one list; `None` where Envoy cannot evaluate expressions.
    ended: Option<Expression>,
}

/// [`Ended::ASKED`] in the language of Envoy's expressions. An answer of Envoy's own has no
/// latency, and a list with an attribute that is not there would have no value at all.
const ENDED: &str = "[source.address, request.protocol, response.flags, \
     has(response.backend_latency) ? response.backend_latency : '']";

impl Envoy {
    pub(crate) fn new() -> Self {
        Self {
            counters: Counter::ALL.map(|counter| abi::define_counter(counter.name())),
            ended: abi::expression(ENDED),
        }
    }
}

fn path(property: Property) -> &'static [u8] {
    match property {
        Property::SourceAddress => b"source\0address",
        Property::Protocol => b"request\0protocol",
        Property::ResponseSize => b"response\0size",
        Property::ResponseCode => b"response\0code",
        Property::ResponseFlags => b"response\0flags",
        Property::BackendLatency => b"response\0backend_latency",
        Property::TlsPeerSubject => b"connection\0subject_peer_certificate",
        Property::TlsSni => b"connection\0requested_server_name",
        Property::NodeId => b"xds\0node\0id",
    }
}

impl Host for Envoy {
    fn now_us(&self) -> i64 {
        i64::try_from(abi::now_ns() / 1_000).unwrap_or(0)
    }

    fn random(&self) -> u64 {
        // The keys of a new `RandomState` come from the system's randomness.
        RandomState::new().build_hasher().finish()
    }

    fn request_headers(&self) -> HeaderBlock {
        HeaderBlock::new(abi::headers(abi::Map::Request).unwrap_or_default())
    }

    fn response_headers(&self) -> HeaderBlock {
        HeaderBlock::new(abi::headers(abi::Map::Response).unwrap_or_default())
    }

    fn body_chunk(&self, side: Side, bytes_max: usize) -> Vec<u8> {
        let buffer = match side {
            Side::Request => abi::Buffer::RequestBody,
            Side::Response => abi::Buffer::ResponseBody,
        };
        abi::buffer(buffer, bytes_max)
    }

    fn property(&self, property: Property) -> Option<Vec<u8>> {
        abi::property(path(property))
    }

    fn ended(&self) -> Ended {
        match self.ended.and_then(abi::evaluate) {
            Some(values) => Ended::new(HeaderBlock::new(values)),
            None => Ended::one_by_one(self),
        }
    }

    fn call(&mut self, call: &Call<'_>) -> Option<u32> {
        abi::http_call(
            call.cluster,
            call.headers.as_bytes(),
            call.body,
            call.timeout_ms,
        )
    }

    fn answer_body(&self, bytes_max: usize) -> Vec<u8> {
        abi::buffer(abi::Buffer::CallResponseBody, bytes_max)
    }

    fn count(&mut self, counter: Counter, amount: u64) {
        let index = Counter::ALL
            .iter()
            .position(|candidate| *candidate == counter);
        let id = index.and_then(|index| *self.counters.get(index)?);
        if let (Some(id), Ok(amount)) = (id, i64::try_from(amount)) {
            abi::increment_metric(id, amount);
        }
    }

    fn show_boot(&mut self, boot: &str) {
        if let Some(id) = abi::define_gauge(&format!("throughline.boot.{boot}")) {
            abi::record_metric(id, 1);
        }
    }

    fn shared(&self, key: &str) -> (Option<Vec<u8>>, u32) {
        abi::shared(key)
    }

    fn set_shared(&mut self, key: &str, value: &[u8], version: u32) -> bool {
        abi::set_shared(key, value, version)
    }

    fn log(&self, level: Level, message: &str) {
        let level = match level {
            Level::Info => 2,
            Level::Warn => 3,
            Level::Error => 4,
        };
        abi::log(level, message);
    }
}
