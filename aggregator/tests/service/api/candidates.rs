use std::collections::{BTreeMap, BTreeSet};

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::common::{Batch, Setup, TestService, line, session_id};

async fn put(service: &TestService, name: &str, body: Value) -> (StatusCode, Value) {
    let path = format!("/v1/policy/candidates/{name}?author=ann");
    let answer = service
        .change(Method::PUT, &path, &[], body.to_string())
        .await;
    (answer.status, answer.json())
}

fn candidate(share: f64, minutes: u32) -> Value {
    let keys = json!([{"name": "sid", "from": {"cookie": "sid"}}]);
    json!({"policy": {"keys": keys}, "clients_share": share, "minutes": minutes})
}

#[tokio::test]
async fn candidates_are_handed_out_for_their_time() {
    let (service, _folder) = Setup::default().temporary();
    insta::assert_json_snapshot!(
        "candidate",
        put(&service, "one", candidate(0.1, 60)).await.1
    );
    let live = service.live().await.json();
    assert_eq!(
        live["candidates"][0]["policy"]["version"],
        "candidate-one-1"
    );
    assert_eq!(live["candidates"][0]["sample"]["clients_ppm"], 100_000);
    assert_eq!(live.get("policy"), None);
    for (share, minutes, place) in [
        (0.0, 1, "clients_share"),
        (1.1, 1, "clients_share"),
        (1.0, 0, "minutes"),
        (1.0, 10_081, "minutes"),
    ] {
        let (status, problem) = put(&service, "bad", candidate(share, minutes)).await;
        assert_eq!((status.as_u16(), &problem["place"]), (422, &json!(place)));
    }
    let mut wrong = candidate(0.1, 1);
    wrong["policy"]["keys"][0]["from"] = json!({"cokie": "sid"});
    assert_eq!(
        put(&service, "bad", wrong).await.1["place"],
        "policy.keys[0].from"
    );
    for name in ["two", "three", "four"] {
        assert_eq!(
            put(&service, name, candidate(0.1, 1)).await.0,
            StatusCode::OK
        );
    }
    assert_eq!(
        put(&service, "five", candidate(0.1, 1)).await.0,
        StatusCode::CONFLICT
    );
    service.clock.advance(61_000_000);
    let left = service.live().await.json();
    assert_eq!(left["candidates"].as_array().unwrap().len(), 1);
    let list = service.get("/v1/policy/candidates").await.json();
    let running: Vec<_> = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["running"] == true)
        .collect();
    assert_eq!(running, [false, true, false, false]);
    let gone = service
        .change(Method::DELETE, "/v1/policy/candidates/one", &[], "")
        .await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    let gone = service
        .change(Method::DELETE, "/v1/policy/candidates/one", &[], "")
        .await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND);
    service.close();
}

/// Numbers that look random and are the same each time.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % limit
    }
}

type Groups = BTreeMap<String, BTreeSet<String>>;

#[expect(
    clippy::too_many_lines,
    reason = "the same records are counted twice, side by side"
)]
#[tokio::test]
async fn the_comparison_is_what_counting_by_hand_gives() {
    let (service, _folder) = Setup::default().temporary();
    put(&service, "try", candidate(0.25, 60)).await;
    let mut random = Random(4);
    let (mut now, mut then): (Groups, Groups) = Default::default();
    let mut now_sizes: BTreeMap<String, u64> = BTreeMap::new();
    let (mut users, mut clients) = (Groups::new(), BTreeSet::new());
    let (mut all, mut kept, mut requests) = (BTreeSet::new(), 0, 0);
    for sequence in 0..4 {
        let mut batch = Batch::new(sequence);
        for at in 0..200 {
            let client = random.below(40);
            let session = session_id(client / 2);
            let trial = session_id(1000 + (client * 3 + random.below(2)) / 4);
            let mut record = line(0, at);
            record["session"] = session.clone().into();
            record["client_ip"] = format!("10.0.0.{client}").into();
            all.insert(session.clone());
            if client < 10 {
                let key = if at % 4 == 0 { "ip_user_agent" } else { "sid" };
                kept += u64::from(key == "sid");
                requests += 1;
                let user = format!("user-{}", client % 7);
                record["params"] = json!([{"name": "user", "value": user, "kind": "user"}]);
                record["trials"] = json!([
                    {"policy_version": "candidate-try-1", "application": "shop", "key": key, "session": trial},
                    {"policy_version": "candidate-other-9", "application": "shop", "key": key, "session": session_id(5)},
                ]);
                clients.insert(client);
                now.entry(session.clone())
                    .or_default()
                    .insert(trial.clone());
                then.entry(trial.clone())
                    .or_default()
                    .insert(session.clone());
                *now_sizes.entry(session).or_default() += 1;
                users.entry(user).or_default().insert(trial);
            }
            batch = batch.record(record);
        }
        service.send(batch).await;
    }
    service.stored().await;
    let answer = service.get("/v1/policy/candidates/try/comparison").await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let found = answer.json();
    let several = |groups: &Groups| groups.values().filter(|it| it.len() > 1).count();
    for (field, expected) in [
        ("/requests", requests),
        ("/clients", clients.len()),
        ("/sessions_actual", all.len()),
        ("/now/sessions", now.len()),
        ("/then/sessions", then.len()),
        ("/then/sessions_estimated", then.len() * 4),
        ("/merged", several(&then)),
        ("/split", several(&now)),
    ] {
        assert_eq!(
            found.pointer(field),
            Some(&json!(expected)),
            "{field}: {found:#}"
        );
    }
    let predicted = found["sessions_predicted"].as_f64().unwrap();
    let expected = all.len() as f64 * then.len() as f64 / now.len() as f64;
    assert!(
        (predicted - expected).abs() <= 0.5,
        "{predicted} {expected}"
    );
    // Ten clients are too few to say how far off that may be.
    assert_eq!(found["sessions_predicted_low"], Value::Null);
    let close = |value: &Value, expected: f64| {
        assert!(
            (value.as_f64().unwrap() - expected).abs() < 1e-9,
            "{value} {expected}"
        );
    };
    let of_users: usize = users.values().map(BTreeSet::len).sum();
    close(
        &found["then"]["sessions_per_user"],
        of_users as f64 / users.len() as f64,
    );
    let rules = found["rules"].as_array().unwrap();
    let sid = rules.iter().find(|it| it["key"] == "sid").unwrap();
    close(&sid["then"], kept as f64 / requests as f64);
    let mut sizes = [0_u64; 5];
    for size in now_sizes.values() {
        sizes[[1, 5, 20, 100].iter().filter(|most| size > *most).count()] += 1;
    }
    assert_eq!(found["now"]["sizes"], json!(sizes));
    assert_eq!(
        found["now"]["requests_max"],
        json!(now_sizes.values().max())
    );
    let example = &found["split_examples"][0];
    let others = &now[example["session"].as_str().unwrap()];
    assert_eq!(example["count"], others.len());
    assert!(
        example["others"]
            .as_array()
            .unwrap()
            .iter()
            .all(|it| others.contains(it.as_str().unwrap()))
    );
    assert_eq!(found["not_recorded"].as_array().unwrap().len(), 1);
    service.close();
}

#[tokio::test]
async fn the_interval_is_what_computing_by_hand_gives() {
    let (service, _folder) = Setup::default().temporary();
    put(&service, "try", candidate(0.5, 60)).await;
    // 30 clients with a session each today, which they keep; but every third client's is the same
    // as the next one's then, and one client makes ten.
    let mut batch = Batch::new(0);
    let mut then = BTreeMap::new();
    for client in 0..30_u64 {
        let trials = match client {
            0 => (100..110).collect(),
            client if client % 3 == 1 => vec![client + 1],
            client => vec![client],
        };
        for trial in trials {
            let mut record = line(0, i64::try_from(client).unwrap());
            record["session"] = session_id(1_000 + client).into();
            record["client_ip"] = format!("10.0.0.{client}").into();
            record["trials"] = json!([{"policy_version": "candidate-try-1", "application": "shop",
                "key": "sid", "session": session_id(trial)}]);
            batch = batch.record(record);
        }
        // What a client has of the sessions then: a shared one is half its own.
        then.insert(
            client,
            match client % 3 {
                _ if client == 0 => 10.0,
                0 => 1.0,
                _ => 0.5,
            },
        );
    }
    service.send(batch).await;
    service.stored().await;
    let found = service.get("/v1/policy/candidates/try/comparison").await;
    let found = found.json();
    // All 30 sessions are in the sample, of 60 that there might be.
    let ratio = 29.0 / 30.0;
    let squares: f64 = then.values().map(|own| (own - ratio) * (own - ratio)).sum();
    let error = (0.5 * squares * 30.0 / 29.0).sqrt();
    let fields = [
        "sessions_actual",
        "sessions_predicted",
        "sessions_predicted_low",
    ];
    assert_eq!(
        fields.map(|field| found[field].as_u64()),
        [30, 29, 29].map(Some),
        "{found:#}"
    );
    let high = found["sessions_predicted_high"].as_f64().unwrap();
    assert!((high - (29.0 + 2.0 * error)).abs() <= 0.5, "{high} {error}");
    service.close();
}

#[tokio::test]
async fn without_records_nothing_is_guessed() {
    let (service, _folder) = Setup::default().temporary();
    put(&service, "try", candidate(1.0, 60)).await;
    insta::assert_json_snapshot!(
        "empty",
        service
            .get("/v1/policy/candidates/try/comparison")
            .await
            .json()
    );
    let unknown = service.get("/v1/policy/candidates/other/comparison").await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    service.close();
}
