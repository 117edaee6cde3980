use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::common::{Answer, Setup, TestService, session_id, shop};

fn path(session: u64) -> String {
    format!("/v1/sessions/{}/note", session_id(session))
}

async fn say(service: &TestService, session: u64, body: &Value) -> Answer {
    let path = path(session) + "?author=ann&comment=seen%20today";
    service
        .change(Method::PUT, &path, &[], body.to_string())
        .await
}

async fn found(service: &TestService, q: &str) -> Vec<String> {
    let page = service.get(&format!("/v1/sessions?q={q}")).await.json();
    let items = page["items"]
        .as_array()
        .unwrap_or_else(|| panic!("{page}"))
        .iter();
    items
        .map(|it| {
            it["session"]
                .as_str()
                .unwrap()
                .trim_start_matches('0')
                .into()
        })
        .collect()
}

#[tokio::test]
async fn what_is_said_of_a_session_is_shown_and_found() {
    let (service, _folder) = Setup::default().temporary();
    shop::visit(&service).await;
    let answer = say(
        &service,
        1,
        &json!({"labels": ["vip", "asked Ann"], "note": "A partner."}),
    )
    .await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    insta::assert_json_snapshot!("a_note", answer.json());
    say(&service, 3, &json!({"labels": ["odd"]})).await;
    say(&service, 4, &json!({"note": "only words"})).await;
    for (q, expected) in [
        ("label:vip", vec!["1"]),
        ("label:vip,odd", vec!["3", "1"]),
        ("label:%22asked%20Ann%22", vec!["1"]),
        ("label:as*", vec!["1"]),
        ("-label:vip", vec!["4", "3", "2"]),
        ("has:note", vec!["4", "3", "1"]),
        ("-has:note", vec!["2"]),
        ("has:note%20-label:odd%20path:/login", vec!["4", "1"]),
    ] {
        assert_eq!(found(&service, q).await, expected, "{q}");
    }
    let session = service
        .get(&format!("/v1/sessions/{}", session_id(1)))
        .await
        .json();
    assert_eq!(session["note"], answer.json());
    let facet = service.get("/v1/sessions/facets?field=label").await.json();
    insta::assert_json_snapshot!("labels", facet);

    // The last word counts.
    say(&service, 1, &json!({"labels": ["vip"]})).await;
    assert_eq!(found(&service, "label:as*").await, [""; 0]);
    for _ in 0..2 {
        let gone = service.change(Method::DELETE, &path(1), &[], "").await;
        assert_eq!(gone.status, StatusCode::NO_CONTENT, "{}", gone.text);
    }
    assert_eq!(found(&service, "label:vip").await, [""; 0]);
    insta::assert_json_snapshot!("audit", service.get("/v1/audit").await.json());
    service.close();
}

#[tokio::test]
async fn what_is_no_note_is_refused_with_its_place() {
    let (service, _folder) = Setup::default().temporary();
    shop::visit(&service).await;
    for (body, status, text) in [
        (json!({}), StatusCode::UNPROCESSABLE_ENTITY, "say something"),
        (
            json!({"labels": ["ok", ""]}),
            StatusCode::UNPROCESSABLE_ENTITY,
            "labels[1]",
        ),
        (
            json!({"lables": []}),
            StatusCode::UNPROCESSABLE_ENTITY,
            "unknown field `lables`",
        ),
        (
            json!({"note": "x".repeat(20_000)}),
            StatusCode::PAYLOAD_TOO_LARGE,
            "16384 bytes",
        ),
    ] {
        let answer = say(&service, 1, &body).await;
        assert_eq!(answer.status, status, "{}", answer.text);
        assert!(answer.text.contains(text), "{text}: {}", answer.text);
    }
    let unknown = say(&service, 9, &json!({"note": "x"})).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    let reader = service.ask(
        http::Request::put(path(1))
            .body(bytes::Bytes::from_static(b"{\"note\":\"x\"}").into())
            .unwrap(),
    );
    assert_eq!(reader.await.status, StatusCode::UNAUTHORIZED);
    service.close();
}

#[tokio::test]
async fn there_are_only_so_many() {
    let (service, _folder) = Setup::default().temporary();
    shop::visit(&service).await;
    {
        let reading = service.app().database.read().unwrap();
        let fill = "INSERT INTO notes SELECT unhex('0000000000000000000000000000000'
                || (range % 3 + 2)), ['x'], '', 'ann', make_timestamp(1) FROM range(10_000)";
        reading.connection.execute_batch(fill).unwrap();
    }
    let answer = say(&service, 1, &json!({"note": "one too many"})).await;
    assert_eq!(answer.status, StatusCode::CONFLICT, "{}", answer.text);
    assert!(
        answer.text.contains("10000 sessions with a note"),
        "{}",
        answer.text
    );
    service.close();
}
