//! See README.md.

use bytes::Bytes;
use demo::{AccessLine, Stack, eventually};
use http::request::Builder;
use http::{HeaderValue, Request};
use http_body_util::Full;
use serde_json::Value;
use throughline_tests::{
    PLUGIN, Slot, TIME_MAX, Upstream, assert_vm_alive, books, exchange, exchange_http2, get, leave,
    record_of, records, settled,
};

const KIB: usize = 1024;

#[tokio::test(flavor = "multi_thread")]
async fn each_gives_a_record_and_none_ends_the_vm() {
    let _slot = Slot::take().await;
    let upstream = Upstream::start().await;
    let stack = start(&upstream).await;
    odd_headers(&stack).await;
    long_headers(&stack).await;
    statuses(&stack).await;
    bodies(&stack).await;
    left_midway(&stack).await;
    settled(&stack).await;
    assert_vm_alive(&stack);
}

async fn odd_headers(stack: &Stack) {
    let odd = HeaderValue::from_bytes(b"caf\xe9 \xff\x80").unwrap();
    let somewhere = request("/odd", "odd-bytes").header("x-odd", odd.clone());
    send(stack, somewhere, 200).await;
    let recorded = request("/odd", "odd-agent").header("user-agent", odd);
    let record = send(stack, recorded, 200).await;
    assert!(
        record["user_agent"].as_str().unwrap().contains('\u{fffd}'),
        "{record}"
    );
}

async fn long_headers(stack: &Stack) {
    let cookies: String = (0..199)
        .map(|number| format!("c{number}=v{number}; "))
        .collect();
    let many = request("/many", "cookies").header("cookie", cookies + "sid=last");
    assert_eq!(send(stack, many, 200).await["key"], "by_cookie");

    let long = request("/long", "long").header("x-long", "a".repeat(59 * KIB));
    let record = send(stack, long, 200).await;
    assert_eq!(record["method"], "GET");
    assert_eq!(record["path"], "/long");
    assert_eq!(record["host"], "shop.example");
}

async fn statuses(stack: &Stack) {
    for status in [404, 500, 503] {
        let (path, id) = (format!("/status/{status}"), format!("status-{status}"));
        let record = send(stack, request(&path, &id), status).await;
        assert_eq!(letters(&record), "");
    }
}

async fn bodies(stack: &Stack) {
    let body = Full::new(Bytes::from(vec![b'x'; 100_000]));
    let upload = request("/bytes/50000", "bytes").method("POST").body(body);
    let answer = exchange(stack.ingress, upload.unwrap()).await;
    assert_eq!(answer.body.len(), 50_000);
    let record = same(stack, "bytes").await;
    assert_eq!(record["request_bytes"], 100_000);
    assert_eq!(record["response_bytes"], 50_000);
}

async fn left_midway(stack: &Stack) {
    let request = request("/endless", "left").body(Full::default());
    leave(stack.ingress, request.unwrap()).await;
    assert_eq!(letters(&same(stack, "left").await), "DC");
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_too_long_for_envoy_give_a_record_without_method_and_path() {
    let _slot = Slot::take().await;
    let upstream = Upstream::start().await;
    let stack = start(&upstream).await;
    let too_long = request("/long", "too-long").header("x-long", "a".repeat(61 * KIB));
    let too_long = too_long.body(Full::default()).unwrap();
    assert_eq!(exchange(stack.ingress, too_long).await.status, 431);
    settled(&stack).await;
    let stored = records(&stack).await;
    let [record] = stored.0.as_slice() else {
        panic!("not one record: {stored:?}")
    };
    assert_eq!(record["status"], 431, "{record}");
    assert!(
        record["method"].is_null() && record["path"].is_null(),
        "{record}"
    );
    let log = stack.access_log().unwrap();
    let [line] = log.as_slice() else {
        panic!("not one line: {log:?}")
    };
    assert_eq!(
        (line.status, letters(record)),
        (431, line.flag_letters().to_owned())
    );
    assert_vm_alive(&stack);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_envoy_resets_before_any_filter_shows_as_bypassed() {
    let _slot = Slot::take().await;
    let upstream = Upstream::start().await;
    let stack = start(&upstream).await;
    let too_long = request("http://shop.example/long", "too-long");
    let too_long = too_long
        .version(http::Version::HTTP_2)
        .header("x-long", "a".repeat(61 * KIB));
    let too_long = too_long.body(Full::default()).unwrap();
    assert_eq!(exchange_http2(stack.ingress, too_long).await, None);
    let status = books(&stack, "the gap shows", |status| {
        status.handled() == Some(1) && status.totals.bypassed == 1
    })
    .await;
    assert_eq!(status.totals.seen, 0, "{status:?}");
    assert_eq!(stack.access_log().unwrap().len(), 1);
    assert_vm_alive(&stack);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_that_is_not_there_is_recorded_with_envoys_flags() {
    let _slot = Slot::take().await;
    let upstream = Upstream::start().await;
    let stack = start(&upstream).await;
    drop(upstream);
    assert_eq!(get(stack.ingress, "/gone", "gone").await.status, 503);
    let record = same(&stack, "gone").await;
    assert!(letters(&record).contains('U'), "{record}");
    assert!(record["upstream_us"].is_null(), "{record}");
    assert_vm_alive(&stack);
}

async fn start(upstream: &Upstream) -> Stack {
    let builder = Stack::builder().upstream(upstream.address).plugin(PLUGIN);
    builder.start().await.unwrap()
}

fn request(path: &str, request_id: &str) -> Builder {
    Request::get(path)
        .header("host", "shop.example")
        .header("x-request-id", request_id)
}

/// Sends it, and gives its record; see [`same`].
async fn send(stack: &Stack, request: Builder, expected_status: u16) -> Value {
    let request = request.body(Full::default()).unwrap();
    let id = request.headers()["x-request-id"]
        .to_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        exchange(stack.ingress, request).await.status,
        expected_status
    );
    same(stack, &id).await
}

/// The flags of a record in Envoy's letters.
fn letters(record: &Value) -> String {
    record["flags"].as_str().unwrap_or_default().to_owned()
}

/// The record of a request, after it was compared with Envoy's own line.
async fn same(stack: &Stack, request_id: &str) -> Value {
    let record = record_of(stack, request_id).await;
    let line: AccessLine = eventually("Envoy's line", TIME_MAX, async || {
        let log = stack.access_log().unwrap();
        log.into_iter()
            .find(|line| line.request_id.as_deref() == Some(request_id))
    })
    .await
    .unwrap();
    let context = format!("{line:?}\n{record}");
    assert_eq!(
        record["method"].as_str(),
        line.method.as_deref(),
        "{context}"
    );
    assert_eq!(record["path"].as_str(), line.path.as_deref(), "{context}");
    assert_eq!(record["status"], line.status, "{context}");
    assert_eq!(letters(&record), line.flag_letters(), "{context}");
    assert_eq!(record["request_bytes"], line.request_bytes, "{context}");
    assert_eq!(record["response_bytes"], line.response_bytes, "{context}");
    record
}
