//! A fake host drives the filter: records, batches, retries, limits, books.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};

use proptest::prelude::*;

use super::*;
use crate::headers::HeaderBlock;
use crate::shape::mark;
use crate::wire::{BatchHeader, Link, LinkKind, Record, Reply, SessionId};

const SECRET: &str = "a secret of the tests";
const TOKEN: &str = "0123456789abcdef";
const CONFIG: &str = r#"{
    "aggregator": {"cluster": "throughline"},
    "limits": {"batch_bytes": 2000, "buffer_bytes": 8000},
    "policy": {
        "version": "v1",
        "applications": [{"name": "shop", "hosts": ["shop.example"]}],
        "keys": [{"name": "token", "from": {"bearer": {}}}],
        "query_values": ["page"],
        "secret_paths": ["/reset/*"]
    }
}"#;

#[derive(Default)]
struct FakeHost {
    now_us: Cell<i64>,
    request: HeaderBlock,
    response: HeaderBlock,
    properties: HashMap<Property, Vec<u8>>,
    /// Properties that were asked for, in order.
    asked: RefCell<Vec<Property>>,
    /// The chunk that is passing by.
    request_body: Vec<u8>,
    response_body: Vec<u8>,
    answer_body: Vec<u8>,
    calls: Vec<Vec<u8>>,
    refuses_calls: bool,
    counters: BTreeMap<Counter, u64>,
    shared: BTreeMap<String, (Vec<u8>, u32)>,
    boot: Option<String>,
    log: RefCell<Vec<String>>,
}

impl Host for FakeHost {
    fn now_us(&self) -> i64 {
        self.now_us.get()
    }
    fn random(&self) -> u64 {
        42
    }
    fn request_headers(&self) -> HeaderBlock {
        self.request.clone()
    }
    fn response_headers(&self) -> HeaderBlock {
        self.response.clone()
    }
    fn body_chunk(&self, side: Side, bytes_max: usize) -> Vec<u8> {
        let body = if side == Side::Request {
            &self.request_body
        } else {
            &self.response_body
        };
        body.iter().copied().take(bytes_max).collect()
    }
    fn property(&self, property: Property) -> Option<Vec<u8>> {
        self.asked.borrow_mut().push(property);
        self.properties.get(&property).cloned()
    }
    fn call(&mut self, call: &Call<'_>) -> Option<u32> {
        assert_eq!(call.cluster, "throughline");
        assert_eq!(
            call.headers.get(b"authorization"),
            Some(format!("Bearer {TOKEN}").as_bytes())
        );
        if self.refuses_calls {
            return None;
        }
        self.calls.push(call.body.to_vec());
        Some(u32::try_from(self.calls.len()).unwrap() - 1)
    }
    fn answer_body(&self, bytes_max: usize) -> Vec<u8> {
        self.answer_body.iter().copied().take(bytes_max).collect()
    }
    fn count(&mut self, counter: Counter, amount: u64) {
        *self.counters.entry(counter).or_default() += amount;
    }
    fn show_boot(&mut self, boot: &str) {
        self.boot = Some(boot.to_owned());
    }
    fn shared(&self, key: &str) -> (Option<Vec<u8>>, u32) {
        self.shared.get(key).map_or((None, 0), |(value, version)| {
            (Some(value.clone()), *version)
        })
    }
    fn set_shared(&mut self, key: &str, value: &[u8], version: u32) -> bool {
        if self.shared(key).1 != version {
            return false;
        }
        self.shared
            .insert(key.to_owned(), (value.to_vec(), version + 1));
        true
    }
    fn log(&self, _: Level, message: &str) {
        self.log.borrow_mut().push(message.to_owned());
    }
}

impl FakeHost {
    fn with(request: &[(&str, &str)], response: &[(&str, &str)]) -> Self {
        let block = |pairs: &[(&str, &str)]| {
            let pairs: Vec<_> = pairs
                .iter()
                .map(|(n, v)| (n.as_bytes(), v.as_bytes()))
                .collect();
            HeaderBlock::from_pairs(&pairs)
        };
        let host = Self {
            request: block(request),
            response: block(response),
            ..Self::default()
        };
        host.now_us.set(1_000_000);
        host
    }

    fn pass_ms(&self, milliseconds: i64) {
        self.now_us.set(self.now_us.get() + milliseconds * 1_000);
    }

    fn counted(&self, counter: Counter) -> u64 {
        self.counters.get(&counter).copied().unwrap_or(0)
    }
}

fn worker_of(config: &str) -> Result<Worker, SetupError> {
    Worker::new(Settings {
        config: config.as_bytes(),
        session_secret: Some(SECRET),
        ingest_token: Some(TOKEN),
    })
}

fn worker() -> Worker {
    worker_of(CONFIG).unwrap()
}

fn exchange(worker: &mut Worker, host: &mut FakeHost) {
    let exchange = worker.on_request(host);
    host.pass_ms(5);
    worker.on_end(host, Some(exchange));
}

/// What the aggregator replies to a batch or heartbeat; `None` for a fetch, which has no body.
fn reply_to(host: &FakeHost, token: usize) -> Option<Reply> {
    let body = host.calls.get(token).filter(|body| !body.is_empty())?;
    let acknowledged = parse(body).0.sequence;
    Some(Reply {
        acknowledged,
        duplicate: false,
        live_version: None,
    })
}

/// Answers one call as an aggregator does that has stored it.
fn acknowledge(worker: &mut Worker, host: &mut FakeHost, token: usize) {
    host.answer_body = serde_json::to_vec(&reply_to(host, token)).unwrap();
    worker.on_answer(host, u32::try_from(token).unwrap(), Some(200), None);
}

fn parse(body: &[u8]) -> (BatchHeader<'_>, Vec<Record<'_>>) {
    let text = std::str::from_utf8(body).unwrap();
    let (header, records) = text.split_once('\n').unwrap();
    let records = records
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    (serde_json::from_str(header).unwrap(), records)
}

fn hides_secrets(body: &[u8]) {
    let sent = String::from_utf8_lossy(body).into_owned();
    for secret in ["tok-1", "9f86d081", "secret=s", SECRET, "abc/"] {
        assert!(!sent.contains(secret), "{secret} in {sent}");
    }
}

/// What a browser sends, with a secret in every place that has one.
const FULL_REQUEST: &[(&str, &str)] = &[
    (":method", "GET"),
    (":scheme", "http"),
    (":authority", "Shop.Example:8080"),
    (
        ":path",
        "/reset/abc/9f86d081884c7d659a2feaa0c55ad015?page=2&secret=s&x",
    ),
    ("user-agent", "test/1"),
    ("referer", "https://Other.example/secret"),
    ("x-request-id", "r-1"),
    (
        "traceparent",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    ),
    ("authorization", "Bearer tok-1"),
];

#[test]
fn one_exchange_becomes_one_full_record() {
    let mut host = FakeHost::with(
        FULL_REQUEST,
        &[
            (":status", "200"),
            ("content-type", "application/JSON; charset=utf-8"),
        ],
    );
    let number = |number: i64| number.to_le_bytes().to_vec();
    host.properties = HashMap::from([
        (Property::SourceAddress, b"203.0.113.7:5000".to_vec()),
        (Property::Protocol, b"HTTP/2".to_vec()),
        (Property::ResponseFlags, number(1 << 14)),
        (Property::BackendLatency, number(3_000_999)),
    ]);
    let mut worker = worker();
    let mut exchange = worker.on_request(&host);
    exchange.on_body(&host, Side::Response, 1000, false);
    exchange.on_body(&host, Side::Response, 234, true);
    host.pass_ms(5);
    worker.on_end(&mut host, Some(exchange));
    host.pass_ms(100);
    worker.on_tick(&mut host);

    let (header, records) = parse(&host.calls[0]);
    assert_eq!(
        (header.worker, header.sequence, header.records),
        (0, Some(0), 1)
    );
    assert_eq!((header.ledger.seen, header.ledger.held()), (1, 1));
    assert_eq!(host.boot, Some(header.boot.to_string()));
    let [record] = &records[..] else {
        panic!("{records:?}")
    };
    let shown = serde_json::to_value(record).unwrap();
    let hashed = shown["path"].as_str().unwrap();
    assert!(hashed.starts_with("/reset/~") && hashed.len() == "/reset/".len() + 17 + 1 + 17);
    assert!(record.query_hash.is_some() && record.header_shape.is_some());
    assert_eq!(record.session, record.request_session);
    let mut rest = shown.as_object().unwrap().clone();
    for known in [
        "path",
        "query_hash",
        "session",
        "request_session",
        "header_shape",
    ] {
        rest.remove(known);
    }
    assert_eq!(
        serde_json::Value::Object(rest),
        serde_json::json!({
            "index": 0, "start_us": 1_000_000, "application": "shop", "request_id": "r-1",
            "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736", "method": "GET", "scheme": "http",
            "host": "shop.example", "query_names": ["page", "secret", "x"],
            "query_values": [["page", "2"]], "protocol": "HTTP/2", "status": 200,
            "flags": 1 << 14, "request_bytes": 0, "response_bytes": 1234, "duration_us": 5_000,
            "upstream_us": 3_000, "client_ip": "203.0.113.7", "user_agent": "test/1",
            "header_marks": mark("user-agent") | mark("referer") | mark("authorization"),
            "referer_host": "other.example", "content_type": "application/json", "key": "token",
        })
    );
    hides_secrets(&host.calls[0]);
}

/// Each question costs every request as much as its session id.
#[test]
fn no_more_is_asked_than_is_needed() {
    let keyed = &[("authorization", "Bearer tok-1")][..];
    for (request, at_first) in [(keyed, &[][..]), (&[], &[Property::SourceAddress])] {
        let mut host = FakeHost::with(request, &[(":status", "200")]);
        let address = b"203.0.113.7:5000".to_vec();
        host.properties = HashMap::from([(Property::SourceAddress, address)]);
        let mut worker = worker();
        // Who the worker is, it asks once.
        exchange(&mut worker, &mut host);
        host.asked.borrow_mut().clear();
        let exchange = worker.on_request(&host);
        assert_eq!(*host.asked.borrow(), at_first);
        worker.on_end(&mut host, Some(exchange));
        assert_eq!(host.asked.borrow()[at_first.len()..], Ended::ASKED);
        host.pass_ms(100);
        worker.on_tick(&mut host);
        let (_, records) = parse(&host.calls[0]);
        let addresses = records.iter().map(|record| record.client_ip.as_deref());
        assert!(addresses.eq([Some("203.0.113.7"); 2]));
    }
}

#[test]
fn an_exchange_without_request_headers_is_a_record_too() {
    let mut host = FakeHost::with(&[], &[(":status", "431")]);
    host.properties = HashMap::from([(Property::SourceAddress, b"[2001:db8::1]:1".to_vec())]);
    let mut worker = worker();
    worker.on_end(&mut host, None);
    host.pass_ms(100);
    worker.on_tick(&mut host);
    let (_, records) = parse(&host.calls[0]);
    let record = &records[0];
    assert_eq!((&record.method, &record.path), (&None, &None));
    assert_eq!(
        (record.status, record.client_ip.as_deref()),
        (Some(431), Some("2001:db8::1"))
    );
    assert_eq!((record.header_shape, record.header_marks), (None, None));
    assert_eq!(
        (&*record.key, &*record.application),
        ("ip_user_agent", "default")
    );
}

#[test]
fn long_values_are_cut_and_say_so() {
    let long = "x".repeat(5_000);
    let path = format!("/a?page={long}&{}", "p&".repeat(100));
    let mut host = FakeHost::with(&[(":path", &path), ("user-agent", &long)], &[]);
    let mut worker = worker();
    exchange(&mut worker, &mut host);
    worker.on_tick(&mut host);
    host.pass_ms(100);
    worker.on_tick(&mut host);
    let (_, records) = parse(&host.calls[0]);
    assert_eq!(records[0].user_agent.as_ref().unwrap().len(), 512);
    assert_eq!(records[0].query_values[0].1.len(), 256);
    assert_eq!(records[0].query_names.len(), 64);
    assert_eq!(
        records[0].truncated,
        ["query_values", "query_names", "user_agent"]
    );
}

#[test]
fn a_batch_is_tried_again_byte_for_byte_until_it_is_acknowledged() {
    let mut host = FakeHost::with(&[(":path", "/")], &[]);
    let mut worker = worker();
    exchange(&mut worker, &mut host);
    host.pass_ms(100);
    worker.on_tick(&mut host);
    assert_eq!(host.calls.len(), 1);
    for (token, (status, retry_after_s, wait_ms)) in [
        (Some(503), None, 200),
        (None, None, 400),
        (Some(503), Some(7), 7_000),
    ]
    .iter()
    .enumerate()
    {
        worker.on_answer(
            &mut host,
            u32::try_from(token).unwrap(),
            *status,
            *retry_after_s,
        );
        worker.on_tick(&mut host);
        assert_eq!(host.calls.len(), token + 1, "backs off");
        host.pass_ms(*wait_ms);
        worker.on_tick(&mut host);
        assert_eq!(host.calls.len(), token + 2, "tries again");
        assert_eq!(host.calls[token + 1], host.calls[0]);
    }
    acknowledge(&mut worker, &mut host, 3);
    assert_eq!(host.counted(Counter::Acknowledged), 1);
    assert_eq!(host.counted(Counter::CallFailed), 3);
    host.pass_ms(1_000);
    worker.on_tick(&mut host);
    let (header, records) = parse(&host.calls[4]);
    assert_eq!((header.sequence, records.len()), (None, 0));
    assert_eq!((header.ledger.acknowledged, header.ledger.held()), (1, 0));
}

#[test]
fn an_answer_that_never_comes_is_a_failure() {
    let mut host = FakeHost::with(&[], &[]);
    let mut worker = worker();
    exchange(&mut worker, &mut host);
    host.pass_ms(100);
    worker.on_tick(&mut host);
    host.pass_ms(10_001);
    worker.on_tick(&mut host);
    host.pass_ms(300);
    worker.on_tick(&mut host);
    assert_eq!(host.calls.len(), 2);
    assert_eq!(host.calls[0], host.calls[1]);
    // The first answer comes after all: its token is no longer known and changes nothing.
    acknowledge(&mut worker, &mut host, 0);
    assert_eq!(host.counted(Counter::Acknowledged), 0);
    acknowledge(&mut worker, &mut host, 1);
    assert_eq!(host.counted(Counter::Acknowledged), 1);
}

#[test]
fn a_refused_batch_is_counted_and_given_up() {
    for status in [400, 409, 413, 415, 422] {
        let mut host = FakeHost::with(&[], &[]);
        let mut worker = worker();
        exchange(&mut worker, &mut host);
        host.pass_ms(100);
        worker.on_tick(&mut host);
        worker.on_answer(&mut host, 0, Some(status), None);
        assert_eq!(host.counted(Counter::DroppedRejected), 1, "{status}");
        let refused = |line: &String| line.contains("refused a batch of 1 records");
        assert!(host.log.borrow().iter().any(refused), "{status}");
    }
}

#[test]
fn a_full_buffer_drops_and_counts() {
    let mut host = FakeHost::with(&[(":path", "/some/path")], &[]);
    host.refuses_calls = true;
    let mut worker = worker();
    for _ in 0..200 {
        exchange(&mut worker, &mut host);
        worker.on_tick(&mut host);
    }
    host.refuses_calls = false;
    let dropped = host.counted(Counter::DroppedBufferFull);
    assert!((100..200).contains(&dropped), "{dropped}");
    assert_eq!(host.counted(Counter::Seen), 200);
    let mut answered = 0;
    for _ in 0..50 {
        host.pass_ms(40_000);
        worker.on_tick(&mut host);
        while answered < host.calls.len() {
            acknowledge(&mut worker, &mut host, answered);
            answered += 1;
        }
    }
    let records: usize = host.calls.iter().map(|call| parse(call).1.len()).sum();
    assert_eq!(u64::try_from(records).unwrap() + dropped, 200);
    let held = parse(host.calls.last().unwrap()).0.ledger.held();
    assert_eq!(held, 0);
}

#[test]
fn an_idle_worker_gives_a_sign_of_life() {
    let mut host = FakeHost::with(&[], &[]);
    let mut worker = worker();
    let pass_21_s = |worker: &mut Worker, host: &mut FakeHost| {
        for _ in 0..210 {
            host.pass_ms(100);
            worker.on_tick(host);
        }
    };
    pass_21_s(&mut worker, &mut host);
    assert_eq!(host.calls.len(), 0, "nothing happened yet");
    exchange(&mut worker, &mut host);
    host.pass_ms(100);
    worker.on_tick(&mut host);
    acknowledge(&mut worker, &mut host, 0);
    host.calls.clear();
    pass_21_s(&mut worker, &mut host);
    // Once a second.
    assert_eq!(host.calls.len(), 21);
    assert!(
        host.calls
            .iter()
            .all(|call| parse(call).0.sequence.is_none())
    );
}

#[test]
fn workers_share_the_boot_and_differ_in_number() {
    let mut host = FakeHost::with(&[], &[]);
    let mut boots = Vec::new();
    for expected in 0..4 {
        let mut worker = worker();
        Worker::prepare(&mut host);
        exchange(&mut worker, &mut host);
        host.pass_ms(6_000);
        worker.on_tick(&mut host);
        let (header, _) = parse(host.calls.last().unwrap());
        assert_eq!(header.worker, expected);
        boots.push(header.boot);
    }
    boots.dedup();
    assert_eq!(boots.len(), 1);
}

#[test]
fn it_says_why_it_records_nothing() {
    let setup = |config: &str, session_secret, ingest_token| {
        let settings = Settings {
            config: config.as_bytes(),
            session_secret,
            ingest_token,
        };
        Worker::new(settings)
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default()
    };
    assert!(setup(CONFIG, None, Some(TOKEN)).starts_with("no session secret: set THROUGHLINE_"));
    assert!(setup(CONFIG, Some(""), Some(TOKEN)).starts_with("no session secret"));
    assert!(setup(CONFIG, Some("short"), Some(TOKEN)).contains("5 bytes; it needs at least 16"));
    assert!(setup(CONFIG, Some(SECRET), None).starts_with("no ingest token"));
    assert!(setup(CONFIG, Some(SECRET), Some("a\nb")).starts_with("no ingest token"));
    assert_eq!(
        setup("{}", Some(SECRET), Some(TOKEN)),
        "plugin configuration: .: missing field `aggregator` at line 1 column 2"
    );
    let inline = CONFIG.replacen(
        '{',
        r#"{"development":{"session_secret":"a secret of the tests","ingest_token":"0123456789abcdef"},"#,
        1,
    );
    assert_eq!(setup(&inline, None, None), "");
}

proptest! {
    /// Whatever clients send and the aggregator answers: nothing panics and the books balance.
    #[test]
    fn the_books_balance(
        steps in proptest::collection::vec((0_u8..6, any::<u16>(), any::<Vec<u8>>()), 0..200),
    ) {
        let mut host = FakeHost::with(&[], &[]);
        let mut worker = worker();
        let mut answered = 0;
        for (step, number, bytes) in steps {
            match step {
                0 | 1 => {
                    host.request = HeaderBlock::from_pairs(&[
                        (b":path", &bytes), (b"cookie", &bytes), (&bytes, &bytes),
                    ]);
                    exchange(&mut worker, &mut host);
                }
                2 => host.request = HeaderBlock::new(bytes),
                3 => {
                    host.pass_ms(i64::from(number));
                    worker.on_tick(&mut host);
                }
                _ if answered < host.calls.len() => {
                    let status = if step == 4 { Some(200) } else { Some(number % 600) };
                    worker.on_answer(&mut host, u32::try_from(answered).unwrap(), status, None);
                    answered += 1;
                }
                _ => {}
            }
        }
        for _ in 0..400 {
            host.pass_ms(40_000);
            worker.on_tick(&mut host);
            while answered < host.calls.len() {
                acknowledge(&mut worker, &mut host, answered);
                answered += 1;
            }
        }
        let Some(call) = host.calls.last() else { return Ok(()) };
        let (header, _) = parse(call);
        prop_assert_eq!(header.ledger.held(), 0);
        prop_assert_eq!(header.ledger.seen, host.counted(Counter::Seen));
        prop_assert_eq!(header.ledger.acknowledged, host.counted(Counter::Acknowledged));
    }
}

const LOGIN_CONFIG: &str = r#"{
    "aggregator": {"cluster": "throughline"},
    "policy": {
        "keys": [
            {"name": "token", "from": {"bearer": {}}},
            {"name": "login", "from": {"response": {"json": "/token"}}, "namespace": "token",
             "path_prefixes": ["/login"]},
            {"name": "sid", "from": {"cookie": "sid"}}
        ],
        "parameters": [{"name": "mail", "kind": "user", "from": {"json": "/mail"}}],
        "body_bytes": 64
    }
}"#;

/// Plays a login whose bodies arrive in chunks of these sizes, and gives its record.
fn login(request: &[u8], response: &[u8], chunk: usize) -> serde_json::Value {
    let mut host = FakeHost::with(
        &[
            (":method", "POST"),
            (":path", "/login"),
            ("cookie", "sid=s"),
            ("content-type", "application/json"),
        ],
        &[(":status", "200"), ("content-type", "application/json")],
    );
    let mut worker = worker_of(LOGIN_CONFIG).unwrap();
    let mut exchange = worker.on_request(&host);
    for (side, body) in [(Side::Request, request), (Side::Response, response)] {
        for part in body.chunks(chunk) {
            host.request_body = part.to_vec();
            host.response_body = part.to_vec();
            exchange.on_body(&host, side, part.len(), false);
        }
        exchange.on_body(&host, side, 0, true);
    }
    worker.on_end(&mut host, Some(exchange));
    host.pass_ms(100);
    worker.on_tick(&mut host);
    let (_, records) = parse(&host.calls[0]);
    serde_json::to_value(&records[0]).unwrap()
}

#[test]
fn bodies_are_read_however_they_are_split() {
    let request = br#"{"mail":"ann@example.com","password":"secret"}"#;
    let response = br#"{"token":"t-1","expires_in":300}"#;
    let whole = login(request, response, usize::MAX);
    assert_eq!(whole["key"], "login");
    assert_eq!(whole["links"][0]["kind"], "login");
    assert_eq!(whole["links"][0]["session"], whole["request_session"]);
    assert_eq!(whole["params"][0]["value"], "ann@example.com");
    for chunk in 1..=request.len() {
        assert_eq!(login(request, response, chunk), whole, "chunks of {chunk}");
    }
}

#[test]
fn values_that_cannot_be_read_are_counted() {
    let mut host = FakeHost::with(&[(":path", "/"), ("content-type", "application/json")], &[]);
    let mut worker = worker_of(LOGIN_CONFIG).unwrap();
    for body in [&b"{nope"[..], b"{}"] {
        let mut exchange = worker.on_request(&host);
        host.request_body = body.to_vec();
        exchange.on_body(&host, Side::Request, body.len(), true);
        worker.on_end(&mut host, Some(exchange));
    }
    assert_eq!(host.counted(Counter::ExtractFailed), 1);
}

#[test]
fn a_body_over_the_limit_is_let_go_and_said_so() {
    let long = format!(r#"{{"mail":"{}"}}"#, "a".repeat(100));
    let record = login(long.as_bytes(), b"{}", 10);
    assert_eq!(record["key"], "sid");
    assert_eq!(
        record["extract_failed"],
        serde_json::json!([["mail", "too_long"]])
    );
    let record = login(b"{nope", b"", 10);
    assert_eq!(
        record["extract_failed"],
        serde_json::json!([["login", "json"], ["mail", "json"]])
    );
}

/// Answers every call that is under way, not those that the answers lead to: batches as an
/// aggregator with this live policy does, a fetch with `document`.
fn answer_all(
    worker: &mut Worker,
    host: &mut FakeHost,
    answered: &mut usize,
    (live_version, document): (&str, &str),
) {
    for token in *answered..host.calls.len() {
        host.answer_body = match reply_to(host, token) {
            Some(mut reply) => {
                reply.live_version = Some(live_version.to_owned());
                serde_json::to_vec(&reply).unwrap()
            }
            None => document.as_bytes().to_vec(),
        };
        worker.on_answer(host, u32::try_from(token).unwrap(), Some(200), None);
        *answered = token + 1;
    }
}

const LIVE: &str = r#"{"live_version":"7","policy":{"keys":[{"name":"device","from":{"header":"x-device"}}]},
    "candidates":[{"policy":{"fallback":"ip"},"sample":{"clients_ppm":1000000,"until_us":9000000000}}],
    "finder":{"clients_ppm":1000000,"until_us":9000000000}}"#;

#[test]
fn a_trial_has_the_candidates_links_and_the_session_before() {
    const TRIED: &str = r#"{"live_version":"8","candidates":[{"policy":{"keys":[
        {"name":"device","from":{"header":"x-device"}},
        {"name":"given","from":{"response":{"header":"x-token"}}}]},
        "sample":{"clients_ppm":1000000,"until_us":9000000000}}]}"#;
    let mut answered = 0;
    for (headers, response, is_linked) in [
        (&[(":path", "/")][..], &[("x-token", "token-9")][..], true),
        (&[(":path", "/"), ("x-device", "device-1")], &[], false),
    ] {
        let mut host = FakeHost::with(headers, response);
        let mut worker = worker();
        exchange(&mut worker, &mut host);
        host.pass_ms(100);
        worker.on_tick(&mut host);
        answer_all(&mut worker, &mut host, &mut answered, ("8", ""));
        answer_all(&mut worker, &mut host, &mut answered, ("8", TRIED));
        exchange(&mut worker, &mut host);
        host.pass_ms(100);
        worker.on_tick(&mut host);
        let (_, records) = parse(host.calls.last().unwrap());
        let trial = &records[0].trials[0];
        assert_ne!(trial.session, records[0].session);
        let before = trial.request_session;
        assert_eq!(before.is_some(), is_linked, "{trial:?}");
        let links: Vec<_> = trial.links.iter().map(|it| Some(it.session)).collect();
        assert_eq!(links, before.map(Some).into_iter().collect::<Vec<_>>());
        answered = 0;
    }
}

#[test]
fn a_live_policy_is_fetched_used_and_shared() {
    let headers = [
        (":path", "/"),
        ("x-device", "device-1"),
        ("authorization", "Bearer token-1"),
    ];
    let mut host = FakeHost::with(&headers, &[]);
    let mut worker = worker();
    let mut answered = 0;
    exchange(&mut worker, &mut host);
    host.pass_ms(100);
    worker.on_tick(&mut host);
    answer_all(&mut worker, &mut host, &mut answered, ("7", ""));
    // The reply made it fetch; this answers the fetch.
    assert_eq!(host.calls.len(), 2);
    exchange(&mut worker, &mut host);
    answer_all(&mut worker, &mut host, &mut answered, ("7", LIVE));
    exchange(&mut worker, &mut host);
    host.pass_ms(100);
    worker.on_tick(&mut host);
    let versions_and_keys: Vec<_> = host.calls[2..]
        .iter()
        .map(|call| parse(call))
        .map(|(header, records)| {
            (
                header.policy_version.to_string(),
                records[0].key.to_string(),
            )
        })
        .collect();
    assert_eq!(
        versions_and_keys,
        [
            ("v1".to_owned(), "token".to_owned()),
            ("7".to_owned(), "device".to_owned())
        ],
        "a batch has one version, and what began under the old one stays under it"
    );
    let (_, records) = parse(&host.calls[3]);
    let trial = &records[0].trials[0];
    assert_eq!(
        (&*trial.policy_version, &*trial.key),
        ("candidate-0", "builtin-bearer")
    );
    assert!(
        records[0]
            .finder
            .iter()
            .any(|(place, _)| place == "header:x-device")
    );
    assert!(!String::from_utf8_lossy(&host.calls[3]).contains("device-1"));

    // A worker that starts later has it from the first exchange on, without asking anyone.
    let mut late = self::worker();
    late.on_tick(&mut host);
    exchange(&mut late, &mut host);
    host.pass_ms(100);
    late.on_tick(&mut host);
    let (header, _) = parse(host.calls.last().unwrap());
    assert_eq!(header.policy_version, "7");
    // How often the rule found its value goes along with the next batch.
    exchange(&mut late, &mut host);
    host.pass_ms(100);
    late.on_tick(&mut host);
    let (header, _) = parse(host.calls.last().unwrap());
    let device = header
        .shares
        .iter()
        .find(|share| share.name == "device")
        .unwrap();
    assert_eq!((device.expected, device.found), (2, 2));
}

#[test]
fn a_live_policy_that_is_not_usable_changes_nothing_and_is_named() {
    let mut host = FakeHost::with(&[(":path", "/")], &[]);
    let mut worker = worker();
    let mut answered = 0;
    exchange(&mut worker, &mut host);
    host.pass_ms(100);
    worker.on_tick(&mut host);
    answer_all(&mut worker, &mut host, &mut answered, ("8", ""));
    let broken = r#"{"live_version":"8","policy":{"keys":[{"name":"a","from":{"cokie":"x"}}]}}"#;
    answer_all(&mut worker, &mut host, &mut answered, ("8", broken));
    exchange(&mut worker, &mut host);
    host.pass_ms(100);
    worker.on_tick(&mut host);
    let (header, _) = parse(host.calls.last().unwrap());
    assert_eq!(header.policy_version, "v1");
    let refused = header.refused.unwrap();
    assert_eq!(refused.policy_version, "8");
    assert!(
        refused
            .why
            .starts_with("policy.keys[0].from: unknown variant `cokie`"),
        "{}",
        refused.why
    );
    // It does not ask for the same version again.
    let calls = host.calls.len();
    answer_all(&mut worker, &mut host, &mut answered, ("8", ""));
    assert_eq!(host.calls.len(), calls);
}

#[test]
fn only_the_aggregators_own_reply_acknowledges() {
    for body in [
        "",
        "{}",
        "<html>",
        r#"{"acknowledged":7,"duplicate":false}"#,
        r#"{"duplicate":false}"#,
    ] {
        let mut host = FakeHost::with(&[], &[]);
        let mut worker = worker();
        exchange(&mut worker, &mut host);
        host.pass_ms(100);
        worker.on_tick(&mut host);
        host.answer_body = body.as_bytes().to_vec();
        worker.on_answer(&mut host, 0, Some(200), None);
        assert_eq!(host.counted(Counter::Acknowledged), 0, "{body}");
        assert_eq!(host.counted(Counter::CallFailed), 1, "{body}");
    }
}

#[test]
fn a_clock_that_goes_back_does_not_silence_the_worker() {
    let mut host = FakeHost::with(&[], &[]);
    host.now_us.set(10_000_000_000);
    let mut worker = worker();
    exchange(&mut worker, &mut host);
    host.pass_ms(100);
    worker.on_tick(&mut host);
    worker.on_answer(&mut host, 0, Some(503), None);
    host.pass_ms(-3_600_000);
    worker.on_tick(&mut host);
    assert_eq!(
        host.calls.len(),
        2,
        "an hour back, while it waited to try again"
    );
    host.pass_ms(-3_600_000);
    worker.on_tick(&mut host);
    host.pass_ms(300);
    worker.on_tick(&mut host);
    assert_eq!(
        host.calls.len(),
        3,
        "an hour back, while an answer was awaited"
    );
}

/// What the aggregator hands out as `live_version`: policy `version`, which has the session in this
/// header, and so many candidates.
fn live(live_version: &str, version: &str, header: &str, candidates: usize) -> String {
    let candidate = r#"{"policy":{},"sample":{"clients_ppm":1,"until_us":1}}"#;
    let candidates = vec![candidate; candidates].join(",");
    format!(
        r#"{{"live_version":"{live_version}","candidates":[{candidates}],"policy":{{
            "version":"{version}","builtin_off":["*"],
            "applications":[{{"name":"shop","hosts":["shop.example"]}}],
            "keys":[{{"name":"key","from":{{"header":"{header}"}}}}]}}}}"#
    )
}

/// A worker that talks to an aggregator.
struct Talk {
    worker: Worker,
    host: FakeHost,
    answered: usize,
}

/// Policy version, session, links (kind, session, key), and how often the rule `key` found a value.
type Looked = (String, SessionId, Vec<(LinkKind, SessionId, String)>, u64);

impl Talk {
    /// One exchange, sent and answered.
    fn next(&mut self, live_version: &str) -> Looked {
        exchange(&mut self.worker, &mut self.host);
        self.host.pass_ms(1_000);
        self.worker.on_tick(&mut self.host);
        let (header, records) = parse(self.host.calls.last().unwrap());
        let [record] = &records[..] else {
            panic!("{records:?}")
        };
        let link = |link: &Link<'_>| (link.kind, link.session, link.key.to_string());
        let share = header.shares.iter().find(|share| share.name == "key");
        let looked = (
            header.policy_version.to_string(),
            record.session,
            record.links.iter().map(link).collect(),
            share.map_or(0, |share| share.found),
        );
        self.answer((live_version, ""));
        looked
    }

    fn take(&mut self, live_version: &str, document: &str) {
        self.next(live_version);
        self.answer((live_version, document));
    }

    fn answer(&mut self, live: (&str, &str)) {
        answer_all(&mut self.worker, &mut self.host, &mut self.answered, live);
    }
}

#[test]
fn sessions_are_linked_across_a_change_of_the_policy_for_a_while() {
    let headers = [
        (":path", "/"),
        (":authority", "shop.example"),
        ("x-device", "device-1"),
        ("x-other", "other-1"),
        ("authorization", "Bearer token-1"),
    ];
    let mut talk = Talk {
        worker: worker(),
        host: FakeHost::with(&headers, &[]),
        answered: 0,
    };
    let (_, old, links, _) = talk.next("1");
    assert_eq!(links, []);
    talk.answer(("1", ""));
    talk.take("2", &live("2", "v2", "x-device", 0));
    let (version, new, links, _) = talk.next("2");
    assert_ne!(new, old);
    assert_eq!(version, "v2");
    assert_eq!(links, [(LinkKind::PolicyChange, old, "token".to_owned())]);

    // A candidate more or less changes nothing about that, and the rules' counts go on.
    talk.take("3", &live("3", "v2", "x-device", 2));
    let (version, same, links, found) = talk.next("3");
    assert_eq!((version.as_str(), same, found), ("v2", new, 3));
    assert_eq!(links, [(LinkKind::PolicyChange, old, "token".to_owned())]);

    // With the next policy the counts begin anew, and the one before is the one linked to.
    talk.take("4", &live("4", "v3", "x-other", 0));
    let (_, _, links, found) = talk.next("4");
    assert_eq!(links, [(LinkKind::PolicyChange, new, "key".to_owned())]);
    assert_eq!(found, 1);
    // Half an hour later no visit of then goes on.
    talk.host.pass_ms(30 * 60_000);
    assert_eq!(talk.next("4").2, []);

    // A change that leaves the key alone changes no session.
    let other = live("5", "v4", "x-other", 0);
    talk.take(
        "5",
        &other.replace("\"keys\"", "\"fallback\":\"ip\",\"keys\""),
    );
    let (version, _, links, _) = talk.next("5");
    assert_eq!((version.as_str(), links), ("v4", vec![]));
}

#[test]
fn what_a_worker_held_is_sent_after_its_context_has_ended() {
    let mut host = FakeHost::with(&[(":path", "/")], &[]);
    let mut idle = worker();
    idle.on_tick(&mut host);
    assert!(idle.outlived().is_none(), "nothing was held");

    let mut worker = worker();
    exchange(&mut worker, &mut host);
    host.pass_ms(100);
    worker.on_tick(&mut host);
    exchange(&mut worker, &mut host);
    // One batch is under way, one is open; the call is gone with its context.
    let mut outlived = worker.outlived().unwrap();
    assert!(!outlived.awaits(0));
    host.pass_ms(100);
    outlived.on_tick(&mut host);
    assert_eq!(host.calls.len(), 3);
    assert_eq!(host.calls[1], host.calls[0], "the same bytes");
    assert!(outlived.awaits(1) && outlived.awaits(2) && !outlived.is_done());
    acknowledge(&mut outlived, &mut host, 1);
    acknowledge(&mut outlived, &mut host, 2);
    assert!(outlived.is_done());
    let (header, records) = parse(&host.calls[2]);
    assert_eq!((header.sequence, header.ledger.seen), (Some(1), 2));
    assert_eq!(records.len(), 1);
}
