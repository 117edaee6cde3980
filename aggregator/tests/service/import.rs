//! `throughline import` and `POST /v1/import`: logs in several formats, once and only once.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Full;
use serde_json::{Value, json};

use crate::common::{Answer, INGEST_TOKEN, Program, SESSION_SECRET, Setup, TestService, until};

/// `lines` requests of seven clients, one each second, and a line of nonsense.
fn combined(lines: u32) -> String {
    let mut text = String::new();
    for number in 0..lines {
        let (minute, second) = (number / 60 % 60, number % 60);
        let client = number % 7;
        writeln!(
            text,
            "10.0.0.{client} - - [31/Jan/2026:08:{minute:02}:{second:02} +0000] \
             \"GET /api/it?n={number} HTTP/1.1\" 200 {number} \"-\" \"agent \\\"{client}\\\"\""
        )
        .unwrap();
        if number == 3 {
            text.push_str("nonsense\n");
        }
    }
    text
}

fn command(url: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_throughline"));
    command
        .args(["import", "--json"])
        .args(arguments)
        .env("THROUGHLINE_URL", url)
        .env("THROUGHLINE_INGEST_TOKEN", INGEST_TOKEN)
        .env("THROUGHLINE_SESSION_SECRET", SESSION_SECRET);
    command
}

fn import(url: &str, arguments: &[&str]) -> Value {
    let Output {
        status,
        stdout,
        stderr,
    } = command(url, arguments).output().unwrap();
    let (out, err) = (
        String::from_utf8(stdout).unwrap(),
        String::from_utf8(stderr).unwrap(),
    );
    assert!(status.success(), "{err}");
    serde_json::from_str(out.lines().last().unwrap()).unwrap()
}

/// Waits until so many records are stored, and looks at the books.
async fn stored(program: &Program, records: u64) -> Value {
    let status = program.stored(records).await;
    assert_eq!(status["totals"]["balanced"], true, "{}", status["totals"]);
    assert_eq!(status["totals"]["pending"], 0, "{}", status["totals"]);
    status
}

#[tokio::test]
async fn a_log_is_stored_once_however_often_it_is_imported() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(&folder.path().join("data"), &[]);
    let url = program.client.url();
    let log = folder.path().join("access.log");
    std::fs::write(&log, combined(5000)).unwrap();
    let file = log.to_str().unwrap();
    let done = import(url, &[file, "--application", "shop"]);
    let figures = |done: &Value| {
        ["lines", "stored", "again", "rejected"].map(|name| done[name].as_u64().unwrap())
    };
    assert_eq!(figures(&done), [5001, 5000, 0, 1], "{done}");
    assert_eq!(done["format"], "combined");
    let reject =
        json!([{"line": 5, "reason": "not in the combined log format", "text": "nonsense"}]);
    assert_eq!(done["rejects"], reject);
    let status = stored(&program, 5000).await;
    assert_eq!(status["totals"]["seen"], 5001);
    assert_eq!(
        status["totals"]["dropped"], 1,
        "the rejected line is in the books"
    );
    let sessions = program
        .client
        .get("/v1/sessions?q=app:shop")
        .await
        .unwrap()
        .1;
    assert_eq!(sessions["items"].as_array().unwrap().len(), 7);
    assert_eq!(
        sessions["items"][0]["user_agents"]["values"][0]
            .as_str()
            .unwrap()
            .len(),
        9
    );

    // With what it remembers, and without.
    assert_eq!(
        figures(&import(url, &[file, "--application", "shop"])),
        [0, 0, 0, 0]
    );
    std::fs::remove_dir_all(folder.path().join(".throughline-import")).unwrap();
    let again = import(url, &[file, "--application", "shop"]);
    assert_eq!(figures(&again), [5001, 0, 5000, 1]);
    // What is added is added.
    let more = combined(5060);
    std::fs::write(&log, &more).unwrap();
    let grown = import(url, &[file, "--application", "shop"]);
    assert_eq!(figures(&grown), [60, 60, 0, 0]);
    // Under another name after its rotation, too.
    let rotated = folder.path().join("access.log.1");
    std::fs::rename(&log, &rotated).unwrap();
    let rotated = import(url, &[rotated.to_str().unwrap(), "--application", "shop"]);
    assert_eq!(figures(&rotated), [0, 0, 0, 0]);
    stored(&program, 5060).await;
}

#[tokio::test]
async fn an_import_that_was_killed_goes_on_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(&folder.path().join("data"), &[]);
    let url = program.client.url();
    let log = folder.path().join("access.log");
    std::fs::write(&log, combined(20_000)).unwrap();
    let file = log.to_str().unwrap();
    let mut child = command(url, &[file]).stdout(Stdio::null()).spawn().unwrap();
    until("some of it is there", async || {
        let (_, status) = program.client.get("/v1/status").await.unwrap();
        status["totals"]["seen"].as_u64() > Some(8000)
    })
    .await;
    child.kill().unwrap();
    child.wait().unwrap();
    import(url, &[file]);
    stored(&program, 20_000).await;
}

fn envoy_line(number: u32) -> String {
    let start = format!(
        "2026-01-31T08:00:{:02}.{:03}Z",
        number / 1000 % 60,
        number % 1000
    );
    json!({
        "start_time": start, "method": "GET", "path": format!("/api/{number}"),
        "authority": "shop.example", "response_code": 200, "duration": 5, "bytes_sent": 10,
        "downstream_remote_address": "10.0.0.9:4711", "user_agent": "curl/8",
        "request_headers": {"cookie": format!("session_id=user-{}", number % 3)},
    })
    .to_string()
        + "\n"
}

/// A child that ends with the test.
struct Following(Child);

impl Drop for Following {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[tokio::test]
async fn a_log_is_followed_through_rotation_and_truncation() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(&folder.path().join("data"), &[]);
    let log = folder.path().join("envoy.log");
    let arguments = ["--format", "envoy-json", "--follow", log.to_str().unwrap()];
    let child = command(program.client.url(), &arguments)
        .stdout(Stdio::null())
        .spawn();
    let _following = Following(child.unwrap());
    let append = |text: &str| {
        let mut file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&log)
            .unwrap();
        file.write_all(text.as_bytes()).unwrap();
    };
    let reach = async |records: u64| {
        stored(&program, records).await;
    };
    append(&envoy_line(0));
    reach(1).await;
    // A line that is not whole yet waits.
    let (one, other) = (envoy_line(1), envoy_line(2));
    append(&(one + other.split_at(30).0));
    reach(2).await;
    append(other.split_at(30).1);
    reach(3).await;
    std::fs::rename(&log, folder.path().join("envoy.log.1")).unwrap();
    append(&envoy_line(3));
    reach(4).await;
    // Only what is shorter than before can be seen to be new.
    let short = json!({"start_time": "2026-01-31T09:00:00Z", "method": "GET", "path": "/t"});
    std::fs::write(&log, format!("{short}\n")).unwrap();
    reach(5).await;
    let (_, found) = program.client.get("/v1/sessions").await.unwrap();
    let keys: Vec<_> = found["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["key"])
        .collect();
    let by_cookie = keys
        .iter()
        .filter(|key| **key == "builtin-session-id")
        .count();
    assert_eq!((by_cookie, keys.len()), (3, 4), "{found}");
}

async fn post(service: &TestService, query: &str, log: impl Into<Bytes>) -> Answer {
    let request = Request::post(format!("/v1/import{query}"))
        .header("authorization", format!("Bearer {INGEST_TOKEN}"))
        .body(Full::new(log.into()))
        .unwrap();
    service.ask(request).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_takes_a_log_as_a_stream() {
    let (service, _folder) = Setup::default().temporary();
    // The clock of the tests stands before the log's days; what comes from the future is quarantined.
    let log = combined(9000).replace("31/Jan/2026", "31/Dec/2025");
    let answer = post(&service, "?application=shop", log.clone()).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let done = answer.json();
    let figures = |done: &Value| {
        ["lines", "stored", "again", "rejected"].map(|name| done[name].as_u64().unwrap())
    };
    assert_eq!(figures(&done), [9001, 9000, 0, 1], "{done}");
    let again = post(&service, "?application=shop", log).await.json();
    assert_eq!(figures(&again), [9001, 0, 9000, 1]);
    service.stored().await;
    let totals = service.get("/v1/status").await.json()["totals"].clone();
    assert_eq!(
        (&totals["stored"], &totals["balanced"]),
        (&9000.into(), &true.into()),
        "{totals}"
    );
    let empty = post(&service, "", "").await.json();
    assert_eq!(figures(&empty), [0, 0, 0, 0]);
    service.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_log_is_refused() {
    let (service, _folder) = Setup::default().temporary();
    for (query, log, words) in [
        (
            "",
            "nonsense\n",
            "the first line is in no format that is known",
        ),
        ("?format=iis", "x\n", "`format` is `iis`"),
        ("?application=A%20B", "x\n", "the application `A B`"),
    ] {
        let answer = post(&service, query, log).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text);
        assert!(answer.text.contains(words), "{}", answer.text);
    }
    let named = post(&service, "?format=common", "nonsense\n").await.json();
    assert_eq!(named["rejected"], 1);
    service.close();
}

/// What grows by a line that is none has had records all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_without_any_record_fails() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(&folder.path().join("data"), &[]);
    let url = program.client.url();
    let log = folder.path().join("access.log");
    std::fs::write(&log, "nonsense\n").unwrap();
    let arguments = ["--format", "common", log.to_str().unwrap()];
    let said = refused(url, &arguments, |_| {});
    assert!(said.contains("none of 1 lines made a record"), "{said}");
    std::fs::write(&log, combined(5)).unwrap();
    let arguments = ["--format", "combined", log.to_str().unwrap()];
    assert_eq!(import(url, &arguments)["stored"], 5);
    let mut grown = std::fs::OpenOptions::new().append(true).open(&log).unwrap();
    grown.write_all(b"more nonsense\n").unwrap();
    let done = import(url, &arguments);
    assert_eq!((&done["stored"], &done["rejected"]), (&json!(0), &json!(1)));
    program.kill();
}

/// What a person sees who forgot something.
fn refused(url: &str, arguments: &[&str], change: impl Fn(&mut Command)) -> String {
    let mut command = command(url, arguments);
    change(&mut command);
    let Output { status, stderr, .. } = command.output().unwrap();
    assert!(!status.success());
    String::from_utf8(stderr).unwrap()
}

#[tokio::test]
async fn says_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(&folder.path().join("data"), &[]);
    let url = program.client.url();
    let log = folder.path().join("a.log");
    std::fs::write(&log, "nonsense\n").unwrap();
    let file = log.to_str().unwrap();
    let nothing = |_: &mut Command| {};
    let no_secret = |command: &mut Command| {
        command.env_remove("THROUGHLINE_SESSION_SECRET");
    };
    let no_token = |command: &mut Command| {
        command.env_remove("THROUGHLINE_INGEST_TOKEN");
    };
    let missing = Path::new(file).with_extension("none");
    let missing = missing.to_str().unwrap();
    std::fs::write(folder.path().join("b.gz"), [0x1f, 0x8b, 8]).unwrap();
    let packed = folder.path().join("b.gz");
    for (said, words) in [
        (
            refused(url, &[file], no_secret),
            "THROUGHLINE_SESSION_SECRET is not set",
        ),
        (refused(url, &[file], no_token), "token"),
        (refused(url, &[missing], nothing), "cannot read"),
        (refused(url, &[file], nothing), "in no format that is known"),
        (refused(url, &[packed.to_str().unwrap()], nothing), "zcat"),
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
}
