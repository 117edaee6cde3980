use http::StatusCode;

use crate::common::{Setup, shop};

#[tokio::test]
async fn shows_all_bots_at_a_glance() {
    let (service, _folder) = Setup::default().temporary();
    let empty = service.get("/v1/bots").await;
    assert_eq!(empty.status, StatusCode::OK, "{}", empty.text);
    insta::assert_json_snapshot!("none", empty.json());
    shop::visit(&service).await;
    for (name, query) in [("all", "?buckets=6"), ("elsewhere", "?q=user:u-1")] {
        let answer = service.get(&format!("/v1/bots{query}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{name}: {}", answer.text);
        insta::assert_json_snapshot!(name, answer.json());
    }
    service.close();
}
