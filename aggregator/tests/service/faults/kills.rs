//! `kill -9` at random under load.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::StatusCode;

use crate::common::{Program, load};

const WORKERS: usize = 3;
/// A kill comes so many milliseconds after the start at most: before, during and after the first
/// transactions, and while segments are closed and merged.
const LATEST_MS: u64 = 1_200;

/// How many: `FAULT_KILLS`, or what every run of the tests can afford.
fn kills() -> u64 {
    let wanted = std::env::var("FAULT_KILLS").ok();
    wanted.map_or(6, |it| it.parse().unwrap())
}

/// Times that look random and are the same in each run, so that a failure can be seen again.
fn after_ms(kill: u64) -> u64 {
    let mixed = kill.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 32) % LATEST_MS
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_kill_9_once_and_only_once() {
    let data = tempfile::tempdir().unwrap();
    let mut next = [0_u64; WORKERS];
    let flags = [
        "--segment-bytes",
        "64KiB",
        "--segment-records",
        "300",
        "--segment-merge",
        "2",
    ];
    for kill in 0..kills() {
        let program = Program::start(data.path(), &flags);
        let stop = Arc::new(AtomicBool::new(false));
        let senders: Vec<_> = (0..)
            .zip(next)
            .map(|(worker, from)| {
                let client = program.client.clone();
                tokio::spawn(load::send(client, worker, from, Arc::clone(&stop)))
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(after_ms(kill))).await;
        program.kill();
        stop.store(true, Ordering::SeqCst);
        for (next, sender) in next.iter_mut().zip(senders) {
            *next = sender.await.unwrap();
        }
    }
    // Each sender repeats what was not acknowledged, which may be there already.
    let program = Program::start(data.path(), &[]);
    for (worker, sequence) in (0..).zip(&mut next) {
        let body = load::batch(worker, *sequence);
        let (status, _) = program.client.post(body).await.unwrap();
        assert_eq!(status, StatusCode::OK);
        *sequence += 1;
    }
    let total = next.iter().sum::<u64>() * load::RECORDS;
    assert!(total > 1000, "hardly any load: {total}");
    load::balanced(&program, total).await;
    program.terminate();
    let (status, said) = program.wait();
    assert!(status.success(), "{said}");
    let outcome = load::outcome(data.path(), &next);
    println!("{} records were acknowledged", outcome.acknowledged);
    println!(
        "test-faults: kills={} lost={} duplicated={}",
        kills(),
        outcome.lost,
        outcome.duplicated
    );
    assert_eq!((outcome.lost, outcome.duplicated), (0, 0));
    let batches = load::rows(data.path()).len() as u64;
    assert_eq!(
        batches,
        next.iter().sum::<u64>(),
        "and nothing else is there"
    );
    let (of_visits, of_shapes, merged) = load::sums(data.path());
    assert_eq!((of_visits, of_shapes), (total, total));
    // None may come to its end before the next of few kills.
    assert!(merged > 0 || kills() < 20, "no segments were merged");
}
