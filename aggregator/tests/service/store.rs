//! A database that cannot be written, for a while or until the end.

use http::StatusCode;
use throughline::store::Database;

use crate::common::{Batch, Setup, TestService, line, until};

/// Without this table, no transaction with a bad line can be written.
const BREAK: &str = "ALTER TABLE quarantine RENAME TO away";
const MEND: &str = "ALTER TABLE away RENAME TO quarantine";

fn run(service: &TestService, sql: &str) {
    service
        .app()
        .database
        .read()
        .unwrap()
        .connection
        .execute_batch(sql)
        .unwrap();
}

fn batch(sequence: u64) -> Batch {
    Batch::new(sequence)
        .record(line(1, 0))
        .raw(b"bad")
        .seen((sequence + 1) * 2)
}

#[tokio::test]
async fn the_log_keeps_what_the_database_does_not_take() {
    let folder = tempfile::tempdir().unwrap();
    let service = Setup::default().open(folder.path()).unwrap();
    service.send(batch(0)).await;
    service.stored().await;
    run(&service, BREAK);
    service.send(batch(1)).await;
    until("red", async || {
        service.get("/readyz").await.status != StatusCode::OK
    })
    .await;
    let reasons = service.get("/readyz").await.text;
    assert!(
        reasons.contains("the database cannot be written"),
        "{reasons}"
    );
    service.send(batch(2)).await;
    let totals = service.get("/v1/status").await.json()["totals"].clone();
    assert_eq!(
        (&totals["seen"], &totals["pending"]),
        (&6.into(), &4.into())
    );
    run(&service, MEND);
    service.stored().await;
    assert_eq!(service.get("/readyz").await.status, StatusCode::OK);

    run(&service, BREAK);
    service.send(batch(3)).await;
    service.give_up();
    let database = Database::open(&folder.path().join("hot.duckdb"), 64 << 20).unwrap();
    let reading = database.read().unwrap();
    reading.connection.execute_batch(MEND).unwrap();
    drop(reading);
    drop(database);
    let service = Setup::default().open(folder.path()).unwrap();
    service.stored().await;
    assert_eq!(service.sql::<i64>("SELECT count(*) FROM records"), 4);
    assert_eq!(
        service.sql::<i64>("SELECT count(DISTINCT sequence) FROM quarantine"),
        4
    );
    let totals = service.get("/v1/status").await.json()["totals"].clone();
    assert_eq!(
        (&totals["stored"], &totals["quarantined"]),
        (&4.into(), &4.into())
    );
    assert_eq!(
        (&totals["pending"], &totals["balanced"]),
        (&0.into(), &true.into())
    );
    service.close();
}

/// DuckDB keeps each new worker's row in memory until the transaction ends: 800 of them in one
/// were more than 256 MiB, and the store stood still for good.
#[tokio::test]
async fn a_fleet_that_comes_at_once_does_not_stop_the_store() {
    const WORKERS: u32 = 1_200;
    let (service, _folder) = Setup::flags(&["--duckdb-memory", "256MiB"]).temporary();
    // While the first transaction cannot be written, the others pile up behind it.
    run(&service, BREAK);
    service.send(batch(0)).await;
    let heartbeats = (1..=WORKERS).map(|worker| {
        let heartbeat = Batch::heartbeat().with("/worker", worker);
        service.send(heartbeat)
    });
    futures_util::future::join_all(heartbeats).await;
    run(&service, MEND);
    service.stored().await;
    let status = service.get("/v1/status").await.json();
    assert_eq!(status["totals"]["stored"], 1);
}

/// As after an overload: a stop takes seconds, not as long as all of it would.
#[tokio::test]
async fn a_large_rest_is_left_to_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let service = Setup::default().open(folder.path()).unwrap();
    service.send(Batch::new(0).record(line(1, 0))).await;
    service.stored().await;
    let other = service.app().database.read().unwrap();
    // Whoever else changes that row gets a conflict: the store tries again and again.
    let hold = "BEGIN TRANSACTION; UPDATE log_position SET ordinal = ordinal";
    other.connection.execute_batch(hold).unwrap();
    let mut long = line(1, 1000);
    long["path"] = format!("/{}", "p".repeat(7000)).into();
    for sequence in 1..=24 {
        let records = std::iter::repeat_n(long.clone(), 500);
        service.send(Batch::new(sequence).records(records)).await;
    }
    other.connection.execute_batch("ROLLBACK").unwrap();
    drop(other);
    service.close();

    let database = duckdb::Connection::open(folder.path().join("hot.duckdb")).unwrap();
    let stored = "SELECT count(*) FROM hot_records";
    let stored: u64 = database.query_row(stored, [], |row| row.get(0)).unwrap();
    assert!(stored < 12_001, "all {stored} were stored");
    drop(database);
    let service = Setup::default().open(folder.path()).unwrap();
    service.stored().await;
    assert_eq!(service.sql::<u64>("SELECT count(*) FROM records"), 12_001);
    service.close();
}
