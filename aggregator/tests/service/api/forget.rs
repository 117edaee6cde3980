use http::{Method, StatusCode};
use serde_json::json;

use crate::common::{Batch, Setup, TestService, line, session_id, until};

async fn send(service: &TestService) {
    let records = (1..4).map(|session| {
        let mut one = line(session, 0);
        let user = format!("u/{session}");
        one["params"] = json!([{"name": "user", "value": user, "kind": "user"}]);
        one
    });
    service.send(Batch::new(1).seen(3).records(records)).await;
    service.stored().await;
}

#[tokio::test]
async fn sessions_and_users_are_forgotten_and_the_books_say_so() {
    let (service, _folder) = Setup::flags(&["--detection-snapshot", "100ms"]).temporary();
    send(&service).await;
    let ask = async |path: &str| service.change(Method::DELETE, path, &[], "").await;
    let session = format!("/v1/sessions/{}", session_id(1));
    let answer = ask(&(session.clone() + "?author=ann")).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text);
    assert_eq!(answer.json(), json!({"sessions": 1}));
    assert_eq!(service.get(&session).await.status, StatusCode::NOT_FOUND);
    let answer = ask("/v1/users/u%2F2?author=bob").await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text);
    assert_eq!(answer.json(), json!({"sessions": 1}));
    let left = service.get("/v1/sessions").await.json();
    assert_eq!(left["items"].as_array().unwrap().len(), 1);
    assert_eq!(left["items"][0]["session"], session_id(3));

    until("both are gone from the disk", async || {
        let listed = service.get("/v1/forgettings").await.json();
        let items = listed["items"].as_array().unwrap().clone();
        items.len() == 2 && items.iter().all(|it| it["gone"].is_string())
    })
    .await;
    let listed = service.get("/v1/forgettings?limit=500").await;
    assert!(!listed.text.contains("u/2"), "the name is forgotten too");
    let audit = service.get("/v1/audit").await.json();
    let of = |action: &str| {
        let items = audit["items"].as_array().unwrap();
        items.iter().find(|it| it["action"] == action).cloned()
    };
    assert_eq!(of("session_forgotten").unwrap()["author"], "ann");
    let user = of("user_forgotten").unwrap();
    assert_eq!(user["author"], "bob");
    let subject = user["subject"].as_str().unwrap();
    assert!(
        subject.contains("1 sessions, gone from the disk since"),
        "{subject}"
    );

    send_again(&service).await;
    assert_eq!(service.get(&session).await.status, StatusCode::OK);
    service.close();
}

/// What arrives later is stored.
async fn send_again(service: &TestService) {
    service.send(Batch::new(2).seen(4).record(line(1, 9))).await;
    service.stored().await;
}

#[tokio::test]
async fn nobody_is_forgotten_who_is_not_there_or_without_a_token() {
    let (service, _folder) = Setup::default().temporary();
    send(&service).await;
    for path in [
        format!("/v1/sessions/{}", session_id(9)),
        "/v1/users/nobody".into(),
    ] {
        let answer = service.change(Method::DELETE, &path, &[], "").await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{}", answer.text);
    }
    for path in [
        format!("/v1/sessions/{}", session_id(1)),
        "/v1/users/u%2F2".into(),
    ] {
        let request = http::Request::delete(&path).body(http_body_util::Full::default());
        let answer = service.ask(request.unwrap()).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{}", answer.text);
    }
    let listed = service.get("/v1/forgettings").await.json();
    assert_eq!(listed["items"], json!([]));
    service.close();
}
