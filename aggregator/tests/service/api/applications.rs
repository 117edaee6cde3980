use std::collections::BTreeSet;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::common::{Answer, Batch, Setup, TestService, shop, until};

const PATH: &str = "/v1/applications/shop/openapi";
const DAY_MS: i64 = 86_400_000;

/// Nearly all that the shop has, and an operation that nobody asks for.
fn document() -> String {
    json!({
        "openapi": "3.1.0",
        "info": {"title": "Shop", "version": "2.3.0"},
        "paths": {
            "/": {"get": {}},
            "/api/products/{productId}": {"get": {}, "delete": {}},
            "/api/cart/items": {"post": {}},
            "/api/checkout": {"post": {}},
        }
    })
    .to_string()
}

async fn put(service: &TestService, body: String) -> Answer {
    let path = format!("{PATH}?author=ann");
    service.change(Method::PUT, &path, &[], body).await
}

async fn marked(service: &TestService, query: &str) -> BTreeSet<String> {
    let page = service.get(&format!("/v1/endpoints?{query}")).await.json();
    let items = page["items"].as_array().unwrap_or_else(|| panic!("{page}"));
    let found: BTreeSet<_> = items
        .iter()
        .map(|it| it["endpoint"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(page["count"], found.len(), "{page}");
    found
}

/// Waits until the endpoints that were stored are known.
async fn seen(service: &TestService) {
    service.stored().await;
    let behind = "SELECT (SELECT position FROM log_position)
        - (SELECT position FROM endpoints_seen_to)";
    until("the endpoints are known", async || {
        service.sql::<u64>(behind) == 0
    })
    .await;
}

fn names(list: &[&str]) -> BTreeSet<String> {
    list.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn a_document_names_endpoints_and_marks_them() {
    let (service, folder) = Setup::default().temporary();
    shop::visit(&service).await;
    seen(&service).await;
    let uploaded = put(&service, document()).await;
    assert_eq!(uploaded.status, StatusCode::OK, "{}", uploaded.text);
    insta::assert_json_snapshot!("uploaded", uploaded.json());
    insta::assert_json_snapshot!("all", service.get("/v1/applications").await.json());
    let kept = service.get(PATH).await;
    assert_eq!(kept.text, document());
    assert_eq!(kept.header("content-type"), "application/json");

    // What was learnt before is recognised by its shape.
    let undocumented = names(&["POST /login"]);
    let unused = names(&["DELETE /api/products/{productId}"]);
    assert_eq!(marked(&service, "mark=undocumented").await, undocumented);
    assert_eq!(marked(&service, "mark=unused").await, unused);
    let both = marked(&service, "mark=undocumented,unused").await;
    assert_eq!(both.len(), 2, "{both:?}");
    let documented = marked(&service, "mark=documented&q=status:2xx").await;
    assert!(
        documented.contains("GET /api/products/{id}"),
        "{documented:?}"
    );
    assert!(
        !marked(&service, "")
            .await
            .contains("GET /api/products/{productId}")
    );

    // From here on records are named as the document does, also after a restart.
    service.close();
    let service = Setup::default().open(folder.path()).unwrap();
    let step = (5, 200, "DELETE", "/api/products/17", 204, 9);
    service
        .send(Batch::new(100).record(shop::record(&step)))
        .await;
    let step = (5, 201, "GET", "/api/products/17", 200, 9);
    service
        .send(Batch::new(101).record(shop::record(&step)))
        .await;
    seen(&service).await;
    assert_eq!(marked(&service, "mark=unused").await, names(&[]));
    let all = marked(&service, "").await;
    assert!(all.contains("GET /api/products/{productId}"), "{all:?}");
    let page = service.get("/v1/endpoints?limit=1").await.json();
    insta::assert_json_snapshot!("an_endpoint", page["items"][0]);

    // Without a document there is nothing to say.
    let gone = service.change(Method::DELETE, PATH, &[], "").await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT, "{}", gone.text);
    assert_eq!(
        marked(&service, "mark=documented,undocumented,unused").await,
        names(&[])
    );
    for method in [Method::GET, Method::DELETE] {
        let answer = service.change(method, PATH, &[], "").await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{}", answer.text);
    }
    service.close();
}

#[tokio::test]
async fn unused_is_what_nobody_asked_for_in_the_time() {
    let (service, _folder) = Setup::default().temporary();
    shop::visit(&service).await;
    seen(&service).await;
    put(&service, document()).await;
    // The clock is an hour after the traffic.
    assert_eq!(marked(&service, "q=last:2h&mark=unused").await.len(), 1);
    assert_eq!(marked(&service, "q=last:10m&mark=unused").await.len(), 5);
    // Also with a filter: nobody's, not only not theirs.
    let of_bot = marked(
        &service,
        "q=session:00000000000000000000000000000004&mark=unused",
    )
    .await;
    assert_eq!(of_bot.len(), 1, "{of_bot:?}");
    assert_eq!(marked(&service, "q=app:blog&mark=unused").await.len(), 0);
    service.close();
}

#[tokio::test]
async fn new_is_what_came_after_the_application_itself() {
    let (service, _folder) = Setup::default().temporary();
    // A week and a day before the others.
    let mut old = shop::record(&shop::STEPS[0]);
    old["start_us"] = (old["start_us"].as_i64().unwrap() - 8 * DAY_MS * 1000).into();
    service.send(Batch::new(50).record(old)).await;
    shop::visit(&service).await;
    seen(&service).await;
    let new = marked(&service, "mark=new").await;
    assert!(
        new.contains("POST /login") && !new.contains("GET /"),
        "{new:?}"
    );
    let any = |page: &Value| {
        page["items"]
            .as_array()
            .unwrap()
            .iter()
            .any(|it| it["new"] == true)
    };
    assert!(any(&service.get("/v1/endpoints").await.json()));
    assert_eq!(
        marked(&service, "mark=new&new_within=10m").await,
        names(&[])
    );
    // All of it is new where the application is.
    assert_eq!(marked(&service, "mark=new&new_within=9d").await, names(&[]));
    service.close();
}

#[tokio::test]
async fn a_document_that_cannot_be_used_is_refused_with_its_place() {
    let (service, _folder) = Setup::default().temporary();
    for (body, status, text) in [
        (
            "openapi: 3.0.0\npaths: {}".to_owned(),
            422,
            r#""place":"paths""#,
        ),
        (
            r#"{"openapi": "3.0.0", "paths": {"/a": {"$ref": "b"}}}"#.into(),
            422,
            "bundle",
        ),
        ("x".repeat((1 << 20) + 1), 413, "1048576 bytes"),
    ] {
        let answer = put(&service, body).await;
        assert_eq!(answer.status.as_u16(), status, "{}", answer.text);
        assert!(answer.text.contains(text), "{text}: {}", answer.text);
    }
    for query in ["mark=odd", "mark=new,", "new_within=soon"] {
        let answer = service.get(&format!("/v1/endpoints?{query}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text);
    }
    service.close();
}
