//! Changing the policy, and who has it.

use bytes::Bytes;
use demo::{Stack, eventually};
use http::{Method, StatusCode};
use serde_json::Value;

use super::TIME_MAX;

/// Puts a policy, a candidate or the like, with the admin token; status and answer.
pub async fn put(stack: &Stack, path: &str, tag: &str, document: &Value) -> (StatusCode, Value) {
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

/// Policy versions that live workers say they run.
pub async fn versions(stack: &Stack) -> Vec<String> {
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

/// Waits until every live worker says that it runs `version`.
pub async fn all_run(stack: &Stack, version: &str) {
    let what = format!("every worker runs {version}");
    let runs = eventually(&what, TIME_MAX, async || {
        let versions = versions(stack).await;
        (!versions.is_empty() && versions.iter().all(|running| running == version)).then_some(())
    });
    runs.await.unwrap();
}
