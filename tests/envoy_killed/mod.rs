//! See README.md.

use std::collections::BTreeSet;

use demo::Stack;
use serde_json::Value;
use throughline_tests::{
    Key, Load, PLUGIN, Records, Sent, Slot, Upstream, answered, books, clients, get, record_of,
    records,
};

const CLIENTS: u32 = 8;
const ANSWERED: u64 = 400;
const WORKERS: u32 = 2;
/// Lines that Envoy may still have had to write when it was killed.
const UNLOGGED_MAX: usize = 100;

#[tokio::test(flavor = "multi_thread")]
async fn its_tail_is_unknown_and_a_new_one_starts_afresh() {
    let _slot = Slot::take().await;
    let upstream = Upstream::start().await;
    let mut stack = start(&upstream).await;
    let load = Load::start(stack.ingress, clients(CLIENTS, Key::Header));
    answered(&load, ANSWERED).await;
    stack.envoy.kill().unwrap();
    let sent = load.finish().await;
    let left = vanished(&stack, &sent).await;

    stack.envoy.start().unwrap();
    stack.envoy_ready().await.unwrap();
    assert_eq!(get(stack.ingress, "/", "after-the-kill").await.status, 200);
    record_of(&stack, "after-the-kill").await;
    starts_afresh(&stack, &left.boots).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_it_held_is_lost_or_unknown() {
    let _slot = Slot::take().await;
    let upstream = Upstream::start().await;
    let mut stack = start(&upstream).await;
    let load = Load::start(stack.ingress, clients(CLIENTS, Key::Header));
    answered(&load, ANSWERED).await;
    stack.aggregator.kill().unwrap();
    answered(&load, ANSWERED).await;
    stack.envoy.kill().unwrap();
    let sent = load.finish().await;
    stack.aggregator.start().unwrap();
    stack.aggregator_ready().await.unwrap();
    let left = vanished(&stack, &sent).await;
    assert!(
        left.missing > 0,
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

/// What a vanished Envoy left behind.
struct Left {
    /// Answered requests that the store lacks.
    missing: usize,
    /// Its runs, as the books name them.
    boots: BTreeSet<String>,
}

async fn vanished(stack: &Stack, sent: &[Sent]) -> Left {
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
    let lines = stack.access_log().unwrap();
    let logged: BTreeSet<&str> = lines
        .iter()
        .filter_map(|line| line.request_id.as_deref())
        .collect();
    // Envoy writes its log behind its back: on a busy machine the kill comes before the last lines.
    let unlogged = by_id.keys().filter(|id| !logged.contains(**id)).count();
    assert!(
        unlogged <= UNLOGGED_MAX,
        "{unlogged} records that Envoy did not log"
    );
    let (answered, unanswered): (Vec<&Sent>, Vec<&Sent>) =
        sent.iter().partition(|sent| sent.status.is_some());
    let missing: BTreeSet<&str> = answered
        .iter()
        .map(|sent| &*sent.request_id)
        .filter(|id| !by_id.contains_key(id))
        .collect();
    // Envoy may have logged an exchange whose answer the client never got.
    let gap = logged.iter().filter(|id| !by_id.contains_key(*id));
    let explained = |id: &&&str| {
        missing.contains(**id) || unanswered.iter().any(|sent| sent.request_id == ***id)
    };
    let (explained, odd): (Vec<&&str>, Vec<&&str>) = gap.partition(explained);
    assert!(odd.is_empty(), "logged, and sent by nobody: {odd:?}");
    // What is known to be gone is in Envoy's log, or was not written to it before the kill.
    let unwritten = sent.iter().map(|sent| &*sent.request_id);
    let unwritten = unwritten.filter(|id| !logged.contains(id)).count();
    let gone = status.totals.lost + status.totals.unknown.at_least;
    assert!(
        gone <= (explained.len() + unwritten) as u64,
        "{gone} are gone; the log has {} and may lack {unwritten}: {status:?}",
        explained.len()
    );
    let boots = workers_without(stack, &BTreeSet::new()).await;
    let boots = boots.iter().map(|worker| {
        assert_eq!(worker["state"], "vanished", "{worker}");
        assert!(
            worker["unknown"]["since"].is_string(),
            "shown as nothing: {worker}"
        );
        text(&worker["boot"])
    });
    Left {
        missing: missing.len(),
        boots: boots.collect(),
    }
}

/// A new Envoy has a run of its own, with books that balance.
async fn starts_afresh(stack: &Stack, before: &BTreeSet<String>) {
    books(stack, "the new Envoy's records are stored", |status| {
        status.totals.pending == 0
    })
    .await;
    let workers = workers_without(stack, before).await;
    let boots: BTreeSet<String> = workers.iter().map(|worker| text(&worker["boot"])).collect();
    assert_eq!((before.len(), boots.len()), (1, 1), "{workers:?}");
    let mut stored = 0;
    for worker in &workers {
        let figure = |name: &str| worker[name].as_u64().unwrap();
        let dropped = worker["dropped"]["total"].as_u64().unwrap();
        let right = figure("stored") + figure("quarantined") + dropped + figure("pending");
        assert_eq!(figure("seen"), right + figure("lost"), "{worker}");
        assert_eq!((figure("lost"), dropped), (0, 0), "{worker}");
        stored += figure("stored");
    }
    assert!(stored > 0, "{workers:?}");
}

/// The books of each worker whose run is none of `boots`.
async fn workers_without(stack: &Stack, boots: &BTreeSet<String>) -> Vec<Value> {
    let status: Value = stack.api.json("/v1/status").await.unwrap();
    let workers = status["workers"].as_array().unwrap().iter();
    let others = workers.filter(|worker| !boots.contains(&text(&worker["boot"])));
    others.cloned().collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}
