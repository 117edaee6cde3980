use http::StatusCode;

use crate::common::{Setup, shop};

#[tokio::test]
async fn lists_and_shows_users() {
    let (service, _folder) = Setup::default().temporary();
    shop::visit(&service).await;
    for (name, path) in [
        ("all", ""),
        ("failed_least_first", "?sort=errors&order=asc&limit=1"),
        ("one", "/u-2"),
    ] {
        let answer = service.get(&format!("/v1/users{path}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{name}: {}", answer.text);
        insta::assert_json_snapshot!(name, answer.json());
    }
    let missing = service.get("/v1/users/nobody%40example.com+a").await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    let detail = missing.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("`nobody@example.com+a`"), "{detail}");
    service.close();
}
