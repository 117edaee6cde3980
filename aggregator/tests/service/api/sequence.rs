use http::StatusCode;

use crate::common::{Batch, Setup, line, session_id, shop};

#[tokio::test]
async fn tells_what_a_session_did() {
    let (service, _folder) = Setup::default().temporary();
    shop::visit(&service).await;
    for (name, session, query) in [
        ("buyer", 1, ""),
        ("with_files", 1, "?files=true"),
        ("part", 2, "?from=2026-01-01T00:00:08Z&limit=2"),
    ] {
        let path = format!("/v1/sessions/{}/sequence{query}", session_id(session));
        let answer = service.get(&path).await;
        assert_eq!(answer.status, StatusCode::OK, "{name}: {}", answer.text);
        insta::assert_json_snapshot!(name, answer.json());
    }
    let missing = service
        .get(&format!("/v1/sessions/{}/sequence", session_id(9)))
        .await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    service.close();
}

#[tokio::test]
async fn parts_make_the_whole() {
    let (service, _folder) = Setup::default().temporary();
    let paths = ["/a", "/b", "/b", "/c", "/a", "/a"];
    let record = |number: usize| {
        let mut it = line(1, i64::try_from(number).unwrap() * 1000);
        it["path"] = paths[number % paths.len()].into();
        it
    };
    service
        .send(Batch::new(0).records((0..300).map(record)))
        .await;
    service.stored().await;
    let (mut requests, mut steps, mut from) = (0, 0, String::new());
    loop {
        let path = format!("/v1/sessions/{}/sequence?limit=7{from}", session_id(1));
        let part = service.get(&path).await.json();
        requests += part["requests"].as_u64().unwrap();
        steps += part["steps"].as_array().unwrap().len();
        match part["next_from"].as_str() {
            Some(next) => from = format!("&from={next}"),
            None => break,
        }
    }
    // a, b b, c, a a a, b b, …: the last of each six joins the first of the next.
    assert_eq!((requests, steps), (300, 1 + 50 * 3));
    service.close();
}

#[tokio::test]
async fn a_list_tells_how_sessions_began() {
    let (service, _folder) = Setup::default().temporary();
    shop::visit(&service).await;
    let page = service.get("/v1/sessions?steps=3").await.json();
    let beginnings: Vec<_> = page["items"].as_array().unwrap().iter().collect();
    let beginnings: Vec<_> = beginnings.iter().map(|it| &it["beginning"]).collect();
    insta::assert_json_snapshot!(beginnings);
    let without = service.get("/v1/sessions").await.json();
    assert_eq!(without["items"][0].get("beginning"), None);
    let refused = service.get("/v1/sessions?steps=21").await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    service.close();
}
