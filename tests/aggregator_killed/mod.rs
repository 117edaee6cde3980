//! See README.md.

use std::time::Duration;

use demo::{Stack, eventually};
use throughline_tests::{
    Key, Load, PLUGIN, Slot, TIME_MAX, Upstream, answered, assert_vm_alive, clients, records,
    settled,
};

const CLIENTS: u32 = 16;
const KILLS: usize = 3;
/// Records stored after a start before the next kill.
const STORED_BETWEEN: u64 = 200;
/// Requests answered while the aggregator is away.
const ANSWERED_MEANWHILE: u64 = 300;

#[tokio::test(flavor = "multi_thread")]
async fn killed_under_load_it_loses_nothing_and_doubles_nothing() {
    let _slot = Slot::take().await;
    let upstream = Upstream::start().await;
    let mut stack = start(&upstream).await;
    let load = Load::start(stack.ingress, clients(CLIENTS, Key::Bearer));
    for _ in 0..KILLS {
        grown(&stack, STORED_BETWEEN).await;
        stack.aggregator.kill().unwrap();
        answered(&load, ANSWERED_MEANWHILE).await;
        stack.aggregator.start().unwrap();
        stack.aggregator_ready().await.unwrap();
    }
    grown(&stack, STORED_BETWEEN).await;
    all_stored_once(&stack, load).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn terminated_under_load_it_ends_cleanly_and_loses_nothing() {
    let _slot = Slot::take().await;
    let upstream = Upstream::start().await;
    let mut stack = start(&upstream).await;
    let load = Load::start(stack.ingress, clients(CLIENTS, Key::Bearer));
    grown(&stack, STORED_BETWEEN).await;
    let status = stack
        .aggregator
        .terminate(Duration::from_secs(10))
        .await
        .unwrap();
    assert_eq!(status.code(), Some(0));
    answered(&load, ANSWERED_MEANWHILE).await;
    stack.aggregator.start().unwrap();
    stack.aggregator_ready().await.unwrap();
    all_stored_once(&stack, load).await;
}

async fn start(upstream: &Upstream) -> Stack {
    let builder = Stack::builder()
        .workers(2)
        .upstream(upstream.address)
        .plugin(PLUGIN);
    builder.start().await.unwrap()
}

async fn stored(stack: &Stack) -> Option<u64> {
    stack.status().await.ok().map(|status| status.totals.stored)
}

/// Waits until the store has `more` records than now.
async fn grown(stack: &Stack, more: u64) {
    let start = stored(stack).await.unwrap();
    eventually("records are stored", TIME_MAX, async || {
        stored(stack).await.filter(|&now| now >= start + more)
    })
    .await
    .unwrap();
}

async fn all_stored_once(stack: &Stack, load: Load) {
    let sent = load.stop().await;
    assert!(
        sent.iter()
            .all(|sent| sent.status.is_some_and(|status| status.is_success()))
    );
    let status = settled(stack).await;
    let stored = records(stack).await;
    let by_id = stored.by_request_id();
    let absent: Vec<_> = sent
        .iter()
        .filter(|sent| !by_id.contains_key(&*sent.request_id))
        .collect();
    assert!(
        absent.is_empty(),
        "{} of {} are absent: {absent:#?}",
        absent.len(),
        sent.len()
    );
    assert_eq!(stored.0.len(), sent.len());
    assert_eq!(stack.access_log().unwrap().len(), sent.len());
    assert_eq!(
        (status.totals.lost, status.totals.dropped),
        (0, 0),
        "{status:?}"
    );
    assert!(status.totals.balanced, "{status:?}");
    assert_vm_alive(stack);
}
