use serde_json::{Value, json};

use crate::common::{Batch, Setup, line, until};

#[tokio::test]
async fn shows_the_ledger_the_log_and_the_store() {
    let (service, _folder) = Setup::default().temporary();
    let batch = Batch::new(0).record(line(1, 0)).raw(b"bad").seen(10);
    let batch = batch.with("/ledger/dropped/buffer_full", 3);
    service.send(batch).await;
    service.send(Batch::heartbeat().worker(1).seen(4)).await;
    service.judged().await;
    until("the compactor has looked", async || {
        service.get("/v1/status").await.json()["storage"]["disk_bytes"] != 0
    })
    .await;
    let mut status = service.get("/v1/status").await.json();
    // Positions depend on the length of the bodies.
    for (part, figure) in [
        ("log", "end"),
        ("store", "position"),
        ("detection", "position"),
        ("storage", "disk_bytes"),
    ] {
        assert!(status[part][figure].as_u64().unwrap() > 0);
        status[part][figure] = "[bytes]".into();
    }
    for (figure, shown) in [("checkpointed", "[time]"), ("wal_bytes", "[bytes]")] {
        assert!(!status["store"][figure].is_null());
        status["store"][figure] = shown.into();
    }
    insta::assert_json_snapshot!(status);
    service.close();
}

#[tokio::test]
async fn a_worker_vanishes_and_comes_back() {
    let (service, _folder) = Setup::flags(&["--worker-timeout", "15s"]).temporary();
    service.send(Batch::new(0).record(line(1, 0)).seen(5)).await;
    service.stored().await;
    let worker = async || service.get("/v1/status").await.json()["workers"][0].clone();
    let figures =
        |worker: &Value| ["state", "pending", "lost"].map(|figure| worker[figure].clone());
    assert_eq!(
        figures(&worker().await),
        [json!("live"), json!(4), json!(0)]
    );
    service.clock.advance(15_000_001);
    let vanished = worker().await;
    assert_eq!(figures(&vanished), [json!("vanished"), json!(0), json!(4)]);
    let since = json!({"since": "2026-01-01T01:00:00.000000Z", "at_least": null});
    assert_eq!(vanished["unknown"], since);
    let totals = service.get("/v1/status").await.json()["totals"].clone();
    assert_eq!(totals["unknown"], json!({"workers": 1, "at_least": 0}));
    assert_eq!(totals["balanced"], true);
    service.send(Batch::heartbeat().seen(5)).await;
    let back = worker().await;
    assert_eq!(figures(&back), [json!("live"), json!(4), json!(0)]);
    assert_eq!(back["unknown"], Value::Null);
    service.close();
}

#[tokio::test]
async fn what_a_worker_says_counts_before_its_batch_is_stored() {
    let (service, _folder) = Setup::default().temporary();
    service.send(Batch::new(0).record(line(1, 0)).seen(3)).await;
    let totals = service.get("/v1/status").await.json()["totals"].clone();
    assert_eq!(totals["seen"], 3, "at once");
    assert_eq!(totals["balanced"], true);
    service.stored().await;
    service.send(Batch::heartbeat().seen(8)).await;
    let totals = service.get("/v1/status").await.json()["totals"].clone();
    assert_eq!(
        (&totals["seen"], &totals["pending"]),
        (&8.into(), &7.into())
    );
    service.close();
}
