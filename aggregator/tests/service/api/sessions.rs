use std::collections::BTreeSet;

use http::StatusCode;
use serde_json::Value;

use crate::common::{Batch, Setup, TestService, line, session_id, until};

async fn sample() -> (TestService, tempfile::TempDir) {
    let (service, folder) = Setup::default().temporary();
    let mut blog = line(2, 1000);
    blog["application"] = "blog".into();
    blog["key"] = "bearer".into();
    blog["client_ip"] = "10.0.0.2".into();
    blog["user_agent"] = "curl/8.5".into();
    let mut failed = line(3, 5000);
    failed["status"] = 404.into();
    service
        .send(
            Batch::new(0)
                .record(line(1, 0))
                .record(blog)
                .record(line(3, 2000)),
        )
        .await;
    service
        .send(Batch::new(1).record(failed).record(line(4, 600_000)))
        .await;
    service.stored().await;
    (service, folder)
}

#[tokio::test]
async fn lists_the_session_active_last_first() {
    let (service, _folder) = sample().await;
    insta::assert_json_snapshot!(service.get("/v1/sessions").await.json());
    service.close();
}

#[tokio::test]
async fn times_narrow_the_list_and_orders_turn_it() {
    let (service, _folder) = sample().await;
    for (query, expected) in [
        ("", &[4, 3, 2, 1][..]),
        ("order=asc", &[1, 2, 3, 4]),
        ("sort=first", &[4, 3, 2, 1]),
        ("sort=requests", &[3, 4, 2, 1]),
        ("sort=requests&order=asc", &[1, 2, 4, 3]),
        ("sort=duration&limit=1", &[3]),
        ("sort=errors&limit=1", &[3]),
        ("sort=bytes&limit=1", &[3]),
        ("q=from:2026-01-01T00:00:02Z", &[4, 3]),
        ("q=to:2026-01-01T00:00:02Z", &[2, 1]),
        ("q=from:2026-01-01T00:00:01Z+to:2026-01-01T00:00:02Z", &[2]),
        ("q=from:2026-01-01T00:00:03Z+to:2026-01-01T00:00:04Z", &[3]),
        ("q=last:51m", &[4]),
        (
            "q=last:2h+requests:1..+ip:10.0.0.1+app:shop&sort=last",
            &[4, 3, 1],
        ),
    ] {
        let answer = service.get(&format!("/v1/sessions?{query}")).await.json();
        let items = answer["items"]
            .as_array()
            .unwrap_or_else(|| panic!("{query}: {answer}"));
        let found: Vec<&str> = items
            .iter()
            .map(|it| it["session"].as_str().unwrap())
            .collect();
        let expected: Vec<String> = expected.iter().map(|number| session_id(*number)).collect();
        assert_eq!(found, expected, "{query}");
    }
    // The figures are the whole session's, also where only a part of it lies in the range.
    let answer = service
        .get("/v1/sessions?q=from:2026-01-01T00:00:04Z+errors:1..")
        .await
        .json();
    assert_eq!(answer["items"][0]["requests"], 2);
    service.close();
}

#[tokio::test]
async fn every_order_has_pages() {
    let (service, _folder) = Setup::default().temporary();
    for number in 0..30_u64 {
        let mut one = line(number, i64::try_from(number % 7).unwrap() * 1000);
        one["response_bytes"] = (number % 5).into();
        one["client_ip"] = format!("10.0.0.{}", number % 4).into();
        one["status"] = if number % 3 == 0 {
            404.into()
        } else {
            200.into()
        };
        service.send(Batch::new(number).record(one)).await;
    }
    service.stored().await;
    for sort in [
        "last",
        "first",
        "duration",
        "visits",
        "requests",
        "errors",
        "bytes",
        "confidence",
        "app",
        "key",
        "user",
        "role",
        "ip",
        "ua",
        "session",
    ] {
        for order in ["asc", "desc"] {
            let mut found = BTreeSet::new();
            let mut next = String::new();
            loop {
                let path = format!("/v1/sessions?sort={sort}&order={order}&limit=7{next}");
                let page = service.get(&path).await.json();
                for item in page["items"].as_array().unwrap() {
                    let new = found.insert(item["session"].as_str().unwrap().to_owned());
                    assert!(new, "{sort} {order}: twice: {item}");
                }
                match &page["next"] {
                    Value::String(cursor) => next = format!("&cursor={cursor}"),
                    _ => break,
                }
            }
            assert_eq!(found.len(), 30, "{sort} {order}");
        }
    }
    // A cursor of another order is none of this list's.
    let page = service.get("/v1/sessions?sort=user&limit=7").await.json();
    for other in [
        "",
        "sort=user&order=asc&",
        "sort=user&q=app:shop&",
        "sort=ip&",
    ] {
        let path = format!(
            "/v1/sessions?{other}cursor={}",
            page["next"].as_str().unwrap()
        );
        let answer = service.get(&path).await;
        assert_eq!(
            answer.status,
            StatusCode::BAD_REQUEST,
            "{other}: {}",
            answer.text
        );
        assert_eq!(answer.json()["parameter"], "cursor");
    }
    service.close();
}

#[tokio::test]
async fn pages_neither_miss_nor_repeat_while_records_come_in() {
    let (service, _folder) = Setup::default().temporary();
    let sessions = 40_u64;
    for number in 0..sessions {
        // Pairs of sessions end at the same moment: the id decides.
        let at = i64::try_from(number / 2).unwrap() * 1000;
        service
            .send(Batch::new(number).record(line(number, at)))
            .await;
    }
    service.stored().await;
    let mut found = Vec::new();
    let mut next = String::new();
    let mut sequence = sessions;
    loop {
        let page = service
            .get(&format!("/v1/sessions?limit=7{next}"))
            .await
            .json();
        for item in page["items"].as_array().unwrap() {
            found.push(item["session"].as_str().unwrap().to_owned());
            assert_eq!(item["requests"], 1, "as on the first page: {item}");
        }
        // Between the pages old sessions become the newest, and new ones begin.
        for number in [sequence % sessions, sequence + 1000] {
            let at = 1_000_000 + i64::try_from(sequence).unwrap();
            service
                .send(Batch::new(sequence).record(line(number, at)))
                .await;
            sequence += 1;
        }
        service.stored().await;
        match &page["next"] {
            Value::String(cursor) => next = format!("&cursor={cursor}"),
            _ => break,
        }
    }
    assert_eq!(found.len(), 40);
    let distinct: BTreeSet<String> = found.into_iter().collect();
    assert_eq!(distinct, (0..sessions).map(session_id).collect());
    service.close();
}

const SESSIONS: u64 = 20;

/// Sends a request of each of so many sessions.
async fn send_one_each(service: &TestService) {
    let sequence = service.sql::<u64>("SELECT coalesce(max(sequence) + 1, 0) FROM records");
    let records = (0..SESSIONS).map(|number| line(number, (sequence * 1000).cast_signed()));
    service.send(Batch::new(sequence).records(records)).await;
    service.stored().await;
}

/// Sends some until one more segment of 30 records or a few more was closed.
async fn close_one(service: &TestService) {
    let segments = "SELECT count(*) FROM segments";
    let hot = || service.sql::<u64>("SELECT count(*) FROM hot_records");
    let before = service.sql::<i64>(segments);
    while hot() < 30 {
        send_one_each(service).await;
    }
    until("a segment is closed, and no other is due", async || {
        service.sql::<i64>(segments) > before && hot() < 30
    })
    .await;
}

#[tokio::test]
async fn pages_after_a_segment_was_closed_show_what_was_before() {
    let (service, _folder) = Setup::flags(&["--segment-records", "30"]).temporary();
    for order in ["sort=last", "sort=requests", "sort=requests&order=asc"] {
        close_one(&service).await;
        // Of this and what comes next there will be one sum.
        send_one_each(&service).await;
        let path = format!("/v1/sessions?limit=5&{order}");
        let first = service.get(&path).await.json();
        let requests = first["items"][0]["requests"].clone();
        let mut next = first["next"].clone();
        let mut items = first["items"].as_array().unwrap().clone();
        close_one(&service).await;
        close_one(&service).await;
        while let Some(cursor) = next.as_str() {
            let page = service.get(&format!("{path}&cursor={cursor}")).await.json();
            next = page["next"].clone();
            items.extend(page["items"].as_array().unwrap().clone());
        }
        assert!(
            items.iter().all(|it| it["requests"] == requests),
            "{items:?}"
        );
        let all: BTreeSet<_> = items.iter().map(|it| it["session"].to_string()).collect();
        assert_eq!((items.len(), all.len()), (20, 20), "{order}");
    }
    service.close();
}

/// What came before and after the first page is one sum then.
#[tokio::test]
async fn a_page_after_three_segments_were_closed_is_refused_and_not_made_up() {
    let (service, _folder) = Setup::flags(&["--segment-records", "30"]).temporary();
    close_one(&service).await;
    let first = service.get("/v1/sessions?limit=5").await.json();
    let next = first["next"].as_str().unwrap();
    for _ in 0..3 {
        close_one(&service).await;
    }
    let next = format!("/v1/sessions?limit=5&cursor={next}");
    let answer = service.get(&next).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text);
    let problem = answer.json();
    assert!(problem["type"].as_str().unwrap().ends_with("old-cursor"));
    assert_eq!(problem["parameter"], "cursor");
    service.close();
}

/// As long as a parameter may be, and each letter six in JSON.
#[tokio::test]
async fn pages_ordered_by_long_texts_go_on() {
    let (service, _folder) = Setup::default().temporary();
    let records = (0..4).map(|session| {
        let mut one = line(session, 0);
        let user = format!("{}{session}", "\u{7}".repeat(3000));
        one["params"] = serde_json::json!([{"name": "user", "value": user, "kind": "user"}]);
        one
    });
    service.send(Batch::new(0).records(records)).await;
    service.stored().await;
    let first = "/v1/sessions?sort=user&order=asc&limit=1";
    let (mut path, mut found) = (first.to_owned(), Vec::new());
    loop {
        let answer = service.get(&path).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        let page = answer.json();
        found.push(page["items"][0]["session"].clone());
        match page["next"].as_str() {
            Some(next) => path = format!("{first}&cursor={next}"),
            None => break,
        }
    }
    let all: Vec<_> = (0..4).map(session_id).collect();
    assert_eq!(found, all);
    service.close();
}

/// It would end the SQL.
#[tokio::test]
async fn a_user_with_a_zero_byte_is_a_user() {
    let (service, _folder) = Setup::default().temporary();
    for session in 0..2 {
        let mut one = line(session, 0);
        one["params"] = serde_json::json!([{"name": "user", "value": "b\u{0}", "kind": "user"}]);
        service.send(Batch::new(session).record(one)).await;
    }
    service.stored().await;
    let path = format!("/v1/sessions/{}", session_id(0));
    let answer = service.get(&path).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let related = &answer.json()["related"][0];
    assert_eq!(related["session"], session_id(1), "{}", answer.text);
    service.close();
}

#[tokio::test]
async fn a_query_that_takes_too_long_is_stopped_and_its_place_given_back() {
    let (service, _folder) = Setup::flags(&["--query-timeout", "1ms"]).temporary();
    // So many that no machine adds them up within the timeout.
    let many = (0..20_000).fold(Batch::new(0), |batch, session| {
        batch.record(line(session, 0))
    });
    service.send(many).await;
    service.stored().await;
    for _ in 0..20 {
        let answer = service.get("/v1/sessions").await;
        assert_eq!(
            answer.status,
            StatusCode::SERVICE_UNAVAILABLE,
            "{}",
            answer.text
        );
        assert_eq!(answer.header("retry-after"), "1");
    }
    let free = async || service.app().queries.available_permits() == throughline::api::QUERIES_MAX;
    until("all places are free", free).await;
    service.close();
}
