//! See README.md.

use std::time::{Duration, Instant};

use bytes::Bytes;
use demo::Stack;
use http::{Method, Request};
use http_body_util::Full;
use serde_json::Value;
use shop::accounts::account;
use throughline_tests::{PLUGIN, Slot, assert_vm_alive, exchange, get};

const LOGINS: u32 = 40;
/// From the answer to the login that crossed the limit.
const FOUND_TIME_MAX: Duration = Duration::from_secs(2);

async fn fail(stack: &Stack, n: u32) {
    let email = account(n).email;
    let body = format!(r#"{{"email":"{email}","password":"wrong-{n}"}}"#);
    let request = Request::post(format!("http://{}/api/login", stack.ingress))
        .header("host", "shop.example")
        .header("cookie", "sid=stuffer")
        .header("content-type", "application/json")
        .header("x-request-id", format!("try-{n}"))
        .body(Full::new(Bytes::from(body)))
        .unwrap();
    assert_eq!(exchange(stack.ingress, request).await.status, 401);
}

/// The flagged sessions.
async fn flagged(stack: &Stack) -> Vec<Value> {
    let path = "/v1/verdicts?flagged=true&subject_kind=session";
    let page: Value = stack.api.json(path).await.unwrap();
    page["items"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn within_two_seconds_and_with_the_requests_that_show_it() {
    let _slot = Slot::take().await;
    let stack = Stack::builder().plugin(PLUGIN).start().await.unwrap();
    // When each login was answered: the verdict says which of them led to it.
    let mut answered = Vec::new();
    let mut found = Vec::new();
    let mut seen = Instant::now();
    for n in 0..LOGINS {
        fail(&stack, n).await;
        answered.push(Instant::now());
        get(stack.ingress, "/api/products", &format!("look-{n}")).await;
        if found.is_empty() {
            found = flagged(&stack).await;
            seen = Instant::now();
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(found.len(), 1, "{found:?}");
    let id = found[0]["id"].as_str().unwrap();
    let verdict: Value = stack.api.json(&format!("/v1/verdicts/{id}")).await.unwrap();
    let first = verdict["history"].as_array().unwrap().last().unwrap();
    let at = first["requests"].as_u64().unwrap();
    let took = seen.duration_since(answered[usize::try_from(at).unwrap() - 1]);
    assert!(took < FOUND_TIME_MAX, "{took:?} after login {at}");

    assert_eq!(verdict["bot_type"], "account_takeover");
    let evidence = &verdict["evidence"][0];
    assert!(evidence["value"].as_f64() >= evidence["limit"].as_f64());
    let records = evidence["records"].as_array().unwrap();
    assert!(!records.is_empty(), "{verdict}");
    let session = verdict["session"].as_str().unwrap();
    let path = format!("/v1/sessions/{session}/requests?limit=500");
    let requests: Value = stack.api.json(&path).await.unwrap();
    for record in records {
        let mut all = requests["items"].as_array().unwrap().iter();
        let known = all
            .find(|it| it["record_id"] == record["record_id"])
            .unwrap();
        let id = known["request_id"].as_str().unwrap();
        assert!(id.starts_with("try-"), "{id}");
    }

    let path = format!("/v1/verdicts/{id}/label?author=ann");
    let token = format!("Bearer {}", stack.admin_token);
    let body = Bytes::from_static(br#"{"label":"wrong","note":"our own test"}"#);
    let headers = [("authorization", token.as_str())];
    let (status, _) = stack
        .api
        .send(Method::PUT, &path, &headers, body)
        .await
        .unwrap();
    assert_eq!(status, 200);
    let shown: Value = stack
        .api
        .json(&format!("/v1/sessions/{session}"))
        .await
        .unwrap();
    assert_eq!(shown["verdict"]["state"], "rejected");
    assert_vm_alive(&stack);
    stack.stop().await.unwrap();
}
