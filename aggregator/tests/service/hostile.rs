//! Clients that want too much, or make no sense: no 5xx but 503, and others go on.

use std::time::{Duration, Instant};

use http::StatusCode;

use crate::common::{Batch, Program, line};

/// Ranges, pages, cursors and filters that nobody needs.
fn asked() -> Vec<String> {
    let mut all = Vec::new();
    for path in [
        "/v1/sessions",
        "/v1/verdicts",
        "/v1/endpoints",
        "/v1/quarantine",
    ] {
        for query in [
            "cursor=",
            "cursor=AAAA",
            "cursor=WzFd",
            "cursor=W10",
            "cursor=e30",
            "cursor=bnVsbA",
            // [9223372036854775807,"ff…",18446744073709551615] and worse.
            "cursor=WzkyMjMzNzIwMzY4NTQ3NzU4MDcsImZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmYiLDE4NDQ2NzQ0MDczNzA5NTUxNjE1XQ",
            "cursor=WzFlNDAwLCJhIiwtMV0",
            "limit=500",
            "limit=501",
            "limit=-1",
            "limit=99999999999999999999999",
            "q=from:0001-01-01T00:00:00Z%20to:9999-12-31T23:59:59Z",
            "q=last:36500d",
            "q=last:99999999999999999d",
            "from=-1&to=-1",
            "%00=%00",
            "q=%F0%9F%98%80",
            "q=ip:0.0.0.0/0",
            "q=ip:::/0",
            "q=requests:0..9223372036854775807",
            "q=path:*%20path:*%20path:*",
        ] {
            all.push(format!("{path}?{query}"));
        }
    }
    all.push(format!("/v1/sessions?q={}", "a".repeat(1024)));
    all.push(format!("/v1/sessions?q={}", "-(".repeat(400)));
    all.push(format!("/v1/sessions/{}", "f".repeat(5000)));
    all
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_and_nobody_waits_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(folder.path(), &[]);
    program
        .client
        .post(Batch::new(1).seen(1).record(line(1, 0)).body())
        .await;
    program.stored(1).await;
    for path in asked() {
        let (status, body) = program.client.get(&path).await.unwrap();
        let short: String = path.chars().take(120).collect();
        assert!(
            !status.is_server_error() || status == StatusCode::SERVICE_UNAVAILABLE,
            "{short}: {status} {body}"
        );
        if status.is_client_error() {
            assert!(
                body["remedy"].is_string() || body["detail"].is_string(),
                "{short}: {body}"
            );
        }
    }
    // A hundred at once, most of them given up; ingest goes on beside them.
    let many: Vec<_> = (0..100)
        .map(|number| {
            let client = program.client.clone();
            tokio::spawn(async move {
                let path = format!("/v1/sessions?q=requests%3E%3D{number}%20last:36500d&limit=500");
                let patience = Duration::from_millis(if number % 3 == 0 { 20_000 } else { 5 });
                drop(tokio::time::timeout(patience, client.get(&path)).await);
            })
        })
        .collect();
    let began = Instant::now();
    let (status, _) = program
        .client
        .post(Batch::new(2).seen(2).record(line(2, 0)).body())
        .await
        .unwrap();
    assert_eq!(status, StatusCode::OK);
    assert!(
        began.elapsed() < Duration::from_secs(10),
        "ingest waited {:?}",
        began.elapsed()
    );
    for one in many {
        one.await.unwrap();
    }
    let (status, _) = program.client.get("/v1/sessions").await.unwrap();
    assert_eq!(status, StatusCode::OK);
}
