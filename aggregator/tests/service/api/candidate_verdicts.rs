//! What a candidate's grouping would do to verdicts.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::common::{Batch, Program, Setup, TestService, line, session_id, until};

const PATH: &str = "/v1/policy/candidates/try/verdicts";

/// A request of a client (its address) in a session of today and one of the candidate.
fn request(client: u64, now: u64, then: u64, start_ms: i64) -> Value {
    let mut record = line(now, start_ms);
    record["upstream_us"] = 700.into();
    record["client_ip"] = format!("10.{client}.0.1").into();
    record["trials"] = json!([{"policy_version": "candidate-try-1", "application": "shop",
        "key": "device", "session": session_id(then)}]);
    record
}

/// A login that fails.
fn failure(client: u64, now: u64, then: u64, start_ms: i64) -> Value {
    let mut login = request(client, now, then, start_ms);
    login["method"] = "POST".into();
    login["path"] = "/api/login".into();
    login["status"] = 401.into();
    login
}

/// Today eight clients fail five times each in sessions of their own, which the candidate makes one
/// of; and six clients share a session of 36 failures, which it divides. Client 90 fails all alone
/// under both, client 7 has a user, and people browse.
fn traffic() -> Vec<Value> {
    let mut all = Vec::new();
    for turn in 0..40_i64 {
        let at = turn * 900;
        let n = turn.cast_unsigned();
        let spread = n % 8;
        let mut login = failure(spread, 100 + spread, 1000, at);
        if spread == 7 {
            login["params"] = json!([{"name": "user", "value": "ann", "kind": "user"}]);
        }
        all.push(login);
        if n < 36 {
            let client = 20 + n % 6;
            all.push(failure(client, 200, 2000 + n / 2, at + 100));
        }
        all.push(failure(90, 300, 3000, at + 200));
        for browsing in 0..3 {
            let client = 40 + (n + browsing * 5) % 15;
            let mut read = request(client, 400 + client, 4000 + client, at + 300);
            read["path"] = format!("/api/products/{}", n * 3 + browsing).into();
            all.push(read);
        }
    }
    all
}

async fn try_a_candidate(service: &TestService) {
    let keys = json!([{"name": "device", "from": {"header": "x-device"}}]);
    let candidate = json!({"policy": {"keys": keys}, "clients_share": 1.0, "minutes": 60});
    let put = service
        .change(
            Method::PUT,
            "/v1/policy/candidates/try?author=ann",
            &[],
            candidate.to_string(),
        )
        .await;
    assert_eq!(put.status, StatusCode::OK, "{}", put.text);
}

async fn tried(records: &[Value]) -> (TestService, tempfile::TempDir) {
    let (service, folder) = Setup::default().temporary();
    try_a_candidate(&service).await;
    for (sequence, some) in (0..).zip(records.chunks(37)) {
        service
            .send(Batch::new(sequence).records(some.iter().cloned()))
            .await;
    }
    service.judged().await;
    (service, folder)
}

fn change<'a>(found: &'a Value, kind: &str) -> &'a Value {
    let all = found["changes"].as_array().unwrap();
    all.iter()
        .find(|it| it["bot_type"] == kind)
        .unwrap_or_else(|| panic!("no {kind}: {found:#}"))
}

#[tokio::test]
async fn verdicts_appear_where_it_merges_and_vanish_where_it_splits() {
    let records = traffic();
    let (service, folder) = tried(&records).await;
    let answer = service.get(PATH).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let found = answer.json();
    let counts = |of: &Value| of.to_string();
    let change = change(&found, "account_takeover");
    assert_eq!(
        counts(&change["clients"]),
        r#"{"gained":8,"kept":1,"lost":6}"#
    );
    assert_eq!(
        counts(&change["sessions"]),
        r#"{"gained":1,"kept":1,"lost":1}"#
    );
    // The first line counts each client once, of whatever kind.
    assert_eq!(found["changes"][0]["clients"], change["clients"]);
    let judged = ["requests", "requests_judged", "clients"].map(|field| found[field].as_u64());
    let all = records.len() as u64;
    assert_eq!(judged, [all, all, 30].map(Some));
    assert_eq!(found["cut"], Value::Null);

    let gained = &found["gained"][0];
    assert_eq!(
        (&gained["subject"], &gained["clients"]),
        (&json!(session_id(1000)), &json!(8))
    );
    let reason = gained["reason"].as_str().unwrap();
    assert!(reason.starts_with("credential stuffing: "), "{reason}");
    let named = gained["examples"].as_array().unwrap();
    assert_eq!(named.len(), 5);
    for client in named {
        assert_eq!(client["standing"], "not_flagged_today");
        let number = client["client_ip"].as_str().unwrap();
        let number: u64 = number.split('.').nth(1).unwrap().parse().unwrap();
        assert_eq!(client["sessions"], json!([session_id(100 + number)]));
    }
    let lost = &found["lost"][0];
    assert_eq!(
        (&lost["subject"], &lost["clients"]),
        (&json!(session_id(200)), &json!(6))
    );
    assert_eq!(
        found["newly_caught"],
        json!({"clients": 8, "users": 1, "said_wrong": 0, "known_machine": 0, "not_flagged_today": 8})
    );

    // After a restart, once its time is over, and four at once: the same.
    service.close();
    let service = Setup::default().open(folder.path()).unwrap();
    service.clock.advance(2 * 3_600_000_000);
    let ask = || service.get(PATH);
    let (one, two, three, four) = tokio::join!(ask(), ask(), ask(), ask());
    for again in [one, two, three, four] {
        assert_eq!(again.status, StatusCode::OK, "{}", again.text);
        assert_eq!(again.json(), found);
    }
    service.close();
}

async fn label(service: &TestService, session: u64, label: &str) {
    let path = format!("/v1/verdicts/session-{}/label", session_id(session));
    let body = json!({"label": label}).to_string();
    let said = service.change(Method::PUT, &path, &[], body).await;
    assert!(said.status.is_success(), "{}", said.text);
}

#[tokio::test]
async fn what_people_said_tells_who_is_honest() {
    let (service, _folder) = tried(&traffic()).await;
    label(&service, 300, "wrong").await;
    label(&service, 200, "confirmed").await;
    let found = service.get(PATH).await.json();
    // Client 90 has no verdict today any more; under another session it would have one again.
    let clients = &change(&found, "account_takeover")["clients"];
    assert_eq!(clients, &json!({"gained": 9, "lost": 6, "kept": 0}));
    let caught = &found["newly_caught"];
    assert_eq!(
        [&caught["clients"], &caught["said_wrong"]],
        [&json!(9), &json!(1)]
    );
    assert_eq!(found["confirmed_lost"], 6);
    let gained = found["gained"].as_array().unwrap();
    let again = gained
        .iter()
        .find(|it| it["subject"] == session_id(3000))
        .unwrap();
    assert_eq!(again["examples"][0]["standing"], "said_wrong");

    let path = format!("/v1/verdicts/session-{}/label", session_id(300));
    let back = service.change(Method::DELETE, &path, &[], "").await;
    assert!(back.status.is_success(), "{}", back.text);
    let found = service.get(PATH).await.json();
    assert_eq!(found["newly_caught"]["said_wrong"], 0);
    service.close();
}

#[tokio::test]
async fn a_session_that_keeps_its_id_keeps_its_label() {
    let mut records = traffic();
    for record in &mut records {
        let session = record["session"].clone();
        record["trials"][0]["session"] = session;
    }
    let (service, _folder) = tried(&records).await;
    label(&service, 300, "wrong").await;
    let found = service.get(PATH).await.json();
    let clients = &change(&found, "account_takeover")["clients"];
    assert_eq!(clients, &json!({"gained": 0, "lost": 0, "kept": 6}));
    assert_eq!(found["newly_caught"]["clients"], 0);
    service.close();
}

#[tokio::test]
async fn links_of_the_candidate_join_its_sessions() {
    // One client fails under four keys in turn. The candidate keeps the sessions apart, and links
    // each to the one before.
    let mut records = Vec::new();
    for turn in 0..20_u64 {
        let session = 500 + turn / 5;
        let mut login = failure(91, session, 5000 + turn / 5, turn.cast_signed() * 900);
        if turn >= 5 {
            login["trials"][0]["links"] = json!([{"kind": "refresh", "session": session_id(5000 + turn / 5 - 1),
                "key": "device"}]);
        }
        // Not one address: that would be a source of its own.
        login["client_ip"] = format!("10.9{turn}.0.1").into();
        records.push(login);
    }
    let (service, _folder) = tried(&records).await;
    let found = service.get(PATH).await.json();
    let change = change(&found, "account_takeover");
    assert_eq!(change["sessions"]["lost"], 0, "{found:#}");
    assert!(
        change["sessions"]["gained"].as_u64() >= Some(1),
        "{found:#}"
    );
    service.close();
}

#[tokio::test]
async fn without_records_there_is_nothing_to_say() {
    let (service, _folder) = Setup::default().temporary();
    try_a_candidate(&service).await;
    insta::assert_json_snapshot!("empty", service.get(PATH).await.json());
    let unknown = service.get("/v1/policy/candidates/other/verdicts").await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    // Stored by an earlier version: which record a trial belongs to is not known.
    service.send(Batch::new(0).records(traffic())).await;
    service.stored().await;
    service.sql::<u64>("UPDATE trials SET idx = NULL RETURNING 1::UBIGINT");
    let found = service.get(PATH).await.json();
    assert_eq!(found["requests_judged"], 0);
    let notes = found["notes"].to_string();
    assert!(notes.contains("by an earlier version"), "{notes}");
    service.close();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_line_shows_them_after_a_kill() {
    let records = traffic();
    let (first, second) = records.split_at(records.len() / 2);
    let (service, folder) = tried(first).await;
    service.close();
    let program = Program::start(folder.path(), &[]);
    let batch = Batch::new(1_000).records(second.iter().cloned());
    assert!(program.client.post(batch.body()).await.is_some());
    program.kill();

    let program = Program::start(folder.path(), &[]);
    until("all is stored", async || {
        let found = program.client.get(PATH).await;
        found.is_some_and(|(_, found)| found["requests"] == records.len())
    })
    .await;
    let url = program.client.url().to_owned();
    let asked = tokio::task::spawn_blocking(move || {
        std::process::Command::new(env!("CARGO_BIN_EXE_throughline"))
            .args(["policy", "compare", "try", "--url", &url])
            .output()
            .unwrap()
    });
    let asked = asked.await.unwrap();
    assert!(asked.status.success(), "{asked:?}");
    let found: Value = serde_json::from_slice(&asked.stdout).unwrap();
    assert_eq!(found["requests"], records.len());
    let clients = &change(&found["verdicts"], "account_takeover")["clients"];
    assert_eq!(clients, &json!({"gained": 8, "lost": 6, "kept": 1}));
}
