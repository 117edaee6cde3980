//! Several connections, each a worker of one boot, that send batch after batch until acknowledged.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http::StatusCode;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::service::TOKEN;
use super::tape::{Sender, Tape};

/// Connections: as many as keep the log's writer busy.
const CONNECTIONS: u32 = 8;
/// Before a batch that was turned away is sent again.
const PAUSE: Duration = Duration::from_millis(50);

/// When batches are sent.
#[derive(Clone, Copy)]
pub(crate) enum Pace {
    /// As fast as they are acknowledged, until this many records are sent.
    Records(u64),
    /// So many records per second, for so long.
    Rate(f64, Duration),
}

/// What came of it.
#[derive(Default)]
pub(crate) struct Sent {
    pub(crate) records: u64,
    /// From when each batch was due to its acknowledgement, milliseconds.
    pub(crate) ack_ms: Vec<f64>,
    /// Answers 503.
    pub(crate) turned_away: u64,
}

struct Shared {
    tape: Arc<Tape>,
    pace: Pace,
    began: Instant,
    boot: u64,
    number: AtomicUsize,
    records: AtomicU64,
}

/// Sends `tape` to `address` under `boot`.
pub(crate) async fn send(
    address: &str,
    tape: &Arc<Tape>,
    pace: Pace,
    boot: u64,
) -> anyhow::Result<Sent> {
    let shared = Arc::new(Shared {
        tape: Arc::clone(tape),
        pace,
        began: Instant::now(),
        boot,
        number: AtomicUsize::new(0),
        records: AtomicU64::new(0),
    });
    let mut workers = tokio::task::JoinSet::new();
    for worker in 0..CONNECTIONS {
        workers.spawn(work(address.to_owned(), Arc::clone(&shared), worker));
    }
    let mut all = Sent::default();
    while let Some(sent) = workers.join_next().await {
        let sent = sent??;
        all.records += sent.records;
        all.turned_away += sent.turned_away;
        all.ack_ms.extend(sent.ack_ms);
    }
    all.ack_ms.sort_by(f64::total_cmp);
    Ok(all)
}

async fn work(address: String, shared: Arc<Shared>, worker: u32) -> anyhow::Result<Sent> {
    let stream = TcpStream::connect(&address).await.context("connecting")?;
    stream.set_nodelay(true)?;
    let (mut requests, driver) = handshake(TokioIo::new(stream)).await?;
    drop(tokio::spawn(driver));
    let mut sent = Sent::default();
    let mut from = Sender {
        boot: shared.boot,
        worker,
        sequence: 0,
        sent: 0,
    };
    loop {
        let number = shared.number.fetch_add(1, Ordering::Relaxed);
        let (body, records) = shared.tape.batch(number, &from);
        let before = shared
            .records
            .fetch_add(u64::from(records), Ordering::Relaxed);
        let due = match shared.pace {
            Pace::Records(most) if before >= most => return Ok(sent),
            Pace::Records(_) => Instant::now(),
            Pace::Rate(rate, time) => {
                let after = Duration::from_secs_f64(before as f64 / rate);
                if after > time {
                    return Ok(sent);
                }
                shared.began + after
            }
        };
        tokio::time::sleep_until(due.into()).await;
        let body = Bytes::from(body);
        while !post(&mut requests, body.clone()).await? {
            sent.turned_away += 1;
            tokio::time::sleep(PAUSE).await;
        }
        sent.ack_ms.push(due.elapsed().as_secs_f64() * 1000.0);
        sent.records += u64::from(records);
        from.sequence += 1;
        from.sent += u64::from(records);
    }
}

/// Whether it was acknowledged; else it may be sent again.
async fn post(requests: &mut SendRequest<Full<Bytes>>, body: Bytes) -> anyhow::Result<bool> {
    let request = http::Request::post("/v1/ingest")
        .header("host", "127.0.0.1")
        .header("authorization", format!("Bearer {TOKEN}"))
        .body(Full::new(body))?;
    let response = requests.send_request(request).await?;
    let status = response.status();
    let answer = response.into_body().collect().await?.to_bytes();
    match status {
        StatusCode::OK => Ok(true),
        StatusCode::SERVICE_UNAVAILABLE => Ok(false),
        _ => bail!("{status}: {}", String::from_utf8_lossy(&answer)),
    }
}
