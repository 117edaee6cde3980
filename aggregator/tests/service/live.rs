//! `GET /v1/live` of the real service.

use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::common::{Batch, Program, line, session_id, until};

const PATIENCE: Duration = Duration::from_secs(20);

/// A reader on a connection of its own.
struct Reader {
    stream: TcpStream,
    text: String,
}

impl Reader {
    async fn open(program: &Program, query: &str) -> Self {
        let address = program
            .client
            .url()
            .trim_start_matches("http://")
            .to_owned();
        let mut stream = TcpStream::connect(&address).await.unwrap();
        let head = format!("GET /v1/live{query} HTTP/1.1\r\nhost: {address}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let text = String::new();
        Self { stream, text }
    }

    /// Reads until `wanted` was there.
    async fn until(&mut self, wanted: &str) {
        let mut bytes = vec![0; 64 * 1024];
        while !self.text.contains(wanted) {
            let read = timeout(PATIENCE, self.stream.read(&mut bytes)).await;
            let read = read.unwrap_or_else(|_| panic!("still not {wanted}: {}", self.text));
            let read = read.unwrap();
            assert_ne!(read, 0, "it ended without {wanted}: {}", self.text);
            self.text.push_str(&String::from_utf8_lossy(&bytes[..read]));
        }
    }

    fn events(&self, name: &str) -> Vec<Value> {
        let start = format!("event: {name}\n");
        let parts = self.text.split(&start).skip(1);
        let data = parts.filter_map(|part| part.strip_prefix("data: ")?.lines().next());
        data.map(|text| serde_json::from_str(text).unwrap())
            .collect()
    }
}

fn record(session: u64, status: u16) -> Value {
    let mut record = line(session, 0);
    record["status"] = status.into();
    record
}

#[tokio::test]
async fn shows_what_comes_through_the_filter() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(folder.path(), &[]);
    program
        .client
        .post(Batch::new(1).seen(1).record(record(9, 500)).body())
        .await;
    program.stored(1).await;
    let mut all = Reader::open(&program, "").await;
    let mut errors = Reader::open(&program, "?q=status:5xx&kinds=requests").await;
    for reader in [&mut all, &mut errors] {
        reader.until("retry: 2000").await;
    }
    let records = [record(1, 200), record(2, 500), record(2, 200)];
    program
        .client
        .post(Batch::new(2).seen(4).records(records).body())
        .await;
    all.until("event: session").await;
    errors.until("event: request").await;
    assert_eq!(all.events("request").len(), 3);
    assert_eq!(all.events("session")[0]["application"], "shop");
    let failed = errors.events("request");
    assert_eq!(
        failed.len(),
        1,
        "not the one before, nor the good ones: {}",
        errors.text
    );
    assert_eq!(failed[0]["session"], session_id(2));
    assert_eq!(failed[0]["status"], 500);
    assert_eq!(errors.events("session"), Vec::<Value>::new());
    // The end of the service is told, and waits for nobody.
    program.terminate();
    all.until("event: end").await;
    let (status, _) = program.wait();
    assert!(status.success());
}

#[tokio::test]
async fn a_slow_reader_is_told_what_it_lost_and_holds_nobody_up() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(folder.path(), &[]);
    let mut slow = Reader::open(&program, "?kinds=requests").await;
    slow.until("retry: 2000").await;
    let mut seen = 0;
    // More than the queue and the socket's buffers hold, while it reads nothing.
    for sequence in 1..=40 {
        let mut long = record(1, 200);
        long["path"] = format!("/{}", "x".repeat(2000)).into();
        seen += 400;
        let batch = Batch::new(sequence).seen(seen).records(vec![long; 400]);
        let (status, _) = program.client.post(batch.body()).await.unwrap();
        assert_eq!(status, StatusCode::OK);
    }
    program.stored(seen).await;
    slow.until("event: lost").await;
    let lost = slow.events("lost")[0]["events"].as_u64().unwrap();
    assert!((1..seen).contains(&lost), "{lost} of {seen}");
}

#[tokio::test]
async fn a_thousand_streams_are_too_many_and_the_rest_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(folder.path(), &[]);
    let mut readers = Vec::new();
    for _ in 0..1000 {
        readers.push(Reader::open(&program, "?q=has:error").await);
    }
    let (mut served, mut refused) = (0, 0);
    for reader in &mut readers {
        reader.until("\r\n\r\n").await;
        served += u32::from(reader.text.starts_with("HTTP/1.1 200"));
        if reader.text.starts_with("HTTP/1.1 503") {
            reader.until("live-full").await;
            refused += 1;
        }
    }
    assert_eq!((served, refused), (64, 936));
    let asked = async {
        let (status, _) = program.client.get("/v1/sessions").await.unwrap();
        assert_eq!(status, StatusCode::OK);
        let batch = Batch::new(1).seen(1).record(record(1, 200)).body();
        let (status, _) = program.client.post(batch).await.unwrap();
        assert_eq!(status, StatusCode::OK);
    };
    timeout(PATIENCE, asked).await.unwrap();
    // A place is free again when its reader goes.
    drop(readers);
    until("there is a place", async || {
        let mut one = Reader::open(&program, "").await;
        one.until("\r\n\r\n").await;
        one.text.starts_with("HTTP/1.1 200")
    })
    .await;
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_before_it_begins() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(folder.path(), &[]);
    for (query, word) in [
        ("?q=colour:red", "bad-filter"),
        ("?kinds=everything", "bad-parameter"),
        ("?x=1", "unknown-parameter"),
    ] {
        let (status, problem) = program
            .client
            .get(&format!("/v1/live{query}"))
            .await
            .unwrap();
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert_eq!(
            problem["type"],
            json!(format!("urn:throughline:problem:{word}"))
        );
    }
}
