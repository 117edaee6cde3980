use serde_json::{Value, json};

use crate::common::{Batch, Setup, line, session_id};

fn with(mut record: Value, field: &str, value: Value) -> Value {
    record[field] = value;
    record
}

fn linked(session: u64, at_ms: i64, kind: &str, other: u64) -> Value {
    let link = json!([{"kind": kind, "session": session_id(other), "key": "ip_user_agent"}]);
    with(line(session, at_ms), "links", link)
}

fn user(session: u64, at_ms: i64, user: &str, forgeable: bool) -> Value {
    let param = json!([
        {"name": "user", "value": user, "kind": "user", "forgeable": forgeable},
        {"name": "role", "value": "buyer", "kind": "role"},
        {"name": "cart", "value": format!("cart-{at_ms}")},
    ]);
    with(line(session, at_ms), "params", param)
}

#[tokio::test]
async fn a_session_shows_its_people_and_what_it_belongs_to() {
    let (service, _folder) = Setup::default().temporary();
    let failed = with(line(2, 3000), "extract_failed", json!([["user", "json"]]));
    let first = [
        line(1, 0),
        linked(2, 1000, "login", 1),
        user(2, 2000, "ann", false),
        failed,
    ];
    service.send(Batch::new(0).records(first)).await;
    // Another day: refreshed once, and the same user with another session altogether.
    let second = [
        linked(3, 4000, "refresh", 2),
        linked(3, 5000, "refresh", 2),
        user(4, 6000, "ann", false),
        user(5, 7000, "ann", true),
        user(2, 8000, "bob", true),
    ];
    service.send(Batch::new(1).records(second)).await;
    service.stored().await;
    let path = format!("/v1/sessions/{}", session_id(2));
    insta::assert_json_snapshot!("session", service.get(&path).await.json());
    let requests = service.get(&format!("{path}/requests")).await.json();
    let shown: Vec<_> = ["links", "params", "extract_failed"]
        .iter()
        .map(|field| {
            requests["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|it| &it[*field])
                .collect()
        })
        .collect::<Vec<Vec<_>>>();
    insta::assert_json_snapshot!("requests", shown);
    for (name, expected) in [("ann", &[2, 5, 4][..]), ("bob", &[2]), ("an", &[])] {
        let page = service
            .get(&format!("/v1/sessions?q=user:{name}"))
            .await
            .json();
        let items = page["items"].as_array().unwrap();
        let found: Vec<_> = items
            .iter()
            .map(|it| it["session"].as_str().unwrap())
            .collect();
        let expected: Vec<_> = expected.iter().map(|it| session_id(*it)).collect();
        assert_eq!(found, expected, "{name}");
    }
    service.close();
}

/// As of a client whose first request is its login: the session before it has none.
#[tokio::test]
async fn a_session_without_requests_is_followed_and_not_shown() {
    let (service, _folder) = Setup::default().temporary();
    let records = [linked(1, 0, "login", 9), linked(2, 1000, "login", 9)];
    service.send(Batch::new(0).records(records)).await;
    service.stored().await;
    let path = format!("/v1/sessions/{}", session_id(1));
    let session = service.get(&path).await.json();
    assert_eq!(session["links"][0]["session"], session_id(9));
    assert_eq!(session["links"][0]["stored"], false);
    let related = session["related"].as_array().unwrap().iter();
    let related: Vec<_> = related.map(|it| it["session"].as_str().unwrap()).collect();
    assert_eq!(related, [session_id(2)]);
    service.send(Batch::new(1).record(line(9, 2000))).await;
    service.stored().await;
    let session = service.get(&path).await.json();
    assert_eq!(session["links"][0]["stored"], true);
    assert_eq!(session["related"].as_array().unwrap().len(), 2);
    service.close();
}

#[tokio::test]
async fn a_shared_key_joins_nobody() {
    let flags = ["--shared-key-ips", "2", "--shared-key-users", "2"];
    let (service, _folder) = Setup::flags(&flags).temporary();
    let mut batch = Batch::new(0);
    // Session 9 is what everybody behind one address comes from.
    for number in 1..=3 {
        batch = batch
            .record(linked(
                number,
                i64::try_from(number).unwrap() * 1000,
                "login",
                9,
            ))
            .record(with(
                line(9, 0),
                "client_ip",
                format!("10.0.0.{number}").into(),
            ));
    }
    // Session 8 has three users, session 7 two.
    for (at, name) in [(0, "a"), (1, "b"), (2, "c")] {
        batch = batch.record(user(8, at, name, false));
    }
    for (at, name) in [(0, "d"), (1, "e")] {
        batch = batch.record(user(7, at, name, false));
    }
    service.send(batch).await;
    service.stored().await;
    let session = async |number| {
        service
            .get(&format!("/v1/sessions/{}", session_id(number)))
            .await
            .json()
    };
    for (number, shared) in [(9, true), (8, true), (7, false), (1, false)] {
        assert_eq!(session(number).await["shared_key"], shared, "{number}");
    }
    let one = session(1).await;
    assert_eq!(one["links"][0]["shared_key"], true);
    assert_eq!(one["related"], json!([]));
    let nine = session(9).await;
    assert_eq!(
        (&nine["link_count"], &nine["related"]),
        (&json!(3), &json!([]))
    );
    service.close();
}
