//! When a visit ends: by the policy, by application, from the change on.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::common::{Batch, Setup, TestService, line, session_id};

const MINUTE_MS: i64 = 60_000;

/// Records of one session, at these minutes.
fn at(session: u64, application: &str, minutes: &[i64]) -> Vec<Value> {
    let record = |minute: &i64| {
        let mut line = line(session, minute * MINUTE_MS);
        line["application"] = application.into();
        line
    };
    minutes.iter().map(record).collect()
}

/// Requests of each visit of a session, the earliest visit first.
async fn visits(service: &TestService, session: u64) -> Vec<u64> {
    service.stored().await;
    let path = format!("/v1/sessions/{}", session_id(session));
    let shown = service.get(&path).await.json();
    let mut visits = shown["visit_list"].as_array().unwrap().clone();
    visits.sort_by_key(|visit| visit["visit_start"].as_str().unwrap().to_owned());
    let requests = visits.iter().map(|visit| visit["requests"].as_u64());
    requests.map(Option::unwrap).collect()
}

#[tokio::test]
async fn end_as_the_policy_says_for_each_application() {
    let folder = tempfile::tempdir().unwrap();
    let open = || Setup::default().open(folder.path()).unwrap();
    let mut service = open();
    let policy = json!({
        "applications": [{"name": "shop"}, {"name": "bank"}],
        "visits": {
            "idle": "20m",
            "applications": {"bank": {"idle": "5m", "longest": "8m"}},
        },
    });
    service.put_policy(&policy).await;
    // Filters are not told: older ones would refuse what they do not know.
    assert!(!service.live().await.text.contains("visits"));
    for (sequence, minutes) in [(0, [0, 4]), (1, [8, 12])] {
        let batch = Batch::new(sequence)
            .records(at(1, "bank", &minutes))
            .records(at(2, "shop", &minutes))
            .records(at(3, "shop", &minutes.map(|minute| 6 * minute)));
        service.send(batch).await;
        // What the policy said is read back.
        service.close();
        service = open();
    }
    assert_eq!(visits(&service, 1).await, [3, 1], "longer than 8 minutes");
    assert_eq!(visits(&service, 2).await, [4]);
    assert_eq!(
        visits(&service, 3).await,
        [1, 1, 1, 1],
        "paused for 24 minutes"
    );
    service.close();
}

#[tokio::test]
async fn a_change_holds_for_what_comes_after_it() {
    let (service, _folder) = Setup::flags(&["--idle-timeout", "10m"]).temporary();
    let send = async |sequence: u64, session: u64, minutes: &[i64]| {
        let batch = Batch::new(sequence).records(at(session, "shop", minutes));
        service.send(batch).await;
    };
    send(0, 1, &[0, 15]).await;
    service
        .put_policy(&json!({"visits": {"idle": "30m"}}))
        .await;
    // The visit that was open goes on by the new rule; what is stored stays.
    send(1, 1, &[40]).await;
    assert_eq!(visits(&service, 1).await, [1, 2]);
    let back = service
        .change(Method::PUT, "/v1/policy", &[("if-match", "*")], "{}")
        .await;
    assert_eq!(back.status, StatusCode::OK);
    send(2, 1, &[55]).await;
    assert_eq!(visits(&service, 1).await, [1, 2, 1], "as the flag says");
    let refused = json!({"visits": {"idle": "2h", "longest": "1h"}}).to_string();
    let refused = service
        .change(Method::PUT, "/v1/policy", &[("if-match", "*")], refused)
        .await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(refused.json()["place"], "visits.longest");
    service.close();
}
