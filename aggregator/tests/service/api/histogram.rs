use http::StatusCode;

use crate::common::{Setup, shop};

#[tokio::test]
async fn counts_over_time() {
    let (service, _folder) = Setup::default().temporary();
    shop::visit(&service).await;
    for (name, query) in [
        ("all", "buckets=12"),
        (
            "failed_checkouts",
            "buckets=4&q=path:/api/checkout+status:5xx+last:1h",
        ),
    ] {
        let answer = service
            .get(&format!("/v1/sessions/histogram?{query}"))
            .await;
        assert_eq!(answer.status, StatusCode::OK, "{name}: {}", answer.text);
        insta::assert_json_snapshot!(name, answer.json());
    }
    service.close();
}

#[tokio::test]
async fn without_records_there_are_no_buckets() {
    let (service, _folder) = Setup::default().temporary();
    let answer = service.get("/v1/sessions/histogram").await.json();
    assert_eq!(answer["buckets"], serde_json::json!([]));
    let refused = service.get("/v1/sessions/histogram?buckets=1001").await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert_eq!(refused.json()["parameter"], "buckets");
    service.close();
}
