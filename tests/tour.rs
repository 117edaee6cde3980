//! One literal request through every arrow, in one process: newcomers read this first, beside
//! docs/TOUR.md, whose blocks are compared with what really comes out.
//!
//! `UPDATE_TOUR=1 cargo test -p throughline-tests --test tour` writes the blocks anew.
#![expect(
    clippy::unwrap_used,
    reason = "an unexpected outcome is a failure with a line number"
)]

use std::cell::Cell;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use clap::Parser;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use serde_json::{Value, json};
use throughline::api::routes;
use throughline::clock::Fixed;
use throughline::config::ServeOptions;
use throughline::serve::Service;
use throughline_session::filter::{Call, Counter, Host, Level, Property, Settings, Side, Worker};
use throughline_session::headers::HeaderBlock;
use throughline_tests::TIME_MAX;

const START_US: i64 = 1_790_000_000_000_000;
const SECRET: &str = "the tour's session secret";
const TOKEN: &str = "the-tour-ingest-token";

/// An Envoy that has this one exchange.
struct OneExchange {
    now_us: Cell<i64>,
    request: HeaderBlock,
    response: HeaderBlock,
    calls: Vec<Vec<u8>>,
    workers: Vec<u8>,
}

impl Host for OneExchange {
    fn now_us(&self) -> i64 {
        self.now_us.get()
    }
    fn random(&self) -> u64 {
        0
    }
    fn request_headers(&self) -> HeaderBlock {
        self.request.clone()
    }
    fn response_headers(&self) -> HeaderBlock {
        self.response.clone()
    }
    fn property(&self, property: Property) -> Option<Vec<u8>> {
        match property {
            Property::SourceAddress => Some(b"203.0.113.7:50123".to_vec()),
            Property::Protocol => Some(b"HTTP/1.1".to_vec()),
            Property::BackendLatency => Some(9_000_000_i64.to_le_bytes().to_vec()),
            Property::NodeId => Some(b"envoy-1".to_vec()),
            _ => None,
        }
    }
    fn call(&mut self, call: &Call<'_>) -> Option<u32> {
        self.calls.push(call.body.to_vec());
        u32::try_from(self.calls.len()).ok()
    }
    fn body_chunk(&self, _: Side, _: usize) -> Vec<u8> {
        Vec::new()
    }
    fn answer_body(&self, _: usize) -> Vec<u8> {
        Vec::new()
    }
    fn count(&mut self, _: Counter, _: u64) {}
    fn show_boot(&mut self, _: &str) {}
    fn shared(&self, key: &str) -> (Option<Vec<u8>>, u32) {
        let boot = 0xb007_u64.to_be_bytes().to_vec();
        if key == "throughline.boot" {
            (Some(boot), 1)
        } else {
            (Some(self.workers.clone()), 1)
        }
    }
    fn set_shared(&mut self, _: &str, value: &[u8], _: u32) -> bool {
        self.workers = value.to_vec();
        true
    }
    fn log(&self, _: Level, _: &str) {}
}

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    serve: ServeOptions,
}

/// docs/TOUR.md: the block under each heading.
struct Tour {
    file: PathBuf,
    text: String,
}

impl Tour {
    fn open() -> Self {
        let file = demo::repository().join("docs/TOUR.md");
        Self {
            text: std::fs::read_to_string(&file).unwrap(),
            file,
        }
    }

    fn range(&self, heading: &str) -> std::ops::Range<usize> {
        let section = self.text.find(&format!("\n## {heading}\n")).unwrap();
        let after =
            |from: usize, what: &str| from + self.text.get(from..).unwrap().find(what).unwrap();
        let fence = after(section, "\n```");
        let start = after(fence + 1, "\n") + 1;
        start..after(start, "```\n")
    }

    fn block(&self, heading: &str) -> &str {
        self.text.get(self.range(heading)).unwrap()
    }

    /// The block is what came out.
    fn shows(&mut self, heading: &str, value: &str) {
        let value = format!("{}\n", value.trim_end());
        if std::env::var_os("UPDATE_TOUR").is_some() {
            let range = self.range(heading);
            self.text.replace_range(range, &value);
            std::fs::write(&self.file, &self.text).unwrap();
        }
        assert_eq!(self.block(heading), value, "docs/TOUR.md, {heading}");
    }
}

/// `name: value` lines as headers.
fn headers(block: &str) -> HeaderBlock {
    let pairs: Vec<_> = block
        .lines()
        .map(|line| {
            let colon = line.match_indices(": ").next().unwrap().0;
            let (name, value) = line.split_at(colon);
            (name.as_bytes(), value.trim_start_matches(": ").as_bytes())
        })
        .collect();
    HeaderBlock::from_pairs(&pairs)
}

#[tokio::test(flavor = "multi_thread")]
async fn one_request_through_every_arrow() {
    let mut tour = Tour::open();

    // request → session key → record → batch
    let mut envoy = OneExchange {
        now_us: Cell::new(START_US),
        request: headers(tour.block("1. The request")),
        response: headers(tour.block("3. The response")),
        calls: Vec::new(),
        workers: 0_u64.to_le_bytes().to_vec(),
    };
    let mut worker = Worker::new(Settings {
        config: tour.block("2. The policy").as_bytes(),
        session_secret: Some(SECRET),
        ingest_token: Some(TOKEN),
    })
    .unwrap();
    let mut exchange = worker.on_request(&envoy);
    tour.shows("4. The session id", &exchange.request_session().to_string());
    exchange.on_body(&envoy, Side::Response, 1_234, true);
    envoy.now_us.set(START_US + 12_000);
    worker.on_end(&mut envoy, Some(exchange));
    envoy.now_us.set(START_US + 112_000);
    worker.on_tick(&mut envoy);
    let batch = String::from_utf8(envoy.calls.remove(0)).unwrap();
    let (header, record) = batch.split_once('\n').unwrap();
    tour.shows("5. The record", &pretty(record));
    tour.shows("6. The batch", &pretty(header));

    // batch → log → store → session
    let data = tempfile::tempdir().unwrap();
    let data = format!("--data={}", data.path().display());
    let options = Line::parse_from(["throughline", "--development", &data]).serve;
    let tokens = options
        .check(|name| (name == "THROUGHLINE_INGEST_TOKEN").then(|| TOKEN.into()))
        .unwrap();
    let clock = Arc::new(Fixed::at(START_US + 113_000));
    let service = Service::open(&options, tokens, clock).unwrap();
    let api = TowerToHyperService::new(warp::service(routes(&service.app)));
    let ask = async |request: http::request::Builder, body: String| -> Value {
        let request = request.header("authorization", format!("Bearer {TOKEN}"));
        let request: Request<Full<Bytes>> = request.body(Full::new(body.into())).unwrap();
        let body = api.call(request).await.unwrap().into_body();
        serde_json::from_slice(&body.collect().await.unwrap().to_bytes()).unwrap()
    };
    let reply = ask(Request::post("/v1/ingest"), batch).await;
    tour.shows("7. The acknowledgement", &reply.to_string());
    demo::eventually("the record is stored, and in lists", TIME_MAX, async || {
        let status = ask(Request::get("/v1/status"), String::new()).await;
        let (stored, store) = (&status["totals"]["stored"], &status["store"]);
        (*stored == 1 && store["summed"] == store["position"]).then_some(())
    })
    .await
    .unwrap();
    let sessions = ask(
        Request::get("/v1/sessions?q=from:2026-01-01T00:00:00Z"),
        String::new(),
    )
    .await;
    let session = &sessions["items"][0];
    tour.shows("8. The session", &format!("{session:#}"));
    let id = session["session"].as_str().unwrap();
    let requests = ask(
        Request::get(format!("/v1/sessions/{id}/requests")),
        String::new(),
    )
    .await;
    assert_eq!(requests["items"][0]["path"], "/api/orders/7");
    let status = ask(Request::get("/v1/status"), String::new()).await;
    tour.shows("9. The books", &books(&status).to_string());
    tokio::task::spawn_blocking(move || service.close())
        .await
        .unwrap();
}

/// The ledger's equation out of the status.
fn books(status: &Value) -> Value {
    let names = [
        "seen",
        "stored",
        "quarantined",
        "dropped",
        "pending",
        "lost",
        "balanced",
    ];
    let totals = &status["totals"];
    let pairs = names
        .into_iter()
        .map(|name| (name.to_owned(), totals[name].clone()));
    json!(pairs.collect::<serde_json::Map<_, _>>())
}

fn pretty(json: &str) -> String {
    format!("{:#}", serde_json::from_str::<Value>(json).unwrap())
}
