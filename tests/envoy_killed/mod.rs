//! See README.md.

use std::collections::BTreeSet;

use demo::{Stack, eventually};
use throughline_tests::{
    Client, Key, Load, PLUGIN, Protocol, Records, Sent, Slot, TIME_MAX, Upstream, books, get,
    record_of, records,
};

const ANSWERED: u64 = 400;
const WORKERS: u32 = 2;

#[tokio::test(flavor = "multi_thread")]
async fn its_tail_is_unknown_and_a_new_one_starts_afresh() {
    let _slot = Slot::take().await;
    let upstream = Upstream::start().await;
    let mut stack = start(&upstream).await;
    let load = Load::start(stack.ingress, clients());
    answered(&load, ANSWERED).await;
    stack.envoy.kill().unwrap();
    let sent = load.finish().await;
    vanished(&stack, &sent).await;

    stack.envoy.start().unwrap();
    stack.envoy_ready().await.unwrap();
    assert_eq!(get(stack.ingress, "/", "after-the-kill").await.status, 200);
    record_of(&stack, "after-the-kill").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_it_held_is_lost_or_unknown() {
    let _slot = Slot::take().await;
    let upstream = Upstream::start().await;
    let mut stack = start(&upstream).await;
    let load = Load::start(stack.ingress, clients());
    answered(&load, ANSWERED).await;
    stack.aggregator.kill().unwrap();
    answered(&load, ANSWERED).await;
    stack.envoy.kill().unwrap();
    let sent = load.finish().await;
    stack.aggregator.start().unwrap();
    stack.aggregator_ready().await.unwrap();
    let missing = vanished(&stack, &sent).await;
    assert!(
        missing > 0,
        "the filter held nothing: the story did not happen"
    );
}

async fn start(upstream: &Upstream) -> Stack {
    let builder = Stack::builder()
        .workers(WORKERS)
        .upstream(upstream.address)
        .plugin(PLUGIN);
    builder
        .aggregator_arguments(["--worker-timeout", "2s"])
        .start()
        .await
        .unwrap()
}

fn clients() -> Vec<Client> {
    let client = |number: u32| Client {
        name: format!("client-{number}"),
        key: Key::Header(format!("key-{number}")),
        protocol: if number.is_multiple_of(2) {
            Protocol::Http1
        } else {
            Protocol::Http2
        },
        path: "/paced",
        requests: u64::MAX,
    };
    (0..8).map(client).collect()
}

async fn answered(load: &Load, more: u64) {
    let start = load.answered();
    eventually("requests are answered", TIME_MAX, async || {
        (load.answered() >= start + more).then_some(())
    })
    .await
    .unwrap();
}

/// The books of a vanished Envoy; gives how many answered requests the store lacks.
async fn vanished(stack: &Stack, sent: &[Sent]) -> usize {
    let status = books(stack, "both workers count as vanished", |status| {
        status.totals.pending == 0 && status.totals.unknown.workers == u64::from(WORKERS)
    })
    .await;
    assert!(status.totals.balanced, "{status:?}");
    let stored: Records = records(stack).await;
    let by_id = stored.by_request_id();
    assert_eq!(status.totals.stored, stored.0.len() as u64, "{status:?}");
    let known = |id: &&str| sent.iter().any(|sent| sent.request_id == **id);
    assert!(
        by_id.keys().all(known),
        "a record of a request that nobody sent"
    );
    let answered = sent.iter().filter(|sent| sent.status.is_some());
    let missing = answered
        .filter(|sent| !by_id.contains_key(&*sent.request_id))
        .count();
    // What is known to be gone is no more than what clients saw end.
    let gone = status.totals.lost + status.totals.unknown.at_least;
    assert!(
        stored.0.len() as u64 + gone <= sent.len() as u64,
        "{status:?}"
    );
    // Envoy's own log agrees, up to the lines that it had not written when it was killed.
    let lines = stack.access_log().unwrap();
    let logged: BTreeSet<&str> = lines
        .iter()
        .filter_map(|line| line.request_id.as_deref())
        .collect();
    assert!(
        by_id.keys().all(|id| logged.contains(id)),
        "a record that Envoy did not log"
    );
    assert!(logged.len() - by_id.len() <= missing, "{status:?}");
    assert!(
        status.totals.unknown.workers > 0,
        "the gap is shown as nothing: {status:?}"
    );
    missing
}
