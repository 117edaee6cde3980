//! The seam between the filter and Envoy: everything it asks for or does goes through here.

use crate::headers::HeaderBlock;

/// What the filter needs of the proxy it runs in.
pub trait Host {
    /// Microseconds since the Unix epoch.
    fn now_us(&self) -> i64;
    /// 64 random bits.
    fn random(&self) -> u64;
    /// The request's headers, in one call; empty where there are none.
    fn request_headers(&self) -> HeaderBlock;
    /// The response's headers, in one call; empty where no response was sent.
    fn response_headers(&self) -> HeaderBlock;
    /// The chunk of a body that is passing by, at most `bytes_max` of it.
    fn body_chunk(&self, side: Side, bytes_max: usize) -> Vec<u8>;
    /// An attribute of the exchange as the proxy serialises it; `None` where it has none.
    fn property(&self, property: Property) -> Option<Vec<u8>>;
    /// What is asked of every exchange that has ended. A proxy that can answer it in one call does
    /// so: each call costs the request as much as its session id.
    fn ended(&self) -> Ended {
        Ended::one_by_one(self)
    }
    /// Starts an HTTP call; `None` when the proxy refuses. The token comes back with the answer.
    fn call(&mut self, call: &Call<'_>) -> Option<u32>;
    /// The body of the answer that is being handled, at most `bytes_max` of it.
    fn answer_body(&self, bytes_max: usize) -> Vec<u8>;
    /// Adds to a counter that operators see in the proxy's statistics.
    fn count(&mut self, counter: Counter, amount: u64);
    /// Shows the boot id in the proxy's statistics, so that they can be joined with the records.
    fn show_boot(&mut self, boot: &str);
    /// A value that all workers of this proxy share, and the version it has.
    fn shared(&self, key: &str) -> (Option<Vec<u8>>, u32);
    /// Replaces a shared value if it still has that version.
    fn set_shared(&mut self, key: &str, value: &[u8], version: u32) -> bool;
    /// Writes to the proxy's log.
    fn log(&self, level: Level, message: &str);
}

/// The attributes of an ended exchange that every record needs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ended(HeaderBlock);

impl Ended {
    /// What they are, in order.
    pub const ASKED: [Property; 4] = [
        Property::SourceAddress,
        Property::Protocol,
        Property::ResponseFlags,
        Property::BackendLatency,
    ];

    /// Takes a list in the proxy's serialised form, which is that of headers: a value for each of
    /// [`Self::ASKED`], empty where there is none.
    #[must_use]
    pub fn new(values: HeaderBlock) -> Self {
        Self(values)
    }

    /// Asks for each by itself.
    pub fn one_by_one<H: Host + ?Sized>(host: &H) -> Self {
        let values = Self::ASKED.map(|property| host.property(property).unwrap_or_default());
        let pairs = values.each_ref().map(|value| (&**value, &b""[..]));
        Self(HeaderBlock::from_pairs(&pairs))
    }

    /// One of them; `None` where there is none.
    #[must_use]
    pub fn get(&self, property: Property) -> Option<&[u8]> {
        let position = Self::ASKED.iter().position(|asked| *asked == property)?;
        let (value, _) = self.0.iter().nth(position)?;
        Some(value).filter(|value| !value.is_empty())
    }
}

/// An attribute of the exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Property {
    /// Client address with port, after the proxy's `X-Forwarded-For` rules.
    SourceAddress,
    /// `HTTP/1.1`, `HTTP/2`, ….
    Protocol,
    /// Bytes of the response body.
    ResponseSize,
    /// Response status, for exchanges that end without response headers.
    ResponseCode,
    /// Response flags as bits.
    ResponseFlags,
    /// Nanoseconds until the upstream's answer began.
    BackendLatency,
    /// Subject of the client's certificate.
    TlsPeerSubject,
    /// Server name that the client asked for.
    TlsSni,
    /// The proxy's own name.
    NodeId,
}

/// Which body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The request's.
    Request,
    /// The response's.
    Response,
}

/// One HTTP call to the aggregator.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// The proxy's cluster to call.
    pub cluster: &'a str,
    /// Headers in the host's form.
    pub headers: &'a HeaderBlock,
    /// The body.
    pub body: &'a [u8],
    /// How long the call may take.
    pub timeout_ms: u32,
}

/// Counters in the proxy's statistics, cumulative over all workers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Counter {
    /// Exchanges that ended while the filter was there.
    Seen,
    /// Records that the aggregator has on disk.
    Acknowledged,
    /// Records given up because the buffer was full.
    DroppedBufferFull,
    /// Records given up because the aggregator refused their batch for good.
    DroppedRejected,
    /// Records that could not be written.
    DroppedUnwritable,
    /// Calls to the aggregator that failed and are tried again.
    CallFailed,
    /// Values of rules and parameters that were there and could not be read; their records say
    /// why.
    ExtractFailed,
}

impl Counter {
    /// Every counter.
    pub const ALL: [Self; 7] = [
        Self::Seen,
        Self::Acknowledged,
        Self::DroppedBufferFull,
        Self::DroppedRejected,
        Self::DroppedUnwritable,
        Self::CallFailed,
        Self::ExtractFailed,
    ];

    /// Its name in the statistics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Seen => "throughline.seen",
            Self::Acknowledged => "throughline.acknowledged",
            Self::DroppedBufferFull => "throughline.dropped.buffer_full",
            Self::DroppedRejected => "throughline.dropped.rejected",
            Self::DroppedUnwritable => "throughline.dropped.unwritable",
            Self::CallFailed => "throughline.call_failed",
            Self::ExtractFailed => "throughline.extract_failed",
        }
    }
}

/// How much a log line matters to the operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Worth knowing.
    Info,
    /// Something is off; the filter goes on by itself.
    Warn,
    /// Somebody must act: nothing or not everything is recorded.
    Error,
}
