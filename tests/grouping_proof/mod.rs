//! See README.md.

mod envoy;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use demo::{Stack, eventually};
use grouping::arms;
use grouping::record::{Recording, record};
use grouping::replay::replay_with;
use grouping::{listen, regroup, scenes};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use stage::filter::SECRET;
use throughline_detection::LogPosition;
use throughline_detection::verdicts::{Subject, Verdict};
use throughline_session::wire::Record;
use throughline_tests::{Slot, TIME_MAX, all_run, assert_vm_alive, get, put, settled};

/// Seconds instead of minutes: one seed, with a tenth of the honest clients. `GROUPING_SCALE=1` takes
/// all of them.
const SCALE: f64 = 0.05;
const SEED: u64 = 101;
/// Scenes whose verdicts are compared: each batch of a story is one fsync.
const JUDGED: &str = "probe";

/// Session, session at the beginning, and key rule, by request id.
type Partition = BTreeMap<String, [String; 3]>;
/// Session, the one it is linked to, and why.
type Links = BTreeSet<[String; 3]>;

fn scale() -> f64 {
    let asked = std::env::var("GROUPING_SCALE").ok();
    asked.map_or(SCALE, |text| text.parse().unwrap())
}

async fn recorded(names: &[&str]) -> Vec<Recording> {
    let chosen = scenes::ALL.iter().filter(|it| names.contains(&it.name));
    let chosen: Vec<_> = chosen.collect();
    // The stage has a clock, so a runtime, of its own.
    let play = move || {
        let recordings = chosen.into_iter();
        recordings
            .map(|scene| record(scene, SEED, scale()).unwrap())
            .collect()
    };
    tokio::task::spawn_blocking(play).await.unwrap()
}

fn in_memory(recordings: &[Recording], policy: &str, secret: &str) -> (Partition, Links) {
    let (mut partition, mut links) = (Partition::new(), Links::new());
    for recording in recordings {
        let batches = replay_with(recording, policy, secret).unwrap();
        for record in regroup::read(&batches).unwrap().into_iter().flatten() {
            for link in &record.links {
                let kind = serde_json::to_value(link.kind).unwrap();
                links.insert([
                    record.session.to_string(),
                    link.session.to_string(),
                    kind.as_str().unwrap().to_owned(),
                ]);
            }
            let at = [
                record.session.to_string(),
                record.request_session.to_string(),
            ];
            let [session, before] = at;
            let id = record.request_id.unwrap().into_owned();
            partition.insert(id, [session, before, record.key.into_owned()]);
        }
    }
    (partition, links)
}

/// The rows of a SELECT.
async fn rows(stack: &Stack, sql: &str) -> Vec<Vec<Value>> {
    let authorization = format!("Bearer {}", stack.admin_token);
    let headers = [
        ("authorization", &*authorization),
        ("content-type", "application/json"),
    ];
    let body = Bytes::from(json!({"sql": sql, "limit": 100_000}).to_string());
    let answer = stack.api.send(Method::POST, "/v1/sql", &headers, body);
    let (status, body) = answer.await.unwrap();
    let answer: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(status, StatusCode::OK, "{answer}");
    assert_ne!(answer["cut"], true, "too many rows: {sql}");
    serde_json::from_value(answer["rows"].clone()).unwrap()
}

fn texts<const N: usize>(row: &[Value]) -> [String; N] {
    std::array::from_fn(|at| row[at].as_str().unwrap_or_default().to_owned())
}

/// What the aggregator has of a policy version, once it shows so many requests.
async fn stored(stack: &Stack, version: &str, requests: usize) -> (Partition, Links) {
    let sql = format!(
        "SELECT request_id, session, request_session, key FROM requests WHERE policy_version = '{version}'"
    );
    let found = eventually("SQL shows every request", TIME_MAX, async || {
        let found = rows(stack, &sql).await;
        (found.len() >= requests).then_some(found)
    });
    let found = found.await.unwrap();
    assert_eq!(found.len(), requests, "a request was recorded twice");
    let partition = found.iter().map(|row| {
        let [id, session, before, key] = texts::<4>(row);
        (id, [session, before, key])
    });
    let partition: Partition = partition.collect();
    let of_arm: BTreeSet<&String> = partition.values().map(|[session, ..]| session).collect();
    let links = rows(stack, "SELECT session, linked_session, kind FROM links").await;
    let links = links.iter().map(|row| texts::<3>(row));
    let links = links
        .filter(|[session, _, kind]| of_arm.contains(session) && kind != "policy_change")
        .collect();
    (partition, links)
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_and_links_are_those_of_the_real_envoy() {
    let _slot = Slot::take().await;
    let names: Vec<&str> = scenes::ALL.iter().map(|scene| scene.name).collect();
    let recordings = recorded(&names).await;
    let exchanges = Arc::new(envoy::exchanges(&recordings));
    let upstream = envoy::answering(Arc::clone(&exchanges)).await;
    let stack = Stack::builder().upstream(upstream).workers(2);
    let stack = stack.start().await.unwrap();
    // Workers are heard of once they had a request.
    for number in 0..16 {
        get(stack.ingress, "/", &format!("before-{number}")).await;
    }
    let mut done = BTreeSet::new();
    for arm in arms::ALL {
        // Arms that differ only in what detection may know have the same sessions.
        if !done.insert(arm.policy) {
            continue;
        }
        let policy: Value = serde_json::from_str(arm.policy).unwrap();
        let (status, answer) = put(&stack, "/v1/policy", "*", &policy).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        let version = answer["policy_version"].as_str().unwrap().to_owned();
        all_run(&stack, &version).await;
        envoy::send(&exchanges, stack.ingress).await;
        settled(&stack).await;
        let (expected, links) = in_memory(&recordings, arm.policy, &stack.secret);
        let (found, found_links) = stored(&stack, &version, exchanges.len()).await;
        let different = expected.iter().find(|(id, of)| found.get(*id) != Some(of));
        assert_eq!(
            different,
            None,
            "{}: {:?}",
            arm.name,
            different.map(|(id, _)| found.get(id))
        );
        assert_eq!(found_links, links, "{}", arm.name);
        let flagged = "SELECT count(*) FROM verdicts WHERE flagged AND policy_version";
        let said = rows(&stack, &format!("{flagged} = '{version}'")).await;
        println!(
            "{}: {} requests, {} links alike; in compressed time {} subjects flagged",
            arm.name,
            found.len(),
            links.len(),
            said[0][0]
        );
    }
    assert_vm_alive(&stack);
}

/// The last word on each subject: kind of subject, whom, kind of bot, confidence in thousandths.
fn last_words(batches: &[Vec<Record<'_>>]) -> BTreeMap<String, [String; 2]> {
    let mut detection = listen::detection();
    let mut words = BTreeMap::new();
    for (offset, batch) in (1..).zip(batches) {
        for record in batch {
            let position = LogPosition {
                offset,
                index: record.index,
            };
            for verdict in detection.observe(record, position) {
                words.insert(subject(&verdict), said(&verdict));
            }
        }
    }
    words
}

fn subject(verdict: &Verdict) -> String {
    match &verdict.subject {
        Subject::Session => format!("session {}", verdict.session),
        Subject::User(user) => format!("user {user}"),
        Subject::Source { network, .. } => format!("source {}/{}", network.address, network.bits),
    }
}

fn said(verdict: &Verdict) -> [String; 2] {
    let kind = serde_json::to_value(verdict.bot_type).unwrap();
    [
        kind.as_str().unwrap().to_owned(),
        format!("{:.3}", verdict.confidence),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn verdicts_on_the_story_are_those_of_the_real_aggregator() {
    let _slot = Slot::take().await;
    let folder = tempfile::tempdir().unwrap();
    // Detection's sketches are keyed; with another key a count may be off by one elsewhere.
    let key = throughline_detection::Settings::default().seed;
    let data = folder.path().join("data/detection");
    std::fs::create_dir_all(&data).unwrap();
    std::fs::write(data.join("seed"), key.to_string()).unwrap();
    let stack = Stack::builder().folder(folder.path());
    let stack = stack.start().await.unwrap();

    let arm = &arms::ALL[arms::place("links")];
    let mut policy: Value = serde_json::from_str(arm.policy).unwrap();
    policy["detection"] = json!([{
        "applications": ["shop"],
        "good_bots": [format!("{}/{}", traffic::CRAWLERS.0, traffic::CRAWLERS.1)],
        "account_parameters": ["account"]
    }]);
    let (status, answer) = put(&stack, "/v1/policy", "*", &policy).await;
    assert_eq!(status, StatusCode::OK, "{answer}");

    let recordings = recorded(&[JUDGED]).await;
    let batches = replay_with(&recordings[0], arm.policy, SECRET).unwrap();
    let authorization = format!("Bearer {}", stack.token);
    for batch in &batches {
        let headers = [
            ("authorization", &*authorization),
            ("content-type", "application/x-ndjson"),
        ];
        let body = Bytes::from(batch.clone());
        let answer = stack.api.send(Method::POST, "/v1/ingest", &headers, body);
        let (status, answer) = answer.await.unwrap();
        assert_eq!(status, StatusCode::OK, "{answer:?}");
    }
    let expected = last_words(&regroup::read(&batches).unwrap());
    assert!(!expected.is_empty(), "nothing was said of anybody");
    let sql = "SELECT subject_kind || ' ' || subject, bot_type, confidence FROM verdicts";
    let what = format!("{} verdicts", expected.len());
    let found = eventually(&what, TIME_MAX, async || {
        let found: BTreeMap<_, _> = rows(&stack, sql)
            .await
            .iter()
            .map(|row| {
                let [subject, kind] = texts::<2>(row);
                (subject, [kind, format!("{:.3}", row[2].as_f64().unwrap())])
            })
            .collect();
        (found == expected).then_some(())
    });
    if let Err(error) = found.await {
        panic!("{error}: {expected:#?}, but {:#?}", rows(&stack, sql).await);
    }
    println!(
        "{} batches, {} verdicts alike",
        batches.len(),
        expected.len()
    );
}
