//! Files that were torn or cut: it starts, says what is missing, and keeps the rest.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};

use http::StatusCode;
use serde_json::Value;

use crate::common::{Program, load, until};

/// The last file of `folder` whose name ends in `ending`.
fn last(folder: &Path, ending: &str) -> PathBuf {
    let files = std::fs::read_dir(folder).unwrap();
    let files = files.map(|file| file.unwrap().path());
    let ours = files.filter(|path| path.to_str().unwrap().ends_with(ending));
    ours.max().unwrap()
}

/// Cuts `bytes` off the end of `file`.
fn cut(file: &Path, bytes: u64) {
    let file = OpenOptions::new().write(true).open(file).unwrap();
    let len = file.metadata().unwrap().len();
    file.set_len(len - bytes).unwrap();
}

async fn sent(program: &Program, sequences: std::ops::Range<u64>) {
    for sequence in sequences {
        let (status, _) = program.client.post(load::batch(0, sequence)).await.unwrap();
        assert_eq!(status, StatusCode::OK);
    }
}

async fn status(program: &Program) -> Value {
    program.client.get("/v1/status").await.unwrap().1
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_torn_page_of_the_database_s_own_log_is_filled_from_ours() {
    let data = tempfile::tempdir().unwrap();
    let program = Program::start(data.path(), &[]);
    sent(&program, 0..30).await;
    load::balanced(&program, 30 * load::RECORDS).await;
    program.kill();
    // The last transaction is torn; what it held is still in the log.
    cut(&data.path().join("hot.duckdb.wal"), 100);
    let program = Program::start(data.path(), &[]);
    load::balanced(&program, 30 * load::RECORDS).await;
    sent(&program, 30..31).await;
    load::balanced(&program, 31 * load::RECORDS).await;
    assert_eq!(status(&program).await["log"]["gaps"], serde_json::json!([]));
    program.terminate();
    let (ended, said) = program.wait();
    assert!(ended.success(), "{said}");
    let outcome = load::outcome(data.path(), &[31]);
    assert_eq!((outcome.lost, outcome.duplicated), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_cut_short_is_named_and_the_rest_kept() {
    let data = tempfile::tempdir().unwrap();
    let program = Program::start(data.path(), &[]);
    sent(&program, 0..10).await;
    load::balanced(&program, 10 * load::RECORDS).await;
    program.kill();
    // Below what the database has: nothing is missing, and positions go on.
    cut(&last(&data.path().join("log"), ".seg"), 3_000);
    let program = Program::start(data.path(), &[]);
    sent(&program, 10..20).await;
    load::balanced(&program, 20 * load::RECORDS).await;
    program.terminate();
    let (ended, said) = program.wait();
    assert!(ended.success(), "{said}");
    assert!(
        said.contains("the log ends before the database's position"),
        "{said}"
    );
    let outcome = load::outcome(data.path(), &[20]);
    assert_eq!((outcome.lost, outcome.duplicated), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_segment_cut_short_is_missing_and_keeps_nobody_up() {
    let data = tempfile::tempdir().unwrap();
    let flags = ["--segment-records", "40", "--segment-merge", "0"];
    let segments = async |program: &Program, more_than: u64| {
        until("segments are closed", async || {
            status(program).await["storage"]["segments"]
                .as_u64()
                .unwrap()
                > more_than
        })
        .await;
    };
    let program = Program::start(data.path(), &flags);
    sent(&program, 0..10).await;
    segments(&program, 0).await;
    program.terminate();
    program.wait();
    let file = last(&data.path().join("segments"), "-records.parquet");
    let whole = std::fs::read(&file).unwrap();
    cut(&file, whole.len() as u64 / 2);

    let program = Program::start(data.path(), &flags);
    let before = status(&program).await["storage"]["segments"]
        .as_u64()
        .unwrap();
    let missing = async || status(&program).await["storage"]["missing_files"] == 1;
    until("it is told", missing).await;
    for path in [
        "/v1/sessions",
        "/v1/endpoints",
        "/v1/users",
        "/v1/transitions",
    ] {
        let (answer, body) = program.client.get(path).await.unwrap();
        assert_eq!(answer, StatusCode::OK, "{path}: {body}");
    }
    let page = program.client.get("/v1/sessions?limit=1").await.unwrap().1;
    let id = page["items"][0]["session"].as_str().unwrap().to_owned();
    let (answer, body) = program
        .client
        .delete(&format!("/v1/sessions/{id}"))
        .await
        .unwrap();
    assert_eq!(answer, StatusCode::ACCEPTED, "{body}");
    sent(&program, 10..20).await;
    segments(&program, before).await;
    program.terminate();
    let (ended, said) = program.wait();
    assert!(ended.success(), "{said}");
    assert!(said.contains("was cut"), "{said}");
}
