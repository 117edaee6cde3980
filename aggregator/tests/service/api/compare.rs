use http::StatusCode;

use crate::common::{Setup, session_id, shop};

#[tokio::test]
async fn puts_two_sessions_beside_each_other() {
    let (service, _folder) = Setup::default().temporary();
    shop::visit(&service).await;
    let path = |a, b| format!("/v1/sessions/{}/compare/{}", session_id(a), session_id(b));
    let answer = service.get(&path(1, 2)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    insta::assert_json_snapshot!(answer.json());
    let same = service.get(&path(3, 3)).await.json();
    for kind in ["endpoints", "addresses", "user_agents", "steps"] {
        assert_eq!(same[kind]["overlap"], 1.0, "{kind}: {same}");
    }
    assert_eq!(service.get(&path(1, 9)).await.status, StatusCode::NOT_FOUND);
    service.close();
}
