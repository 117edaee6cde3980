//! See README.md.

use std::time::{Duration, Instant};

use bytes::Bytes;
use demo::{Stack, eventually};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use throughline_tests::{
    Client, Key, Load, Protocol, Slot, TIME_MAX, Upstream, assert_vm_alive, get, record_of, settled,
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

async fn put(stack: &Stack, path: &str, tag: &str, document: &Value) -> (StatusCode, Value) {
    let authorization = format!("Bearer {}", stack.admin_token);
    let headers = [
        ("authorization", &*authorization),
        ("content-type", "application/json"),
        ("if-match", tag),
    ];
    let body = Bytes::from(document.to_string());
    let (status, body) = stack
        .api
        .send(Method::PUT, path, &headers, body)
        .await
        .unwrap();
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

/// Policy versions that busy workers say they run.
async fn versions(stack: &Stack) -> Vec<String> {
    let status: Value = stack.api.json("/v1/status").await.unwrap();
    let workers = status["workers"].as_array().unwrap().iter();
    let mut versions: Vec<_> = workers
        .filter(|worker| worker["state"] == "live")
        .map(|worker| {
            worker["policy_version"]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        })
        .collect();
    versions.sort();
    versions
}

async fn all_run(stack: &Stack, version: &str) {
    let what = format!("every worker runs {version}");
    let runs = eventually(&what, TIME_MAX, async || {
        let versions = versions(stack).await;
        (!versions.is_empty() && versions.iter().all(|running| running == version)).then_some(())
    });
    runs.await.unwrap();
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
