#![expect(unsafe_code, reason = "a global allocator that counts")]
#![expect(clippy::print_stdout, reason = "the table is what it is for")]
//! What the filter does for one exchange, natively: calls of the host, allocations, bytes of the
//! record. Unlike time these do not depend on what else the machine does.
//!
//! `cargo run --release -p throughline-session --example filter_cost -- 100000` prints them;
//! `valgrind --tool=callgrind target/release/examples/filter_cost 20000` counts instructions, by
//! function.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use throughline_session::filter::{Call, Counter, Host, Level, Property, Settings, Side, Worker};
use throughline_session::headers::HeaderBlock;
use throughline_session::wire::{BatchHeader, Reply};

struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

// SAFETY: everything is the system allocator's; counting has no part in it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract.
        unsafe { System.dealloc(pointer, layout) }
    }
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// As in `make bench-filter`.
const CONFIG: &str = r#"{
    "aggregator": {"cluster": "throughline"},
    "policy": {
        "applications": [{"name": "shop", "hosts": ["shop.example"]}],
        "keys": [
            {"name": "token", "from": {"bearer": {}}},
            {"name": "sid", "from": {"cookie": "sid"}}
        ],
        "query_values": ["page"]
    }
}"#;

/// What a browser sends through Envoy, after Envoy's own headers.
const HEADERS: [(&str, &str); 17] = [
    (":authority", "shop.example"),
    (":method", "GET"),
    (":scheme", "http"),
    ("accept", "application/json, text/plain, */*"),
    ("accept-encoding", "gzip, deflate, br, zstd"),
    ("accept-language", "en-GB,en;q=0.9,nl;q=0.8"),
    ("cache-control", "no-cache"),
    ("referer", "https://shop.example/products?page=2"),
    ("sec-fetch-dest", "empty"),
    ("sec-fetch-mode", "cors"),
    ("sec-fetch-site", "same-origin"),
    (
        "user-agent",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/154.0.0.0 Safari/537.36",
    ),
    ("x-device", "a81bc81bdead4e5dabff90865d1e13b1"),
    ("x-forwarded-for", "127.0.0.1"),
    ("x-forwarded-proto", "http"),
    ("x-envoy-internal", "true"),
    ("x-request-id", "7c9e6679-7425-440d-8944-be07fc1f90ae"),
];

/// Requests before another client takes its turn.
const REQUESTS_PER_CLIENT: u64 = 10;

struct Fake {
    now_us: Cell<i64>,
    number: Cell<u64>,
    response: Vec<u8>,
    asked: RefCell<BTreeMap<&'static str, u64>>,
    sent_bytes: Cell<u64>,
    answers: Vec<(u32, Vec<u8>)>,
    answer: Vec<u8>,
    tokens: u32,
    shared: BTreeMap<String, (Vec<u8>, u32)>,
    /// Allocations that the fake makes itself.
    own: Cell<u64>,
}

impl Fake {
    fn asks(&self, what: &'static str) {
        self.uncounted(|| *self.asked.borrow_mut().entry(what).or_default() += 1);
    }

    /// What the fake itself allocates is not the filter's.
    fn uncounted<T>(&self, work: impl FnOnce() -> T) -> T {
        let before = ALLOCATIONS.load(Ordering::Relaxed);
        let result = work();
        let own = ALLOCATIONS.load(Ordering::Relaxed) - before;
        self.own.set(self.own.get() + own);
        result
    }

    fn request(&self) -> HeaderBlock {
        let number = self.number.get();
        let client = number / REQUESTS_PER_CLIENT;
        let path = format!("/api/products/{number}?page=2&sort=price");
        let bearer = format!("Bearer 0f8fad5bd9cb469f{:04x}708677289501", client & 0xffff);
        let cookies = format!(
            "sid=7c9e66797425440d{:04x}be07fc1f90ae; theme=dark; consent=1",
            client & 0xffff
        );
        let mut pairs = HEADERS
            .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
            .to_vec();
        pairs.extend([
            (&b":path"[..], path.as_bytes()),
            (b"authorization", bearer.as_bytes()),
            (b"cookie", cookies.as_bytes()),
        ]);
        HeaderBlock::from_pairs(&pairs)
    }
}

impl Host for Fake {
    fn now_us(&self) -> i64 {
        self.asks("now");
        self.now_us.get()
    }
    fn random(&self) -> u64 {
        4
    }
    fn request_headers(&self) -> HeaderBlock {
        self.asks("request headers");
        self.uncounted(|| self.request())
    }
    fn response_headers(&self) -> HeaderBlock {
        self.asks("response headers");
        self.uncounted(|| HeaderBlock::new(self.response.clone()))
    }
    fn body_chunk(&self, _: Side, _: usize) -> Vec<u8> {
        self.asks("body");
        Vec::new()
    }
    fn property(&self, property: Property) -> Option<Vec<u8>> {
        self.uncounted(|| {
            let (name, value) = match property {
                Property::SourceAddress => ("source.address", b"127.0.0.1:50000".to_vec()),
                Property::Protocol => ("request.protocol", b"HTTP/1.1".to_vec()),
                Property::ResponseFlags => ("response.flags", 0_u64.to_le_bytes().to_vec()),
                Property::BackendLatency => (
                    "response.backend_latency",
                    900_000_u64.to_le_bytes().to_vec(),
                ),
                _ => ("other properties", Vec::new()),
            };
            self.asks(name);
            (!value.is_empty()).then_some(value)
        })
    }
    fn call(&mut self, call: &Call<'_>) -> Option<u32> {
        self.asks("http call");
        let own = ALLOCATIONS.load(Ordering::Relaxed);
        self.tokens += 1;
        self.sent_bytes
            .set(self.sent_bytes.get() + call.body.len() as u64);
        let header = call.body.split(|byte| *byte == b'\n').next()?;
        let header: BatchHeader<'_> = serde_json::from_slice(header).ok()?;
        let reply = Reply {
            acknowledged: header.sequence,
            duplicate: false,
            live_version: None,
        };
        self.answers
            .push((self.tokens, serde_json::to_vec(&reply).ok()?));
        self.own
            .set(self.own.get() + ALLOCATIONS.load(Ordering::Relaxed) - own);
        Some(self.tokens)
    }
    fn answer_body(&self, _: usize) -> Vec<u8> {
        self.uncounted(|| self.answer.clone())
    }
    fn count(&mut self, _: Counter, _: u64) {
        self.asks("counter");
    }
    fn show_boot(&mut self, _: &str) {}
    fn shared(&self, key: &str) -> (Option<Vec<u8>>, u32) {
        self.asks("shared data");
        match self.shared.get(key) {
            Some((value, version)) => (Some(value.clone()), *version),
            None => (None, 0),
        }
    }
    fn set_shared(&mut self, key: &str, value: &[u8], version: u32) -> bool {
        self.shared
            .insert(key.to_owned(), (value.to_vec(), version + 1));
        true
    }
    fn log(&self, _: Level, _: &str) {}
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let exchanges: u64 = match std::env::args().nth(1) {
        Some(number) => number.parse()?,
        None => 100_000,
    };
    let mut host = Fake {
        now_us: Cell::new(1_767_225_600_000_000),
        number: Cell::new(0),
        response: HeaderBlock::from_pairs(&[
            (b":status", b"200"),
            (b"content-length", b"11"),
            (b"content-type", b"text/plain"),
            (b"date", b"Sat, 28 Nov 2026 09:00:00 GMT"),
            (b"server", b"envoy"),
        ])
        .as_bytes()
        .to_vec(),
        asked: RefCell::default(),
        sent_bytes: Cell::new(0),
        answers: Vec::new(),
        answer: Vec::new(),
        tokens: 0,
        shared: BTreeMap::new(),
        own: Cell::new(0),
    };
    let mut worker = Worker::new(Settings {
        config: CONFIG.as_bytes(),
        session_secret: Some("a secret of the benchmark"),
        ingest_token: Some("a-token-of-the-benchmark"),
    })?;
    Worker::prepare(&mut host);
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    host.own.set(0);
    let began = Instant::now();
    for number in 0..exchanges {
        host.number.set(number);
        let mut exchange = worker.on_request(&host);
        exchange.on_body(&host, Side::Response, 11, true);
        // 10,000 a second: a tick every thousand.
        host.now_us.set(host.now_us.get() + 100);
        worker.on_end(&mut host, Some(exchange));
        if number % 1_000 == 0 {
            worker.on_tick(&mut host);
        }
        while let Some((token, answer)) = host.answers.pop() {
            host.answer = answer;
            worker.on_answer(&mut host, token, Some(200), None);
        }
    }
    let took = began.elapsed();
    let allocations = ALLOCATIONS.load(Ordering::Relaxed) - before - host.own.get();
    let each = |count: u64| format!("{:.3}", count as f64 / exchanges as f64);
    println!("of each of {exchanges} exchanges:");
    for (what, count) in host.asked.borrow().iter() {
        println!("{what:<26} {:>10}", each(*count));
    }
    println!("{:<26} {:>10}", "allocations", each(allocations));
    println!("{:<26} {:>10}", "bytes sent", each(host.sent_bytes.get()));
    println!(
        "{:<26} {:>10.0}",
        "ns, the fake host's too",
        took.as_nanos() as f64 / exchanges as f64
    );
    Ok(())
}
