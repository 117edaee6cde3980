//! Another producer than the filter: `examples/send`, against the real binary.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::common::{INGEST_TOKEN, Program};

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/send")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_sent_by_the_example_becomes_sessions() {
    let data = tempfile::tempdir().unwrap();
    let program = Program::start(data.path(), &[]);
    let mut child = Command::new(script())
        .arg(program.client.url())
        .env("THROUGHLINE_INGEST_TOKEN", INGEST_TOKEN)
        .env("THROUGHLINE_SESSION_SECRET", "a secret of this test")
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // More than two batches, of ten clients; and a line that is none.
    let mut stdin = child.stdin.take().unwrap();
    let log: String = (0..2_500)
        .map(|n| {
            format!(
                "10.0.0.{} - - [28/Nov/2025:09:{:02}:{:02} +0000] \"GET /api/products/{n}?page=2 \
                 HTTP/1.1\" 200 {n} \"-\" \"Mozilla/5.0 (é) 😀\"\n",
                n % 10,
                n / 60,
                n % 60
            )
        })
        .collect();
    stdin.write_all(log.as_bytes()).unwrap();
    stdin.write_all(b"not a line of a log\n").unwrap();
    drop(stdin);
    let output = tokio::task::spawn_blocking(move || child.wait_with_output()).await;
    let output = output.unwrap().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let status = program.stored(2_500).await;
    assert_eq!(status["totals"]["balanced"], true, "{status}");
    assert_eq!(status["totals"]["quarantined"], 0, "{status}");
    let (_, sessions) = program.client.get("/v1/sessions").await.unwrap();
    let sessions = sessions["items"].as_array().unwrap();
    assert_eq!(sessions.len(), 10);
    assert!(sessions.iter().all(|it| it["requests"] == 250));
}
