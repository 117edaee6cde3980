//! The real binary, started, asked over a socket, and killed.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use super::{ADMIN_TOKEN, INGEST_TOKEN};

/// Asks a program over HTTP.
#[derive(Clone)]
pub(crate) struct Client {
    url: String,
    http: hyper_util::client::legacy::Client<HttpConnector, Full<Bytes>>,
}

impl Client {
    pub(crate) fn new(url: String) -> Self {
        let http = hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build_http();
        Self { url, http }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    async fn ask(&self, request: Request<Full<Bytes>>) -> Option<(StatusCode, Value)> {
        let response = self.http.request(request).await.ok()?;
        let status = response.status();
        let body = response.into_body().collect().await.ok()?.to_bytes();
        Some((status, serde_json::from_slice(&body).unwrap_or_default()))
    }

    /// `None` when the connection broke: nobody knows whether the batch was taken.
    pub(crate) async fn post(&self, body: Vec<u8>) -> Option<(StatusCode, Value)> {
        let request = Request::post(format!("{}/v1/ingest", self.url))
            .header("authorization", format!("Bearer {INGEST_TOKEN}"))
            .body(Full::new(body.into()))
            .unwrap();
        self.ask(request).await
    }

    /// Runs a statement.
    pub(crate) async fn sql(&self, sql: &str) -> Option<(StatusCode, Value)> {
        let body = serde_json::json!({"sql": sql}).to_string();
        let request = Request::post(format!("{}/v1/sql", self.url))
            .body(Full::new(body.into()))
            .unwrap();
        self.ask(request).await
    }

    /// Changes something.
    pub(crate) async fn put(&self, path: &str, body: &Value) -> Option<(StatusCode, Value)> {
        let request = Request::put(format!("{}{path}", self.url))
            .header("authorization", format!("Bearer {ADMIN_TOKEN}"))
            .body(Full::new(body.to_string().into()))
            .unwrap();
        self.ask(request).await
    }

    /// Takes something away.
    pub(crate) async fn delete(&self, path: &str) -> Option<(StatusCode, Value)> {
        let request = Request::delete(format!("{}{path}", self.url))
            .header("authorization", format!("Bearer {ADMIN_TOKEN}"))
            .body(Full::default())
            .unwrap();
        self.ask(request).await
    }

    pub(crate) async fn get(&self, path: &str) -> Option<(StatusCode, Value)> {
        let request = Request::get(format!("{}{path}", self.url))
            .body(Full::default())
            .unwrap();
        self.ask(request).await
    }
}

/// A running `throughline serve`; killed when dropped.
pub(crate) struct Program {
    child: Child,
    /// What it said until it listened.
    early: String,
    lines: Receiver<String>,
    pub(crate) client: Client,
}

impl Program {
    /// Waits until so many records are stored, and lists see them; gives the status.
    pub(crate) async fn stored(&self, records: u64) -> Value {
        let mut status = Value::Null;
        super::until("everything is stored", async || {
            status = self.client.get("/v1/status").await.unwrap().1;
            let store = &status["store"];
            store["records"] == records && store["summed"] == store["position"]
        })
        .await;
        status
    }

    pub(crate) fn command(data: &Path, flags: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_throughline"));
        command
            .args([
                "serve",
                "--development",
                "--listen",
                "127.0.0.1:0",
                "--log-format",
                "json",
                "--data",
            ])
            .arg(data)
            .args(flags)
            .env("THROUGHLINE_INGEST_TOKEN", INGEST_TOKEN)
            .env("THROUGHLINE_ADMIN_TOKEN", ADMIN_TOKEN)
            .env_remove("THROUGHLINE_READ_TOKEN")
            // The tests' clock is long past for a program: nothing is to expire under a test's eyes.
            .env("THROUGHLINE_RETENTION", "36500d")
            .env("RUST_LOG", "info")
            .stderr(Stdio::piped())
            .stdout(Stdio::null());
        command
    }

    /// Starts it and waits until it listens.
    pub(crate) fn start(data: &Path, flags: &[&str]) -> Self {
        let mut child = Self::command(data, flags).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            stderr
                .lines()
                .map_while(Result::ok)
                .try_for_each(|line| sender.send(line))
        });
        let mut said = String::new();
        let began = Instant::now();
        let url = loop {
            assert!(
                began.elapsed() < Duration::from_secs(20),
                "it does not listen: {said}"
            );
            let Ok(line) = lines.recv_timeout(Duration::from_millis(100)) else {
                continue;
            };
            let event: Value = serde_json::from_str(&line).unwrap_or_default();
            said.push_str(&line);
            said.push('\n');
            if let Some(url) = event["fields"]["url"].as_str() {
                break url.to_owned();
            }
        };
        Self {
            child,
            early: said,
            lines,
            client: Client::new(url),
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// `kill -9`.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM.
    pub(crate) fn terminate(&self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    }

    /// Waits for its end; what it said is returned too.
    pub(crate) fn wait(mut self) -> (ExitStatus, String) {
        let began = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(began.elapsed() < Duration::from_secs(20), "it does not end");
            std::thread::sleep(Duration::from_millis(5));
        };
        let later = self.lines.iter().collect::<Vec<_>>().join("\n");
        (status, format!("{}{later}", self.early))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
