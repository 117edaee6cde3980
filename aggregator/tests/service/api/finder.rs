use http::{Method, StatusCode};
use serde_json::json;

use crate::common::{Batch, Setup, line};

#[tokio::test]
async fn the_cookie_of_generated_records_is_proposed_first() {
    let (service, _folder) = Setup::default().temporary();
    // What an earlier run left behind.
    let mut old = line(1, 0);
    old["finder"] = json!([["cookie:old", "00000000000000aa"]]);
    service.send(Batch::new(0).record(old)).await;
    service.stored().await;
    service.clock.advance(1_000_000);
    let body = r#"{"clients_share":0.5,"minutes":30}"#;
    let started = service
        .change(Method::PUT, "/v1/policy/finder", &[], body)
        .await;
    assert_eq!(started.status, StatusCode::NO_CONTENT);
    assert_eq!(
        service.live().await.json()["finder"]["clients_ppm"],
        500_000
    );
    let mut batch = Batch::new(1);
    for step in 0..6 {
        for client in 0..10 {
            let mut record = line(1, 1000 * step + client);
            record["client_ip"] = format!("10.0.0.{client}").into();
            let place = if step == 0 {
                "response.cookie:sid"
            } else {
                "cookie:sid"
            };
            record["finder"] = json!([
                ["header:x-app", "00000000000000ff"],
                [place, format!("{:016x}", 4096 + client)],
            ]);
            batch = batch.record(record);
        }
    }
    service.send(batch).await;
    service.stored().await;
    let report = service.get("/v1/policy/finder").await.json();
    assert_eq!(
        report["keys"][0]["evidence"][0]["place"], "cookie:sid",
        "{report:#}"
    );
    insta::assert_json_snapshot!(report);
    let stopped = service
        .change(Method::DELETE, "/v1/policy/finder", &[], "")
        .await;
    assert_eq!(stopped.status, StatusCode::NO_CONTENT);
    let report = service.get("/v1/policy/finder").await.json();
    assert_eq!(
        (&report["running"], &report["requests"]),
        (&json!(false), &json!(60))
    );
    assert_eq!(service.live().await.json().get("finder"), None);
    service.close();
}

#[tokio::test]
async fn it_is_off_until_someone_starts_it() {
    let (service, _folder) = Setup::default().temporary();
    insta::assert_json_snapshot!("off", service.get("/v1/policy/finder").await.json());
    service.close();
}
