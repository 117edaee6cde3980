use crate::common::{Batch, Setup, line};

#[tokio::test]
async fn counts_what_happened() {
    let (service, _folder) = Setup::default().temporary();
    service
        .send(Batch::new(0).record(line(1, 0)).raw(b"bad").seen(5))
        .await;
    service
        .send(Batch::new(0).record(line(1, 0)).raw(b"bad").seen(5))
        .await;
    service.send(Batch::heartbeat().seen(5)).await;
    assert_eq!(service.post("nonsense").await.status.as_u16(), 400);
    service.stored().await;
    let answer = service.get("/metrics").await;
    assert!(
        answer
            .header("content-type")
            .starts_with("application/openmetrics-text")
    );
    for expected in [
        "throughline_ingest_batches_total 1",
        "throughline_ingest_heartbeats_total 1",
        "throughline_ingest_records_total 2",
        "throughline_ingest_duplicates_total 1",
        "throughline_ingest_rejected_total{reason=\"bad-batch\"} 1",
        "throughline_store_records_total 1",
        "throughline_store_quarantined_total 1",
        "throughline_store_lag_bytes 0",
        "throughline_ingest_queue_bytes 0",
        "throughline_open_visits 1",
        "throughline_live_workers 1",
        "throughline_ledger_records{account=\"seen\"} 5",
        "throughline_ledger_records{account=\"pending\"} 3",
        "throughline_log_sync_seconds_count 2",
    ] {
        assert!(
            answer.text.lines().any(|line| line == expected),
            "{expected}\n{}",
            answer.text
        );
    }
    assert!(answer.text.ends_with("# EOF\n"));
    service.close();
}
