use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::common::{Answer, Setup, TestService};

async fn save(service: &TestService, name: &str, body: &Value) -> Answer {
    let path = format!("/v1/views/{name}?author=ann");
    service
        .change(Method::PUT, &path, &[], body.to_string())
        .await
}

#[tokio::test]
async fn a_view_is_saved_found_replaced_and_forgotten() {
    let (service, _folder) = Setup::default().temporary();
    let failing = json!({"page": "/sessions", "query": "q=status:5xx&last=24h"});
    let saved = save(&service, "failing%20checkouts", &failing).await;
    assert_eq!(saved.status, StatusCode::OK, "{}", saved.text);
    save(&service, "Bots", &json!({"page": "/bots/overview"})).await;
    insta::assert_json_snapshot!("views", service.get("/v1/views").await.json());
    let one = service.get("/v1/views/failing%20checkouts").await;
    assert_eq!(one.json(), saved.json());

    let slow = json!({"page": "/endpoints", "query": "sort=p95"});
    save(&service, "Bots", &slow).await;
    let all = service.get("/v1/views").await.json();
    assert_eq!(all["items"].as_array().unwrap().len(), 2);
    assert_eq!(all["items"][0]["page"], "/endpoints");

    let gone = service
        .change(Method::DELETE, "/v1/views/Bots", &[], "")
        .await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    for method in [Method::GET, Method::DELETE] {
        let answer = service.change(method, "/v1/views/Bots", &[], "").await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{}", answer.text);
    }
    service.close();
}

#[tokio::test]
async fn what_is_no_view_is_refused() {
    let (service, _folder) = Setup::default().temporary();
    for (name, body, text) in [
        (
            "x",
            json!({"page": "//evil.example/"}),
            "give a path of the web UI",
        ),
        (
            "x",
            json!({"page": "/sessions", "query": "a#b"}),
            r#""place":"query""#,
        ),
        ("x", json!({}), "missing field `page`"),
        ("%20x", json!({"page": "/sessions"}), "1 to 60 letters"),
    ] {
        let answer = save(&service, name, &body).await;
        assert!(answer.status.is_client_error(), "{}", answer.text);
        assert!(answer.text.contains(text), "{text}: {}", answer.text);
    }
    assert_eq!(service.get("/v1/views").await.json()["items"], json!([]));
    service.close();
}
