//! Records that come in while questions are asked, at a steady rate.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::ensure;
use bytes::Bytes;
use demo::Http;
use http::Method;

use super::fill::PER_SESSION;
use super::service::TOKEN;

/// Records of a batch.
const BATCH: u64 = 1000;
/// Sessions at a time: a request of each every 3 s at 20,000 a second.
const WIDTH: u64 = 60_000;

/// What was sent.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    stop: AtomicBool,
    pub(crate) records: AtomicU64,
    /// Longest that an acknowledgement took, milliseconds.
    pub(crate) ack_max_ms: AtomicU64,
}

impl Sent {
    pub(crate) fn stop(&self) {
        self.stop.store(true, Ordering::Release);
    }
}

fn now_us() -> i64 {
    #[expect(
        clippy::disallowed_methods,
        reason = "a benchmark has the machine's clock"
    )]
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| i64::try_from(now.as_micros()).unwrap_or(0))
}

/// The first line of a batch.
pub(crate) fn header(boot: u64, sequence: Option<u64>, records: u64, seen: u64) -> String {
    let sequence = sequence.map_or(String::new(), |it| format!("\"sequence\":{it},"));
    format!(
        r#"{{"throughline":1,"boot":"{boot:016x}","worker":0,{sequence}"records":{records},"closed_us":{},"capture_point":"gateway","node":"bench","policy_version":"p","filter_version":"0.1.0","ledger":{{"seen":{seen},"acknowledged":0,"dropped":{{"buffer_full":0,"rejected":0,"unwritable":0}}}}}}"#,
        now_us()
    )
}

/// A number that has nothing to do with its neighbours.
fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// One record line, of the same shape as those that fill the store.
fn line(batch: &mut String, number: u64, index: u64, start_us: i64) -> std::fmt::Result {
    let session = number / (PER_SESSION * WIDTH) * WIDTH + number % WIDTH;
    let (s, h) = (session, mixed(number) >> 1);
    let e = (h >> 20) % 60;
    let status =
        [200, 200, 200, 200, 200, 200, 200, 304, 401, 404][usize::try_from(h % 10).unwrap_or(0)];
    let id = format!("{:016x}{:016x}", mixed(s), mixed(s ^ 0xffff));
    write!(
        batch,
        "\n{{\"index\":{index},\"start_us\":{start_us},\"application\":\"{}\",\
         \"request_id\":\"{:032x}\",\"trace_id\":\"{h:032x}\",\"method\":\"GET\",\"scheme\":\"https\",\
         \"host\":\"shop.example\",\"path\":\"/api/things{e}/{}\",\"protocol\":\"HTTP/2\",\
         \"status\":{status},\"request_bytes\":0,\"response_bytes\":{},\"duration_us\":{},\
         \"client_ip\":\"10.{}.{}.{}\",\"user_agent\":\"Mozilla/5.0 (X11; Linux x86_64) Chrome/{}.0.0.0\",\
         \"content_type\":\"application/json\",\"key\":\"cookie\",\"request_session\":\"{id}\",\
         \"session\":\"{id}\",\"params\":[{{\"name\":\"user\",\"value\":\"live{}\",\"kind\":\"user\"}},\
         {{\"name\":\"role\",\"value\":\"role{}\",\"kind\":\"role\"}}",
        if s % 10 < 7 { "shop" } else { "bank" },
        mixed(h),
        h % 5000,
        300 + h % 20_000,
        800 + h % 200_000,
        s % 200,
        s / 200 % 250,
        s / 50_000 % 250,
        100 + s % 40,
        s / 3,
        s % 4,
    )?;
    for (name, of) in [
        ("plan", 5),
        ("tenant", 1000),
        ("region", 12),
        ("device", 7),
        ("locale", 30),
        ("release", 20),
        ("trial", 9),
        ("campaign", 40),
    ] {
        write!(
            batch,
            ",{{\"name\":\"{name}\",\"value\":\"{name}{}\"}}",
            s % of
        )?;
    }
    batch.write_str("]}")
}

fn batch(boot: u64, sequence: u64) -> anyhow::Result<Bytes> {
    let first = sequence * BATCH;
    let mut batch = header(boot, Some(sequence), BATCH, first + BATCH);
    let start_us = now_us();
    for index in 0..BATCH {
        line(
            &mut batch,
            first + index,
            index,
            start_us + i64::try_from(index)?,
        )?;
    }
    Ok(Bytes::from(batch))
}

/// Sends until it is stopped.
pub(crate) async fn send(http: Http, records_per_s: u64, sent: Arc<Sent>) -> anyhow::Result<()> {
    let boot = u64::try_from(now_us())?;
    let token = format!("Bearer {TOKEN}");
    let headers = [("authorization", token.as_str())];
    let began = Instant::now();
    let mut sequence = 0;
    while !sent.stop.load(Ordering::Acquire) {
        let due = Duration::from_secs_f64((sequence * BATCH) as f64 / records_per_s as f64);
        tokio::time::sleep_until((began + due).into()).await;
        let body = batch(boot, sequence)?;
        let asked = Instant::now();
        let (status, reply) = http
            .send(Method::POST, "/v1/ingest", &headers, body)
            .await?;
        ensure!(
            status == 200,
            "{status}: {}",
            String::from_utf8_lossy(&reply)
        );
        let took_ms = u64::try_from(asked.elapsed().as_millis())?;
        sent.ack_max_ms.fetch_max(took_ms, Ordering::AcqRel);
        sent.records.fetch_add(BATCH, Ordering::AcqRel);
        sequence += 1;
    }
    Ok(())
}
