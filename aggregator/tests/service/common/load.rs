//! Load as filters make it: batch after batch, each sent until it is acknowledged.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::StatusCode;
use serde_json::Value;
use throughline::store::Database;

use super::{Batch, Client, Program, line, until};

/// Records of a batch.
pub(crate) const RECORDS: u64 = 20;

/// Batch `sequence` of `worker`, with the books that go with it.
pub(crate) fn batch(worker: u32, sequence: u64) -> Vec<u8> {
    let lines = (0..RECORDS).map(|n| line(u64::from(worker) * 100 + n, n.cast_signed()));
    Batch::new(sequence)
        .worker(worker)
        .records(lines)
        .seen((sequence + 1) * RECORDS)
        .body()
}

/// Sends from `sequence` on until `stop` or the end of the program; returns the number of the first
/// that was not acknowledged.
pub(crate) async fn send(
    client: Client,
    worker: u32,
    mut sequence: u64,
    stop: Arc<AtomicBool>,
) -> u64 {
    while !stop.load(Ordering::SeqCst) {
        match client.post(batch(worker, sequence)).await {
            Some((StatusCode::OK, reply)) => {
                assert_eq!(reply["acknowledged"], sequence);
                sequence += 1;
            }
            Some((status, problem)) => assert_eq!(status, 503, "{problem}"),
            None => break,
        }
    }
    sequence
}

/// Rows of each (worker, sequence), read from the file itself.
pub(crate) fn rows(data: &Path) -> BTreeMap<(u32, u64), Vec<u32>> {
    let database = Database::open(&data.join("hot.duckdb"), 256 << 20).unwrap();
    let reading = database.read().unwrap();
    let sql = "SELECT worker, sequence, idx FROM records ORDER BY ALL";
    let mut statement = reading.connection.prepare(sql).unwrap();
    let found = statement
        .query_map([], |row| {
            Ok(((row.get(0)?, row.get(1)?), row.get::<_, u32>(2)?))
        })
        .unwrap();
    let mut rows = BTreeMap::<_, Vec<u32>>::new();
    for row in found {
        let (batch, idx) = row.unwrap();
        rows.entry(batch).or_default().push(idx);
    }
    rows
}

/// Requests by the sums of visits and by those of shapes, and how many segments are merged ones.
pub(crate) fn sums(data: &Path) -> (u64, u64, u64) {
    let database = Database::open(&data.join("hot.duckdb"), 256 << 20).unwrap();
    let reading = database.read().unwrap();
    let sql = "SELECT (SELECT sum(requests) FROM visit_parts)::UBIGINT,
        (SELECT sum(requests) FROM shapes)::UBIGINT,
        (SELECT count(*) FROM segments WHERE parts <> '[]')::UBIGINT";
    let read = reading
        .connection
        .query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
    read.unwrap()
}

/// What became of the batches below `next` of each worker.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) acknowledged: u64,
    pub(crate) lost: u64,
    pub(crate) duplicated: u64,
}

/// Looks every acknowledged record up in the file of a service that has ended.
pub(crate) fn outcome(data: &Path, next: &[u64]) -> Outcome {
    let rows = rows(data);
    let mut outcome = Outcome::default();
    for (worker, next) in (0..).zip(next) {
        for sequence in 0..*next {
            let stored = rows.get(&(worker, sequence)).map_or(&[][..], Vec::as_slice);
            for idx in 0..u32::try_from(RECORDS).unwrap() {
                let times = stored.iter().filter(|it| **it == idx).count() as u64;
                outcome.acknowledged += 1;
                outcome.lost += u64::from(times == 0);
                outcome.duplicated += times.saturating_sub(1);
            }
        }
    }
    outcome
}

/// Waits until `records` are stored, in lists too, and nothing is pending: the ledger's difference is zero.
pub(crate) async fn balanced(program: &Program, records: u64) -> Value {
    let mut last = Value::Null;
    until(
        "everything is stored, and the ledger balances",
        async || {
            let Some((_, status)) = program.client.get("/v1/status").await else {
                return false;
            };
            last = status["totals"].clone();
            let is = |name: &str, figure: u64| last[name] == figure;
            let whole = is("stored", records) && is("pending", 0) && is("lost", 0);
            let listed = status["store"]["summed"] == status["store"]["position"];
            whole && listed && last["balanced"] == true
        },
    )
    .await;
    last
}
