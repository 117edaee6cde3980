//! See README.md.

use std::time::{Duration, Instant};

use bytes::Bytes;
use demo::{Stack, eventually};
use http::{Method, Request, StatusCode};
use http_body_util::Full;
use serde_json::{Value, json};
use throughline_tests::{
    Client, Key, Load, Protocol, Slot, TIME_MAX, Upstream, all_run, assert_vm_alive, exchange, get,
    put, record_of, settled, versions,
};

const WORKERS: u32 = 4;
/// What the issue allows between a change and the last worker that has it.
const PICKED_UP_MAX: Duration = Duration::from_secs(2);

const BOOTSTRAP: &str = r#"{
    "aggregator": {"cluster": "throughline"},
    "policy": {
        "version": "bootstrap",
        "applications": [{"name": "shop", "hosts": ["shop.example"]}],
        "keys": [{"name": "by_bearer", "from": {"bearer": {}}}]
    }
}"#;

fn by_header() -> Value {
    json!({
        "applications": [{"name": "shop", "hosts": ["shop.example"]}],
        "keys": [{"name": "by_header", "from": {"header": "x-api-key"}}]
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn under_load_without_a_failed_request() {
    let _slot = Slot::take().await;
    let upstream = Upstream::start().await;
    let builder = Stack::builder().workers(WORKERS).upstream(upstream.address);
    let mut stack = builder.plugin(BOOTSTRAP).start().await.unwrap();
    let clients = (0..16).map(|number| Client {
        name: format!("client-{number}"),
        key: Key::Header(format!("key-{number}")),
        protocol: if number % 2 == 0 {
            Protocol::Http1
        } else {
            Protocol::Http2
        },
        path: "/paced",
        requests: u64::MAX,
    });
    let load = Load::start(stack.ingress, clients);
    all_run(&stack, "bootstrap").await;

    let (status, answer) = put(&stack, "/v1/policy", "\"v0\"", &by_header()).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    let version = answer["policy_version"].as_str().unwrap().to_owned();
    let changed = Instant::now();
    all_run(&stack, &version).await;
    assert!(
        changed.elapsed() <= PICKED_UP_MAX,
        "{:?}",
        changed.elapsed()
    );

    let (status, answer) = put(&stack, "/v1/policy", "\"v0\"", &by_header()).await;
    assert_eq!(status, StatusCode::PRECONDITION_FAILED, "{answer}");
    let broken = json!({"keys": [{"name": "a", "from": {"cokie": "x"}}]});
    let (status, answer) = put(&stack, "/v1/policy", "*", &broken).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{answer}");
    assert!(answer.to_string().contains("keys[0].from"), "{answer}");
    assert_eq!(
        get(stack.ingress, "/x", "keyless").await.status,
        StatusCode::OK
    );
    assert_eq!(
        record_of_while(&stack, "keyless").await["policy_version"],
        *version
    );

    roll_back_and_restart(&mut stack, &version, load).await;
}

/// The record of one request while others come in.
async fn record_of_while(stack: &Stack, request_id: &str) -> Value {
    let what = format!("the record of {request_id}");
    let found = eventually(&what, TIME_MAX, async || {
        let sessions: Value = stack
            .api
            .json("/v1/sessions?limit=200&q=key:ip_user_agent")
            .await
            .ok()?;
        for session in sessions["items"].as_array()? {
            let id = session["session"].as_str()?;
            let path = format!("/v1/sessions/{id}/requests?limit=500");
            let requests: Value = stack.api.json(&path).await.ok()?;
            let mut items = requests["items"].as_array()?.iter();
            if let Some(record) = items.find(|record| record["request_id"] == request_id) {
                return Some(record.clone());
            }
        }
        None
    });
    found.await.unwrap()
}

async fn roll_back_and_restart(stack: &mut Stack, version: &str, load: Load) {
    let cookies = json!({"keys": [{"name": "by_cookie", "from": {"cookie": "sid"}}]});
    let (status, answer) = put(stack, "/v1/policy", "\"v1\"", &cookies).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    let authorization = format!("Bearer {}", stack.admin_token);
    let headers = [
        ("authorization", &*authorization),
        ("content-type", "application/json"),
        ("if-match", "*"),
    ];
    let body = Bytes::from(r#"{"version":1}"#);
    let rolled = stack
        .api
        .send(Method::POST, "/v1/policy/rollback", &headers, body)
        .await;
    let (status, body) = rolled.unwrap();
    assert_eq!(status, StatusCode::OK, "{}", String::from_utf8_lossy(&body));
    let again: Value = serde_json::from_slice(&body).unwrap();
    let again = again["policy_version"].as_str().unwrap();
    all_run(stack, again).await;

    let sent = load.stop().await;
    assert!(
        sent.iter()
            .all(|sent| sent.status.is_some_and(|status| status.is_success())),
        "a request failed"
    );
    let status = settled(stack).await;
    assert!(status.totals.balanced, "{status:?}");
    assert_eq!(
        (
            status.totals.dropped,
            status.totals.lost,
            status.totals.bypassed
        ),
        (0, 0, 0)
    );
    let session: Value = stack
        .api
        .json("/v1/sessions?q=key:by_header&limit=200")
        .await
        .unwrap();
    assert_eq!(
        session["items"].as_array().unwrap().len(),
        16,
        "{version}: {session}"
    );
    assert_vm_alive(stack);

    stack.envoy.terminate(TIME_MAX).await.unwrap();
    stack.envoy.start().unwrap();
    stack.envoy_ready().await.unwrap();
    assert_eq!(get(stack.ingress, "/x", "after-1").await.status, 200);
    eventually("a new Envoy runs the live policy", TIME_MAX, async || {
        let versions = versions(stack).await;
        versions
            .iter()
            .any(|running| running == again)
            .then_some(())
    })
    .await
    .unwrap();
    assert_eq!(
        record_of(stack, "after-1").await["policy_version"],
        "bootstrap"
    );
}

async fn send(stack: &Stack, request_id: &str, headers: &[(&str, &str)]) {
    let mut request = Request::get("/x")
        .header("host", "shop.example")
        .header("x-request-id", request_id);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = exchange(stack.ingress, request.body(Full::default()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::OK, "{request_id}");
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_linked_and_visits_are_marked_across_a_change() {
    let _slot = Slot::take().await;
    let upstream = Upstream::start().await;
    let builder = Stack::builder().upstream(upstream.address);
    let stack = builder.plugin(BOOTSTRAP).start().await.unwrap();
    let ann = [("authorization", "Bearer ann-1"), ("x-api-key", "ann-2")];
    let bob = [("authorization", "Bearer bob-1"), ("x-api-key", "bob-2")];
    let nobody = [("user-agent", "nobody")];
    send(&stack, "ann-before", &ann).await;
    send(&stack, "nobody-before", &nobody).await;
    settled(&stack).await;
    let (status, answer) = put(&stack, "/v1/policy", "\"v0\"", &by_header()).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    let version = answer["policy_version"].as_str().unwrap();
    all_run(&stack, version).await;
    send(&stack, "ann-after", &ann).await;
    send(&stack, "nobody-after", &nobody).await;
    send(&stack, "bob-after", &bob).await;
    settled(&stack).await;

    let session = async |request_id: &str| {
        let record = record_of(&stack, request_id).await;
        let path = format!("/v1/sessions/{}", record["session"].as_str().unwrap());
        stack.api.json::<Value>(&path).await.unwrap()
    };
    let (before, after) = (session("ann-before").await, session("ann-after").await);
    assert_ne!(before["session"], after["session"]);
    let link = |of: &Value| {
        let mut links = of["links"].as_array().unwrap().iter();
        let link = links.find(|link| link["kind"] == "policy_change");
        link.map(|link| (link["direction"].clone(), link["session"].clone()))
    };
    let session_of = |of: &Value| of["session"].clone();
    assert_eq!(link(&after), Some((json!("from"), session_of(&before))));
    assert_eq!(link(&before), Some((json!("to"), session_of(&after))));
    // Bob was not there before: no session of his is made up.
    assert_eq!(link(&session("bob-after").await), None);
    // The change left this key alone: the visit goes on, and says under which versions.
    let visits = session("nobody-after").await["visit_list"].clone();
    assert_eq!(visits.as_array().unwrap().len(), 1, "{visits}");
    assert_eq!(visits[0]["policy_versions"], json!(["bootstrap", version]));
    assert_eq!(after["visit_list"][0]["policy_versions"], json!([version]));
}
