//! `GET /v1/export/{list}`, and `throughline export`, of the real program: exports need its child.

use std::path::Path;
use std::process::{Command, Output};

use duckdb::Connection;
use http::StatusCode;
use serde_json::{Value, json};

use crate::common::{Batch, Program, line, session_id, until};

/// Five sessions with twelve requests each, two of these in another application; of three, most are
/// in closed segments.
async fn started(folder: &Path) -> Program {
    let program = Program::start(folder, &["--segment-records", "20"]);
    for round in 0..12_u64 {
        let records = (0..5).map(|session| {
            let mut one = line(session, (round * 1000 + session).cast_signed());
            one["application"] = if session < 3 { "shop" } else { "blog" }.into();
            one["path"] = format!("/api/it's,\"{round}").into();
            one["status"] = (200 + 300 * (round % 2)).into();
            one["client_ip"] = format!("10.0.0.{session}").into();
            let user = format!("u-{}", session % 2);
            one["params"] = json!([{"name": "user", "kind": "user", "value": user}]);
            one
        });
        let batch = Batch::new(round + 1).seen((round + 1) * 5).records(records);
        program.client.post(batch.body()).await.unwrap();
    }
    until("everything is stored, and some is closed", async || {
        let (_, status) = program.client.get("/v1/status").await.unwrap();
        status["store"]["records"] == 60 && status["storage"]["segments"].as_u64() > Some(0)
    })
    .await;
    program
}

fn export(url: &str, arguments: &[&str]) -> (bool, Vec<u8>, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = Command::new(env!("CARGO_BIN_EXE_throughline"))
        .arg("export")
        .args(arguments)
        .env("THROUGHLINE_URL", url)
        .env_remove("THROUGHLINE_TOKEN")
        .output()
        .unwrap();
    (status.success(), stdout, String::from_utf8(stderr).unwrap())
}

fn rows(url: &str, arguments: &[&str]) -> Vec<Value> {
    let (succeeded, out, err) = export(url, arguments);
    assert!(succeeded, "{arguments:?}: {err}");
    let text = String::from_utf8(out).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[tokio::test]
async fn every_list_in_every_format_under_a_filter() {
    let folder = tempfile::tempdir().unwrap();
    let program = started(folder.path()).await;
    let url = program.client.url();
    let expected = [
        ("requests", "", 60),
        ("requests", "status:5xx app:shop", 18),
        (
            "requests",
            "from:2026-01-01T00:00:02Z to:2026-01-01T00:00:04Z",
            10,
        ),
        ("requests", "user:u-1 -app:blog", 12),
        ("sessions", "", 5),
        ("sessions", "app:shop", 3),
        ("visits", "", 5),
        ("visits", "app:blog", 2),
        ("endpoints", "app:none", 0),
        ("sources", "", 5),
        ("sources", "ip:10.0.0.3", 1),
        ("users", "", 2),
        ("verdicts", "app:shop", 0),
    ];
    for (what, filter, count) in expected {
        let base = ["--what", what, "--where", filter, "--format"];
        let found = rows(url, &[&base[..], &["ndjson"]].concat());
        assert_eq!(found.len(), count, "{what} {filter}: {found:?}");
        let file = folder.path().join("out.parquet");
        let to = ["parquet", "--output", file.to_str().unwrap()];
        let (succeeded, _, err) = export(url, &[&base[..], &to].concat());
        assert!(succeeded, "{err}");
        let duckdb = Connection::open_in_memory().unwrap();
        let count_of =
            |sql: String| -> u64 { duckdb.query_row(&sql, [], |row| row.get(0)).unwrap() };
        let parquet = count_of(format!("SELECT count(*) FROM '{}'", file.display()));
        assert_eq!(parquet, count as u64, "{what} {filter}");
        let (succeeded, out, err) = export(url, &[&base[..], &["csv"]].concat());
        assert!(succeeded, "{err}");
        let file = folder.path().join("out.csv");
        std::fs::write(&file, out).unwrap();
        let csv = format!(
            "SELECT count(*) FROM read_csv('{}', header = true)",
            file.display()
        );
        assert_eq!(count_of(csv), count as u64, "{what} {filter}");
    }
}

#[tokio::test]
async fn values_and_times_are_as_the_lists_have_them() {
    let folder = tempfile::tempdir().unwrap();
    let program = started(folder.path()).await;
    let url = program.client.url();
    let id = session_id(1);
    let filter = format!("session:{id}");
    let found = rows(url, &["--where", &filter]);
    let one = found
        .iter()
        .find(|it| it["path"] == "/api/it's,\"3")
        .unwrap();
    assert_eq!(one["session"], id.as_str());
    assert_eq!(one["start"], "2026-01-01T00:00:03.001000Z");
    assert_eq!(one["status"], 500);
    let session = &rows(url, &["--what", "sessions", "--where", &filter])[0];
    assert_eq!(session["requests"], 12);
    assert_eq!(session["errors_5xx"], 6);
    assert_eq!(session["users"], json!(["u-1"]));
    let endpoints = rows(url, &["--what", "endpoints", "--where", "app:shop"]);
    let requests = endpoints.iter().map(|it| it["requests"].as_u64().unwrap());
    assert_eq!(requests.sum::<u64>(), 36);
    let user = rows(url, &["--what", "users"]);
    let one = user.iter().find(|it| it["user"] == "u-1").unwrap();
    assert_eq!(
        (&one["requests"], &one["sessions"]),
        (&24.into(), &2.into())
    );
}

#[tokio::test]
async fn what_cannot_be_exported_is_refused_with_the_place() {
    let folder = tempfile::tempdir().unwrap();
    let program = started(folder.path()).await;
    for (path, words) in [
        ("/v1/export/everything", "there is no list `everything`"),
        ("/v1/export/requests?format=xml", "`format` is `xml`"),
        ("/v1/export/requests?q=stat:5xx", "stat"),
        ("/v1/export/requests?where=x", "no parameter `where`"),
    ] {
        let (status, problem) = program.client.get(path).await.unwrap();
        assert_eq!(status, StatusCode::BAD_REQUEST, "{path}: {problem}");
        let text = problem.to_string();
        assert!(text.contains(words), "{path}: {text}");
    }
    let (succeeded, _, err) = export(program.client.url(), &["--where", "stat:5xx"]);
    assert!(!succeeded && err.contains("stat"), "{err}");
}
