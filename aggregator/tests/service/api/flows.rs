use http::{Method, StatusCode};
use serde_json::json;

use crate::common::{Batch, Setup, TestService, line, shop};

async fn with_flows(service: &TestService) {
    let policy = json!({
        "applications": [{"name": "shop"}],
        "flows": [
            {"name": "purchase", "application": "shop", "within": "5m", "steps": [
                {"name": "look", "endpoint": "GET /api/products/{id}"},
                {"name": "choose", "endpoint": "POST /api/cart/items"},
                {"name": "pay", "endpoint": ["POST /api/checkout", "POST /api/v2/checkout"]},
            ]},
            {"name": "hasty", "within": "10s", "steps": [
                {"endpoint": "GET /"}, {"endpoint": "POST /api/checkout"},
            ]},
        ],
    });
    let answer = service
        .change(
            Method::PUT,
            "/v1/policy",
            &[("if-match", "*")],
            policy.to_string(),
        )
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
}

#[tokio::test]
async fn shows_who_completes_what() {
    let (service, _folder) = Setup::default().temporary();
    let none = service.get("/v1/flows").await.json();
    assert_eq!(none["items"], json!([]));
    with_flows(&service).await;
    shop::visit(&service).await;
    for (name, path) in [
        ("all", ""),
        ("purchase", "/purchase"),
        ("of_one", "/purchase?q=user:u-2"),
    ] {
        let answer = service.get(&format!("/v1/flows{path}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{name}: {}", answer.text);
        insta::assert_json_snapshot!(name, answer.json());
    }
    let missing = service.get("/v1/flows/purchases").await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    // Filters are not told: older ones would refuse what they do not know.
    let live = service.live().await;
    assert!(!live.text.contains("purchase"), "{}", live.text);
    service.close();
}

#[tokio::test]
async fn says_which_step_is_slow_for_whom() {
    let (service, _folder) = Setup::default().temporary();
    with_flows(&service).await;
    let mut records = Vec::new();
    for session in 1..=20 {
        let slow = session % 2 == 0;
        let steps = [
            (0, "GET", "/api/products/1"),
            (2, "POST", "/api/cart/items"),
            (if slow { 60 } else { 6 }, "POST", "/api/checkout"),
        ];
        for (at_s, method, path) in steps {
            let mut it = line(session, at_s * 1000);
            it["method"] = method.into();
            it["path"] = path.into();
            it["user_agent"] = if slow {
                "Mozilla/5.0 Firefox/140"
            } else {
                "Mozilla/5.0 Chrome/140"
            }
            .into();
            records.push(it);
        }
    }
    service.send(Batch::new(0).records(records)).await;
    service.stored().await;
    let flow = service.get("/v1/flows/purchase").await.json();
    assert_eq!(flow["completed"], 20, "{flow}");
    assert_eq!(
        flow["bottlenecks"],
        json!([{
            "step": "pay", "by": "user_agent_family", "value": "Firefox", "visits": 10,
            "median_ms": 58_000.0, "others_ms": 4000.0,
        }])
    );
    service.close();
}
