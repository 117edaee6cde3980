//! Whom another `detection` would flag, asked of the running service.

use http::{Method, Request, StatusCode};
use http_body_util::Full;
use serde_json::{Value, json};

use crate::common::{Answer, Batch, Setup, TestService, session_id};
use crate::verdicts::traffic;

const PATH: &str = "/v1/backtest";

async fn judged() -> (TestService, tempfile::TempDir) {
    let (service, folder) = Setup::default().temporary();
    service.put_policy(&leave_alone(1)).await;
    for (sequence, some) in (0..).zip(traffic().chunks(9)) {
        service
            .send(Batch::new(sequence).records(some.iter().cloned()))
            .await;
    }
    service.judged().await;
    (service, folder)
}

fn leave_alone(session: u64) -> Value {
    let network = format!("203.0.113.{session}");
    json!({"detection": [{"exceptions": [{"network": network}]}]})
}

async fn ask(service: &TestService, policy: &str, media_type: &str) -> Answer {
    let request = Request::post(PATH)
        .header("content-type", media_type)
        .body(Full::new(policy.to_owned().into()));
    service.ask(request.unwrap()).await
}

fn sessions(changed: &Value) -> Vec<&str> {
    let items = changed["items"].as_array().unwrap().iter();
    let sessions = items.filter(|it| it["subject_kind"] == "session");
    sessions.map(|it| it["subject"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn tells_whose_verdict_would_change_and_changes_nothing() {
    let (service, _folder) = judged().await;
    let answer = ask(&service, &leave_alone(2).to_string(), "application/json").await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let found = answer.json();
    let all = traffic().len();
    assert_eq!(found["policy_version"], "v1");
    assert_eq!(
        [&found["records"], &found["records_judged"], &found["cut"]],
        [&json!(all), &json!(all), &Value::Null]
    );
    assert_eq!(sessions(&found["newly"]), [session_id(1)]);
    assert_eq!(sessions(&found["no_longer"]), [session_id(2)]);
    assert_eq!(found["newly"]["sessions"], 1);
    let reason = found["newly"]["items"][0]["reason"].as_str().unwrap();
    assert!(reason.starts_with("credential stuffing: "), "{reason}");

    // The same policy as YAML changes nobody, and none of this became the policy.
    let yaml = "detection: [{exceptions: [{network: 203.0.113.1}]}]";
    let same = ask(&service, yaml, "application/yaml").await.json();
    assert_eq!(
        [&same["newly"]["count"], &same["no_longer"]["count"]],
        [&json!(0), &json!(0)]
    );
    assert!(same["still"].as_u64() >= Some(1), "{same:#}");
    assert_eq!(service.get("/v1/policy").await.json()["version"], 1);
    service.close();
}

#[tokio::test]
async fn says_what_is_wrong_with_a_document_or_a_caller() {
    let (service, _folder) = Setup::default().temporary();
    let wrong = r#"{"detection": [{"off": ["scrapping"]}]}"#;
    let refused = ask(&service, wrong, "application/json").await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        refused.text.contains("did you mean `scraping`"),
        "{}",
        refused.text
    );
    let picture = ask(&service, "{}", "image/png").await;
    assert_eq!(picture.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let long = format!("{{\"detection\": [{}]}}", " ".repeat(129 * 1024));
    let long = ask(&service, &long, "application/json").await;
    assert_eq!(long.status, StatusCode::PAYLOAD_TOO_LARGE, "{}", long.text);
    assert_eq!(
        service.get(PATH).await.status,
        StatusCode::METHOD_NOT_ALLOWED
    );
    // Nothing is stored, so nobody is flagged.
    let nothing = service.change(Method::POST, PATH, &[], "{}").await;
    assert_eq!(nothing.json()["records"], 0, "{}", nothing.text);
    service.close();
}
