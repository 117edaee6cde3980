//! The real binary: asked to end, started twice, killed after people said something. Killed under load
//! it is in `faults`.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use http::StatusCode;
use serde_json::json;

use crate::common::{Program, load, session_id, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_people_said_survives_kill_9() {
    let data = tempfile::tempdir().unwrap();
    let program = Program::start(data.path(), &[]);
    program.client.post(load::batch(0, 0)).await.unwrap();
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
    until("lists see it", async || {
        let (_, status) = program.client.get("/v1/status").await.unwrap();
        status["store"]["summed"] == status["log"]["end"]
    })
    .await;
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
    let sender = tokio::spawn(load::send(program.client.clone(), 0, 0, stop));
    until("under way", async || {
        let (_, status) = program.client.get("/v1/status").await.unwrap();
        status["totals"]["stored"].as_u64() > Some(0)
    })
    .await;
    program.terminate();
    let (status, said) = program.wait();
    assert!(status.success(), "{said}");
    assert!(
        said.contains("what was acknowledged is in the database"),
        "{said}"
    );
    let acknowledged = sender.await.unwrap();
    let rows = load::rows(data.path());
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
