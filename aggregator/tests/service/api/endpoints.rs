use std::collections::BTreeSet;

use http::StatusCode;

use crate::common::{Batch, Setup, shop, until};

#[tokio::test]
async fn lists_endpoints_with_their_figures() {
    let (service, _folder) = Setup::default().temporary();
    shop::visit(&service).await;
    until("all endpoints are known", async || {
        service.sql::<bool>(
            "SELECT (SELECT position FROM endpoints_seen_to) >= (SELECT position FROM log_position)",
        )
    })
    .await;
    for (name, query) in [
        ("all", ""),
        ("failing_first", "?sort=errors&limit=2"),
        ("of_one_user", "?q=user:u-1"),
    ] {
        let answer = service.get(&format!("/v1/endpoints{query}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{name}: {}", answer.text);
        insta::assert_json_snapshot!(name, answer.json());
    }
    service.close();
}

#[tokio::test]
async fn pages_neither_miss_nor_repeat_in_any_order() {
    let (service, _folder) = Setup::default().temporary();
    shop::visit(&service).await;
    let mut sequence = 100;
    for sort in [
        "requests",
        "sessions",
        "errors",
        "error_share",
        "p50",
        "p95",
        "p99",
        "bytes",
        "bot_share",
        "first",
        "last",
    ] {
        for order in ["asc", "desc"] {
            let (mut found, mut next) = (BTreeSet::new(), String::new());
            let first = service.get("/v1/endpoints").await.json()["count"].clone();
            loop {
                let path = format!("/v1/endpoints?sort={sort}&order={order}&limit=2{next}");
                let page = service.get(&path).await.json();
                assert_eq!(page["count"], first, "{page}");
                for item in page["items"].as_array().unwrap() {
                    let id = item["id"].as_str().unwrap().to_owned();
                    assert!(found.insert(id), "{sort} {order}: twice: {item}");
                }
                match page["next"].as_str() {
                    Some(cursor) => next = format!("&cursor={cursor}"),
                    None => break,
                }
                if sort != "requests" {
                    continue;
                }
                // What comes in meanwhile is for the next list.
                let mut new = shop::record(&shop::STEPS[sequence % 20]);
                new["path"] = format!("/new/{}", "x".repeat(sequence - 99)).into();
                service.send(Batch::new(sequence as u64).record(new)).await;
                service.stored().await;
                sequence += 1;
            }
            assert_eq!(
                found.len() as u64,
                first.as_u64().unwrap(),
                "{sort} {order}"
            );
        }
    }
    service.close();
}

#[tokio::test]
async fn an_endpoint_is_a_field_of_the_filter() {
    let (service, _folder) = Setup::default().temporary();
    shop::visit(&service).await;
    for (q, expected) in [
        (r#"endpoint:"GET /api/products/{id}""#, 3),
        (r#"endpoint:"POST /login" status:4xx"#, 1),
        (r#"endpoint:"GET (unknown)""#, 1),
        ("endpoint:POST*", 4),
        (r#"-endpoint:"GET /""#, 1),
    ] {
        let q: String = form_urlencoded::byte_serialize(q.as_bytes()).collect();
        let page = service.get(&format!("/v1/sessions?q={q}")).await.json();
        assert_eq!(
            page["items"].as_array().unwrap().len(),
            expected,
            "{q}: {page}"
        );
    }
    service.close();
}
