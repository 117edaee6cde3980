//! Backup while records come in, restore, and the doctor.

use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use http::StatusCode;
use serde_json::{Value, json};

use crate::common::{Batch, Client, Program, line, until};

/// What `throughline …` says, and its exit code.
fn throughline(arguments: &[&str]) -> (i32, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = Command::new(env!("CARGO_BIN_EXE_throughline"))
        .args(arguments)
        .env_remove("THROUGHLINE_TOKEN")
        .env_remove("THROUGHLINE_DATA")
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

fn with_admin(arguments: &[&str]) -> (i32, String, String) {
    let token = ["--token", crate::common::ADMIN_TOKEN];
    throughline(&[arguments, &token].concat())
}

async fn status(program: &Program) -> Value {
    program.client.get("/v1/status").await.unwrap().1
}

/// Ten records of batch `sequence`, over five sessions.
fn batch(sequence: u64) -> Vec<u8> {
    let records = (0..10).map(|n| line(n % 5, (sequence * 10 + n).cast_signed()));
    Batch::new(sequence)
        .seen((sequence + 1) * 10)
        .records(records)
        .body()
}

/// Batches, one after the other, until it ends.
async fn send_on(client: Client, acknowledged: Arc<AtomicU64>, ends: Arc<AtomicBool>) {
    for sequence in 0.. {
        if ends.load(Ordering::Acquire) {
            return;
        }
        let (answered, _) = client.post(batch(sequence)).await.unwrap();
        assert_eq!(answered, StatusCode::OK);
        acknowledged.store(sequence + 1, Ordering::Release);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_under_load_has_everything_acknowledged_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let program = Program::start(&folder.path().join("data"), &["--segment-records", "200"]);
    let acknowledged = Arc::new(AtomicU64::new(0));
    let ends = Arc::new(AtomicBool::new(false));
    let load = tokio::spawn(send_on(
        program.client.clone(),
        Arc::clone(&acknowledged),
        Arc::clone(&ends),
    ));
    until("there are closed segments", async || {
        status(&program).await["storage"]["segments"].as_u64() > Some(1)
    })
    .await;
    let before = acknowledged.load(Ordering::Acquire);
    let (to, url) = (path("backup"), program.client.url().to_owned());
    let made = tokio::task::spawn_blocking(move || {
        let said = with_admin(&["backup", "--url", &url, "--to", &to, "--json"]);
        assert_eq!(said.0, 0, "{}", said.2);
        // The same place is not taken twice.
        let again = with_admin(&["backup", "--url", &url, "--to", &to]);
        assert!(
            again.0 != 0 && again.2.contains("is there already"),
            "{}",
            again.2
        );
        serde_json::from_str::<Value>(&said.1).unwrap()
    });
    let made = made.await.unwrap();
    assert!(made["files"].as_u64() > Some(5), "{made}");
    until("the load goes on after it", async || {
        acknowledged.load(Ordering::Acquire) > before + 20
    })
    .await;
    ends.store(true, Ordering::Release);
    load.await.unwrap();
    drop(program);

    let restored = path("restored");
    let said = throughline(&["restore", "--from", &path("backup"), "--data", &restored]);
    assert_eq!(said.0, 0, "{}", said.2);
    let twice = throughline(&["restore", "--from", &path("backup"), "--data", &restored]);
    assert!(
        twice.0 != 0 && twice.2.contains("is not empty"),
        "{}",
        twice.2
    );
    let looked = throughline(&["doctor", "--data", &restored]);
    assert_eq!(looked.0, 0, "{}", looked.1);

    let again = Program::start(Path::new(&restored), &[]);
    until("the log's rest is stored", async || {
        let (ready, _) = again.client.get("/readyz").await.unwrap();
        ready == StatusCode::OK
    })
    .await;
    let now = status(&again).await;
    let records = now["store"]["records"].as_u64().unwrap();
    assert!(records >= before * 10, "{records} of {before} batches");
    assert!(records.is_multiple_of(10), "whole batches: {records}");
    assert_eq!(now["totals"]["balanced"], true, "{}", now["totals"]);
    assert_eq!(now["totals"]["stored"], records);
    assert_eq!(now["log"]["gaps"], json!([]));
    let sql = "SELECT count(*), count(DISTINCT record_id), max(split_part(record_id, '-', 3)::INT)
        FROM requests";
    let (_, answer) = again.client.sql(sql).await.unwrap();
    let last = records / 10 - 1;
    assert_eq!(
        answer["rows"],
        json!([[records, records, last]]),
        "each once, none left out"
    );
}

#[tokio::test]
async fn the_doctor_names_what_is_wrong_and_what_helps() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let name = data.to_str().unwrap();
    let nothing = throughline(&["doctor", "--data", name]);
    assert!(
        nothing.0 == 2 && nothing.1.contains("is no data folder"),
        "{}",
        nothing.1
    );

    let program = Program::start(&data, &["--segment-records", "5"]);
    program.client.post(batch(0)).await.unwrap();
    until("there is a closed segment", async || {
        status(&program).await["storage"]["segments"].as_u64() > Some(0)
    })
    .await;
    let online = throughline(&["doctor", "--url", program.client.url()]);
    // The test's clock stands in 2026: Envoy's is far behind.
    assert_eq!(online.0, 1, "{}", online.1);
    assert!(
        online
            .1
            .contains("WARNING  clocks: the clock of Envoy `envoy-1`"),
        "{}",
        online.1
    );
    assert!(online.1.contains("good     ledger"), "{}", online.1);
    let running = throughline(&["doctor", "--data", name]);
    let pid = program.pid().to_string();
    assert!(running.0 == 1 && running.1.contains(&pid), "{}", running.1);

    program.terminate();
    program.wait();
    let stopped = throughline(&["doctor", "--data", name, "--json"]);
    assert_eq!(stopped.0, 0, "{}", stopped.1);
    let segments = std::fs::read_dir(data.join("segments")).unwrap();
    let mut files = segments.map(|it| it.unwrap().path()).filter(|it| {
        let name = it.file_name().unwrap().to_string_lossy().into_owned();
        name.ends_with(".parquet")
    });
    let (gone, damaged) = (files.next().unwrap(), files.next().unwrap());
    std::fs::remove_file(&gone).unwrap();
    std::fs::write(&damaged, "PAR1 no more").unwrap();
    let broken = throughline(&["doctor", "--data", name]);
    assert_eq!(broken.0, 2, "{}", broken.1);
    for (file, words) in [(gone, "is missing"), (damaged, "is damaged")] {
        let file = file.file_name().unwrap().to_string_lossy().into_owned();
        assert!(
            broken.1.contains(&format!("{file} {words}")),
            "{}",
            broken.1
        );
    }
    assert!(
        broken.1.contains("→ put it back from a backup"),
        "{}",
        broken.1
    );
    let database = duckdb::Connection::open(data.join("hot.duckdb")).unwrap();
    let torn = "UPDATE segments SET parts = '[{'";
    assert!(database.execute(torn, []).unwrap() > 0);
    drop(database);
    let torn = throughline(&["doctor", "--data", name]);
    let words = "what the segment up to";
    assert!(torn.0 == 2 && torn.1.contains(words), "{}", torn.1);
}
