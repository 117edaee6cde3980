//! The real binary: killed under load, asked to end, started twice.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::StatusCode;
use serde_json::json;
use throughline::store::Database;

use crate::common::{Batch, Client, Program, line, session_id, until};

const RECORDS: u64 = 20;

fn batch(worker: u32, sequence: u64) -> Vec<u8> {
    let lines = (0..RECORDS).map(|n| line(u64::from(worker) * 100 + n, n.cast_signed()));
    Batch::new(sequence)
        .worker(worker)
        .records(lines)
        .seen((sequence + 1) * RECORDS)
        .body()
}

/// Sends batch after batch, each until it is acknowledged, as the filter does; returns the number
/// of the first that was not.
async fn send(client: Client, worker: u32, mut sequence: u64, stop: Arc<AtomicBool>) -> u64 {
    while !stop.load(Ordering::SeqCst) {
        match client.post(batch(worker, sequence)).await {
            Some((StatusCode::OK, reply)) => {
                assert_eq!(reply["acknowledged"], sequence);
                sequence += 1;
            }
            Some((status, problem)) => assert_eq!(status, 503, "{problem}"),
            None => break,
        }
    }
    sequence
}

/// Rows of each (worker, sequence), read from the file itself.
fn rows(data: &std::path::Path) -> BTreeMap<(u32, u64), Vec<u32>> {
    let database = Database::open(&data.join("hot.duckdb"), 256 << 20).unwrap();
    let reading = database.read().unwrap();
    let sql = "SELECT worker, sequence, idx FROM records ORDER BY ALL";
    let mut statement = reading.connection.prepare(sql).unwrap();
    let found = statement
        .query_map([], |row| {
            Ok(((row.get(0)?, row.get(1)?), row.get::<_, u32>(2)?))
        })
        .unwrap();
    let mut rows = BTreeMap::<_, Vec<u32>>::new();
    for row in found {
        let (batch, idx) = row.unwrap();
        rows.entry(batch).or_default().push(idx);
    }
    rows
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_kill_9_once_and_only_once() {
    let data = tempfile::tempdir().unwrap();
    let mut next = [0_u64; 3];
    // Before, during and after the first transactions; odd numbers, so that they differ.
    for after_ms in [40, 230, 410, 90, 333, 1100] {
        let flags = ["--segment-bytes", "64KiB", "--segment-records", "300"];
        let program = Program::start(data.path(), &flags);
        let stop = Arc::new(AtomicBool::new(false));
        let senders: Vec<_> = (0..)
            .zip(next)
            .map(|(worker, from)| {
                tokio::spawn(send(
                    program.client.clone(),
                    worker,
                    from,
                    Arc::clone(&stop),
                ))
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(after_ms)).await;
        program.kill();
        stop.store(true, Ordering::SeqCst);
        for (next, sender) in next.iter_mut().zip(senders) {
            *next = sender.await.unwrap();
        }
    }
    // Each sender repeats what was not acknowledged, which may be there already.
    let program = Program::start(data.path(), &[]);
    for (worker, sequence) in (0..).zip(&mut next) {
        let (status, _) = program.client.post(batch(worker, *sequence)).await.unwrap();
        assert_eq!(status, StatusCode::OK);
        *sequence += 1;
    }
    let total = next.iter().sum::<u64>() * RECORDS;
    assert!(total > 1000, "hardly any load: {total}");
    until("stored", async || {
        let (_, status) = program.client.get("/v1/status").await.unwrap();
        assert_eq!(status["totals"]["balanced"], true);
        status["totals"]["stored"] == total && status["totals"]["pending"] == 0
    })
    .await;
    program.terminate();
    let (status, said) = program.wait();
    assert!(status.success(), "{said}");
    let rows = rows(data.path());
    let whole: Vec<u32> = (0..u32::try_from(RECORDS).unwrap()).collect();
    for (worker, next) in (0..).zip(next) {
        for sequence in 0..next {
            assert_eq!(
                rows.get(&(worker, sequence)),
                Some(&whole),
                "{worker} {sequence}"
            );
        }
    }
    assert_eq!(rows.len() as u64, next.iter().sum::<u64>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_people_said_survives_kill_9() {
    let data = tempfile::tempdir().unwrap();
    let program = Program::start(data.path(), &[]);
    program.client.post(batch(0, 0)).await.unwrap();
    let session = session_id(3);
    let path = format!("/v1/sessions/{session}");
    until("stored", async || {
        program.client.get(&path).await.unwrap().0 == StatusCode::OK
    })
    .await;
    let note = json!({"labels": ["odd"], "note": "look at it"});
    let view = json!({"page": "/sessions", "query": "q=label:odd"});
    for (path, body) in [
        (format!("{path}/note"), &note),
        ("/v1/views/odd%20ones".to_owned(), &view),
    ] {
        let (status, said) = program.client.put(&path, body).await.unwrap();
        assert_eq!(status, StatusCode::OK, "{said}");
    }
    program.kill();
    let program = Program::start(data.path(), &[]);
    let (_, found) = program
        .client
        .get("/v1/sessions?q=label:odd")
        .await
        .unwrap();
    assert_eq!(found["items"][0]["session"], session);
    assert_eq!(found["items"][0]["note"]["note"], "look at it");
    let (_, view) = program.client.get("/v1/views/odd%20ones").await.unwrap();
    assert_eq!(view["query"], "q=label:odd");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_finishes_what_is_in_flight() {
    let data = tempfile::tempdir().unwrap();
    let program = Program::start(data.path(), &[]);
    let stop = Arc::new(AtomicBool::new(false));
    let sender = tokio::spawn(send(program.client.clone(), 0, 0, stop));
    until("under way", async || {
        let (_, status) = program.client.get("/v1/status").await.unwrap();
        status["totals"]["stored"].as_u64() > Some(0)
    })
    .await;
    program.terminate();
    let (status, said) = program.wait();
    assert!(status.success(), "{said}");
    assert!(said.contains("everything acknowledged is stored"), "{said}");
    let acknowledged = sender.await.unwrap();
    let rows = rows(data.path());
    assert!(acknowledged > 0);
    for sequence in 0..acknowledged {
        assert_eq!(
            rows.get(&(0, sequence)).map(Vec::len),
            Some(20),
            "{sequence}"
        );
    }
    let wal = data.path().join("hot.duckdb.wal");
    assert!(!wal.exists(), "the next start would have to replay it");
}

#[tokio::test]
async fn a_second_process_is_told_who_was_first() {
    let data = tempfile::tempdir().unwrap();
    let first = Program::start(data.path(), &[]);
    let second = Program::command(data.path(), &[]).output().unwrap();
    assert!(!second.status.success());
    let said = String::from_utf8(second.stderr).unwrap();
    assert!(
        said.contains(&format!("in use by process {}", first.pid())),
        "{said}"
    );
    first.kill();
    Program::start(data.path(), &[]).kill();
}

#[test]
fn without_a_token_it_says_which_to_set() {
    let data = tempfile::tempdir().unwrap();
    let mut command = Program::command(data.path(), &[]);
    let output = command
        .env_remove("THROUGHLINE_INGEST_TOKEN")
        .output()
        .unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("THROUGHLINE_INGEST_TOKEN is not set"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_comparison_can_be_asked_for_on_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(folder.path(), &[]);
    let url = program.client.url().to_owned();
    let asked = tokio::task::spawn_blocking(move || {
        std::process::Command::new(env!("CARGO_BIN_EXE_throughline"))
            .args(["policy", "compare", "nobody", "--url", &url])
            .output()
            .unwrap()
    });
    let asked = asked.await.unwrap();
    let said = String::from_utf8(asked.stderr).unwrap();
    assert!(
        !asked.status.success() && said.contains("unknown-candidate"),
        "{said}"
    );
}
