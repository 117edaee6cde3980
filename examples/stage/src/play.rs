//! actors → shop: each exchange as Envoy would show it to the filter, and the truth.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Response, header};
use http_body_util::{BodyExt as _, Full};
use shop::Shop;
use throughline_session::headers::HeaderBlock;
use tokio::time::Instant;
use traffic::{Dial, OtherSide, Outgoing, Stream};

use crate::scene::Scene;
use crate::truth::Truth;

/// What passes the filter, in the order of time.
#[derive(Debug, Clone)]
pub enum Passing {
    /// A request has come in.
    Request(Asked),
    /// Its response is through.
    Response(Answered),
}

/// A request with its whole body.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Names the exchange.
    pub exchange: u64,
    /// Microseconds since 1970.
    pub at_us: i64,
    /// The headers as Envoy hands them over.
    pub headers: HeaderBlock,
    /// The client's address, as Envoy takes it from the one proxy that it trusts.
    pub address: String,
    /// `HTTP/1.1` or `HTTP/2`.
    pub protocol: &'static str,
    /// The body.
    pub body: Bytes,
}

/// A response with its whole body.
#[derive(Debug, Clone)]
pub struct Answered {
    /// The request's.
    pub exchange: u64,
    /// Microseconds since 1970, when the last byte was through.
    pub at_us: i64,
    /// The headers as Envoy hands them over.
    pub headers: HeaderBlock,
    /// What the shop took, nanoseconds.
    pub upstream_ns: i64,
    /// The body.
    pub body: Bytes,
}

/// Plays a scene; exchanges go to `passing`, the truth comes back.
///
/// # Errors
/// When the truth is not complete.
pub fn play(scene: &Scene, passing: SyncSender<Passing>) -> anyhow::Result<Truth> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()?;
    let paper = Paper::default();
    let writer = traffic::Truth::new(Box::new(paper.clone()));
    let (_, written) = runtime.block_on(async {
        let gate = Gate {
            shop: Arc::new(Shop::new(scene.shop.clone())),
            passing,
            exchanges: AtomicU64::new(0),
            begun: Instant::now(),
            epoch_us: i64::try_from(scene.plan.epoch_us).unwrap_or(i64::MAX),
        };
        traffic::run(scene.plan.clone(), Arc::new(gate), writer).await
    });
    written.context("a client is still playing")?.finish()?;
    let bytes = std::mem::take(&mut *paper.0.lock().unwrap_or_else(PoisonError::into_inner));
    Truth::read(&bytes)
}

/// Where the truth is written: memory.
#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut paper = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        paper.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Stands where Envoy stands: between the actors and the shop.
struct Gate {
    shop: Arc<Shop>,
    passing: SyncSender<Passing>,
    exchanges: AtomicU64,
    begun: Instant,
    epoch_us: i64,
}

impl Dial for Gate {
    fn dial(&self) -> BoxFuture<'static, io::Result<Box<dyn Stream>>> {
        Box::pin(async { Err(io::ErrorKind::Unsupported.into()) })
    }

    fn other_side(&self) -> Option<&dyn OtherSide> {
        Some(self)
    }
}

impl OtherSide for Gate {
    fn answer(&self, request: Outgoing, h2: bool) -> BoxFuture<'static, Response<Bytes>> {
        let exchange = self.exchanges.fetch_add(1, Ordering::Relaxed);
        let (shop, passing) = (Arc::clone(&self.shop), self.passing.clone());
        let (begun, epoch_us) = (self.begun, self.epoch_us);
        let now_us = move || {
            let since = begun.elapsed().as_micros();
            epoch_us.saturating_add(i64::try_from(since).unwrap_or(i64::MAX))
        };
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let body = whole(body).await;
            let asked = Asked {
                exchange,
                at_us: now_us(),
                headers: request_headers(&head, &body),
                address: address(&head),
                protocol: if h2 { "HTTP/2" } else { "HTTP/1.1" },
                body: body.clone(),
            };
            // The other end is gone only when it has failed, which its thread reports.
            drop(passing.send(Passing::Request(asked)));
            let sent = Instant::now();
            let request = http::Request::from_parts(head, Full::new(body));
            let (head, body) = shop::answer(shop, request).await.into_parts();
            let body = whole(body).await;
            let answered = Answered {
                exchange,
                at_us: now_us(),
                headers: response_headers(&head),
                upstream_ns: i64::try_from(sent.elapsed().as_nanos()).unwrap_or(i64::MAX),
                body: body.clone(),
            };
            drop(passing.send(Passing::Response(answered)));
            Response::from_parts(head, body)
        })
    }
}

async fn whole(body: Full<Bytes>) -> Bytes {
    match body.collect().await {
        Ok(body) => body.to_bytes(),
        Err(never) => match never {},
    }
}

fn address(head: &http::request::Parts) -> String {
    let forwarded = head.headers.get("x-forwarded-for");
    let address = forwarded.and_then(|it| it.to_str().ok()).unwrap_or("");
    if address.contains(':') {
        format!("[{address}]:1024")
    } else {
        format!("{address}:1024")
    }
}

/// Pseudo-headers first, `host` as `:authority`, and the length that a connection would announce.
fn request_headers(head: &http::request::Parts, body: &Bytes) -> HeaderBlock {
    let host = head.headers.get(header::HOST).map(|it| it.as_bytes());
    let authority = head.uri.authority().map(|it| it.as_str().as_bytes());
    let path = head.uri.path_and_query().map_or("/", |it| it.as_str());
    let length = body.len().to_string();
    let mut pairs: Vec<(&[u8], &[u8])> = vec![
        (b":authority", authority.or(host).unwrap_or_default()),
        (b":path", path.as_bytes()),
        (b":method", head.method.as_str().as_bytes()),
        (b":scheme", b"http"),
    ];
    let others = head
        .headers
        .iter()
        .filter(|(name, _)| **name != header::HOST);
    pairs.extend(others.map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes())));
    if !body.is_empty() {
        pairs.push((b"content-length", length.as_bytes()));
    }
    HeaderBlock::from_pairs(&pairs)
}

fn response_headers(head: &http::response::Parts) -> HeaderBlock {
    let status = head.status.as_str().to_owned();
    let mut pairs: Vec<(&[u8], &[u8])> = vec![(b":status", status.as_bytes())];
    let all = head.headers.iter();
    pairs.extend(all.map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes())));
    HeaderBlock::from_pairs(&pairs)
}
