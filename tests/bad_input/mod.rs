//! See README.md.

use std::io::Write as _;
use std::net::SocketAddr;

use bytes::Bytes;
use demo::{Stack, eventually};
use http::Request;
use http_body_util::Full;
use serde_json::Value;
use throughline_tests::{
    Slot, TIME_MAX, Upstream, assert_vm_alive, exchange, record_of, records, settled,
};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

const POLICY: &str = r#"{
    "aggregator": {"cluster": "throughline"},
    "policy": {
        "applications": [{"name": "shop", "hosts": ["shop.example"]}],
        "keys": [{"name": "sid", "from": {"cookie": "sid"}}],
        "parameters": [
            {"name": "asked", "from": {"json": "/a"}},
            {"name": "answered", "from": {"response": {"json": "/a"}}},
            {"name": "variable", "from": {"graphql": {"variable": "/a"}}},
            {"name": "field", "from": {"form": "f"}},
            {"name": "claim", "from": {"jwt": {"claim": "sub", "in": {"header": "x-token"}}}},
            {"name": "decoded", "from": {"header": "x-base64", "decode": ["base64"]}},
            {"name": "matched", "from": {"header": "x-text", "decode": [{"regex": "^a(.)"}]}}
        ],
        "body_bytes": 65536
    }
}"#;
/// Whatever one body is, this is enough for what the filter holds of it; Envoy's own buffers and
/// one worker's batches included.
const GROWTH_MAX_KIB: u64 = 200 * 1024;
const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";
/// Rules that read a JSON body: the request's, the response's, and both as GraphQL.
const READS_JSON: [&str; 3] = ["answered", "asked", "variable"];

/// What is sent, and which rules cannot read it, sorted by name.
struct Bad {
    id: &'static str,
    headers: Vec<(&'static str, Vec<u8>)>,
    body: Vec<u8>,
    failed: Vec<(&'static str, &'static str)>,
}

/// A JSON body that all rules for it fail at.
fn json(
    id: &'static str,
    encoding: &'static str,
    body: impl Into<Vec<u8>>,
    why: &'static str,
) -> Bad {
    let mut headers = vec![("content-type", JSON.into())];
    if !encoding.is_empty() {
        headers.push(("content-encoding", encoding.into()));
    }
    Bad {
        id,
        headers,
        body: body.into(),
        failed: READS_JSON.map(|rule| (rule, why)).to_vec(),
    }
}

/// A body that no rule fails at.
fn harmless(id: &'static str, content_type: &str, body: impl Into<Vec<u8>>) -> Bad {
    Bad {
        id,
        headers: vec![("content-type", content_type.into())],
        body: body.into(),
        failed: Vec::new(),
    }
}

/// A header, and the rule that fails at it.
fn header(
    id: &'static str,
    name: &'static str,
    value: impl Into<Vec<u8>>,
    failed: Option<(&'static str, &'static str)>,
) -> Bad {
    Bad {
        id,
        headers: vec![(name, value.into())],
        body: Vec::new(),
        failed: failed.into_iter().collect(),
    }
}

fn everything() -> Vec<Bad> {
    let small = gzip(br#"{"a":"x"}"#);
    let cut = small[..small.len() - 5].to_vec();
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let long = format!(r#"{{"a":"{}"}}"#, "x".repeat(100_000));
    // Base64 of `[[[`.
    let deep_token = format!("a.{}.c", "W1tb".repeat(3_334));
    let long_token = format!("a.{}.c", "YWFh".repeat(6_000));
    vec![
        json("lies", "", "a=x", "json"),
        json("not-utf-8", "", &b"{\"a\":\"\xff\xfe\"}"[..], "json"),
        json("deep", "", deep, "json"),
        json("no-number", "", r#"{"a":1e9999}"#, "json"),
        json("cut-json", "", r#"{"a":"x""#, "json"),
        json("cut-gzip", "gzip", cut, "encoding"),
        json("no-gzip", "gzip", r#"{"a":"x"}"#, "encoding"),
        json("br", "br", r#"{"a":"x"}"#, "encoding"),
        json("gzip-twice", "gzip", gzip(&small), "json"),
        json("bomb", "gzip", gzip(&vec![0; 50_000_000]), "too_long"),
        json("long", "", long, "too_long"),
        harmless("same-key", JSON, r#"{"a":"one","a":"two"}"#),
        harmless("form-lies", FORM, r#"{"f":"x"}"#),
        harmless("form-bytes", FORM, &b"f=\xff%ff"[..]),
        header("token", "x-token", "a.!!!.c", Some(("claim", "jwt"))),
        header("deep-token", "x-token", deep_token, Some(("claim", "jwt"))),
        header(
            "long-token",
            "x-token",
            long_token,
            Some(("claim", "too_long")),
        ),
        header("base64", "x-base64", "a!", Some(("decoded", "base64"))),
        header(
            "bytes",
            "x-base64",
            &b"\xff\xfe"[..],
            Some(("decoded", "base64")),
        ),
        header(
            "regex",
            "x-text",
            "a".repeat(5_000),
            Some(("matched", "too_long")),
        ),
        header(
            "cookie",
            "cookie",
            format!("sid={}", "a".repeat(50_000)),
            None,
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn is_answered_unchanged_recorded_and_counted() {
    let _slot = Slot::take().await;
    let upstream = Upstream::start().await;
    let builder = Stack::builder().upstream(upstream.address).plugin(POLICY);
    let stack = builder.start().await.unwrap();
    let before = memory_kib(&stack);
    let bad = everything();
    for one in &bad {
        let answer = tokio::time::timeout(TIME_MAX, exchange(stack.ingress, one.request()));
        let answer = answer.await.unwrap();
        assert_eq!(answer.status, 200, "{}", one.id);
        assert!(answer.body == one.body, "{} came back changed", one.id);
    }
    cut_off(stack.ingress).await;
    let short = record_of(&stack, "short").await;
    settled(&stack).await;
    let grown = memory_kib(&stack).saturating_sub(before);
    assert!(grown < GROWTH_MAX_KIB, "Envoy has grown by {grown} KiB");

    let stored = records(&stack).await;
    let found = stored.by_request_id();
    for one in &bad {
        assert_eq!(failures(found[one.id]), one.failed, "{}", one.id);
    }
    assert_eq!(
        failures(&short),
        [("asked", "cut_off"), ("variable", "cut_off")]
    );
    assert_eq!(found["same-key"]["params"][0]["value"], "two");
    assert_eq!(
        found["form-bytes"]["params"][0]["value"],
        "\u{fffd}\u{fffd}"
    );
    assert_eq!(found["cookie"]["key"], "sid");
    let sum: usize = stored.0.iter().map(|record| failures(record).len()).sum();
    eventually("Envoy's counter says so too", TIME_MAX, async || {
        (counted(&stack).await == sum).then_some(())
    })
    .await
    .unwrap();
    assert_vm_alive(&stack);
}

impl Bad {
    fn request(&self) -> Request<Full<Bytes>> {
        let mut request = Request::post("/echo")
            .header("host", "shop.example")
            .header("x-request-id", self.id);
        for (name, value) in &self.headers {
            request = request.header(*name, value.as_slice());
        }
        request.body(Full::from(self.body.clone())).unwrap()
    }
}

/// Says more than it sends, waits until Envoy has it, and goes away.
async fn cut_off(ingress: SocketAddr) {
    let mut stream = TcpStream::connect(ingress).await.unwrap();
    let head = "POST /echo HTTP/1.1\r\nhost: shop.example\r\nx-request-id: short\r\n\
                content-type: application/json\r\ncontent-length: 100\r\n\r\n";
    let request = format!("{head}{{\"a\":\"x\"");
    stream.write_all(request.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
}

/// Name and reason of each, sorted.
fn failures(record: &Value) -> Vec<(&str, &str)> {
    let failed = record["extract_failed"].as_array();
    let mut found: Vec<_> = failed
        .into_iter()
        .flatten()
        .map(|one| (one["name"].as_str().unwrap(), one["why"].as_str().unwrap()))
        .collect();
    found.sort_unstable();
    found
}

async fn counted(stack: &Stack) -> usize {
    let path = "/stats?filter=throughline.extract_failed";
    let (_, text) = stack.admin.get(path).await.unwrap();
    let text = String::from_utf8_lossy(&text).into_owned();
    let count = text.rsplit(':').next().map(str::trim);
    count.and_then(|count| count.parse().ok()).unwrap_or(0)
}

/// What Envoy holds of the machine's memory, KiB.
fn memory_kib(stack: &Stack) -> u64 {
    let path = format!("/proc/{}/status", stack.envoy.id().unwrap());
    let status = std::fs::read_to_string(path).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    number.and_then(|number| number.parse().ok()).unwrap()
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}
