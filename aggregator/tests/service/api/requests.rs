use serde_json::{Value, json};

use crate::common::{Batch, START_US, Setup, TestService, line, session_id};

fn full_record() -> Value {
    json!({
        "index": 0,
        "start_us": START_US + 1,
        "application": "shop",
        "request_id": "r-1",
        "trace_id": "0af7651916cd43dd8448eb211c80319c",
        "method": "POST",
        "scheme": "https",
        "host": "shop.example",
        "path": "/api/orders/\u{fffd}~",
        "query_names": ["page", "q", ""],
        "query_values": [["page", "2"], ["page", "3"]],
        "query_hash": "0000000000000a0b",
        "protocol": "HTTP/2",
        "status": 503,
        "flags": (1_u64 << 5) | (1 << 15),
        "request_bytes": 11,
        "response_bytes": 22,
        "duration_us": 33,
        "upstream_us": 30,
        "client_ip": "2001:db8::1",
        "user_agent": "Ünï \"quoted\" \u{0}",
        "referer_host": "www.example",
        "content_type": "application/json",
        "key": "bearer",
        "request_session": session_id(2),
        "session": session_id(1),
        "truncated": ["path", "user_agent"],
    })
}

#[tokio::test]
async fn shows_every_field_and_what_was_absent() {
    let (service, _folder) = Setup::default().temporary();
    let bare = json!({
        "index": 0, "start_us": START_US, "application": "default", "key": "ip",
        "request_session": session_id(1), "session": session_id(1),
    });
    service
        .send(Batch::new(3).record(full_record()).record(bare))
        .await;
    service.stored().await;
    let answer = service
        .get(&format!("/v1/sessions/{}/requests", session_id(1)))
        .await;
    insta::assert_json_snapshot!(answer.json());
    let text = "SELECT record_id || ' ' || session_hex || ' ' || query_hash_hex FROM requests \
                WHERE query_hash IS NOT NULL";
    let expected = format!("00000000000000ff-0-3-0 {} 0000000000000a0b", session_id(1));
    assert_eq!(service.sql::<String>(text), expected);
    service.close();
}

async fn ids(service: &TestService, path: &str, limit: usize) -> Vec<String> {
    let mut ids = Vec::new();
    let mut next = String::new();
    loop {
        let answer = service
            .get(&format!("{path}?limit={limit}{next}"))
            .await
            .json();
        let items = answer["items"]
            .as_array()
            .unwrap_or_else(|| panic!("{answer}"));
        ids.extend(
            items
                .iter()
                .map(|item| item["record_id"].as_str().unwrap().to_owned()),
        );
        match answer["next"].as_str() {
            Some(cursor) => next = format!("&cursor={cursor}"),
            None => return ids,
        }
    }
}

#[tokio::test]
async fn pages_are_chronological_and_complete() {
    let (service, _folder) = Setup::default().temporary();
    // Equal starts over several batches and workers: the record id decides.
    for worker in 0..3 {
        for sequence in 0..4 {
            let lines = (0..5).map(|n| line(1, n / 2 * 10));
            service
                .send(Batch::new(sequence).worker(worker).records(lines))
                .await;
        }
    }
    service.stored().await;
    let path = format!("/v1/sessions/{}/requests", session_id(1));
    let all = ids(&service, &path, 500).await;
    assert_eq!(all.len(), 60);
    for limit in [1, 7, 59, 60] {
        assert_eq!(ids(&service, &path, limit).await, all, "{limit}");
    }
    let path = format!("{path}?from=2026-01-01T00:00:00.010Z&to=2026-01-01T00:00:00.020Z");
    let some = service.get(&path);
    assert_eq!(some.await.json()["items"].as_array().unwrap().len(), 24);
    service.close();
}
