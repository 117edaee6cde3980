use http::{Method, StatusCode};

use crate::common::{Batch, Setup, line, session_id};

#[tokio::test]
async fn a_pin_is_kept_listed_and_taken_away() {
    let (service, _folder) = Setup::default().temporary();
    service.send(Batch::new(1).seen(1).record(line(1, 0))).await;
    service.stored().await;
    let path = |number| format!("/v1/sessions/{}/pin", session_id(number));
    let unknown = service.change(Method::PUT, &path(7), &[], "").await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    for _ in 0..2 {
        let answer = service
            .change(Method::PUT, &(path(1) + "?author=ann"), &[], "")
            .await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.text);
    }
    let pins = service.get("/v1/pins").await.json();
    assert_eq!(pins["items"].as_array().unwrap().len(), 1);
    assert_eq!(pins["items"][0]["session"], session_id(1));
    assert_eq!(pins["items"][0]["author"], "ann");
    let found = service.get("/v1/sessions?q=has:pin").await.json();
    assert_eq!(found["items"][0]["session"], session_id(1));
    assert_eq!(found["items"][0]["pinned"], true);
    let answer = service.change(Method::DELETE, &path(1), &[], "").await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    let pins = service.get("/v1/pins").await.json();
    assert_eq!(pins["items"], serde_json::json!([]));
    let found = service.get("/v1/sessions?q=-has:pin").await.json();
    assert_eq!(found["items"][0]["pinned"], false);
    let audit = service.get("/v1/audit").await.json();
    let items = audit["items"].as_array().unwrap().iter();
    let actions: Vec<_> = items.map(|it| it["action"].as_str().unwrap()).collect();
    assert_eq!(
        actions.iter().filter(|it| **it == "session_pinned").count(),
        2
    );
    assert!(actions.contains(&"session_unpinned"), "{audit}");
    service.close();
}
