//! Closed segments: they answer as the hot rows did, go when it is time, and forget.

use std::path::Path;

use http::Method;
use serde_json::{Value, json};
use throughline_session::hex::Hex;

use crate::common::{Batch, Setup, TestService, line, session_id, until};

const DAY_US: i64 = 86_400_000_000;

/// Four sessions, the first with the number of the first batch, each with six requests over six batches, a user, a link and a request id.
async fn send_traffic(service: &TestService, application: &str, first_batch: u64) {
    for round in 0..6_u64 {
        let records = (0..4).map(|session| {
            let mut one = line(
                first_batch + session,
                (round * 60_000 + session).cast_signed(),
            );
            one["application"] = application.into();
            one["path"] = format!("/api/products/{round}").into();
            one["status"] = (200 + 200 * (round % 2)).into();
            one["request_id"] = format!("request-{first_batch}-{round}-{session}").into();
            one["params"] = json!([
                {"name": "user", "value": format!("marker-user-{session}"), "kind": "user"},
                {"name": "cart", "value": format!("cart-{round}")},
            ]);
            one["links"] =
                json!([{"kind": "login", "session": session_id(session + 50), "key": "ip"}]);
            one
        });
        service
            .send(Batch::new(first_batch + round).records(records))
            .await;
        // Each in a transaction of its own.
        service.stored().await;
    }
}

async fn all_closed(service: &TestService, but: i64) {
    until("the hot rows are in segments", async || {
        service.sql::<i64>("SELECT count(*) FROM hot_records") <= but
    })
    .await;
}

/// Where a transaction makes a segment and two become one, until the first four of six have.
async fn all_merged(service: &TestService) {
    until("segments are merged", async || {
        service.sql::<i64>("SELECT count(*) FROM segments WHERE parts <> '[]'") == 2
    })
    .await;
}

fn files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder.join("segments")).unwrap();
    let names = entries.map(|it| it.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.ends_with(".parquet")).collect()
}

#[tokio::test]
async fn closed_segments_answer_as_the_hot_rows_did() {
    let (hot, _hot_folder) = Setup::default().temporary();
    let (closed, closed_folder) = Setup::flags(&["--segment-records", "5"]).temporary();
    let flags = ["--segment-records", "4", "--segment-merge", "2"];
    let (merged, merged_folder) = Setup::flags(&flags).temporary();
    for service in [&hot, &closed, &merged] {
        send_traffic(service, "shop", 0).await;
    }
    all_closed(&closed, 4).await;
    assert!(files(closed_folder.path()).len() >= 8);
    all_merged(&merged).await;
    let one = session_id(2);
    let ids = format!("/v1/sessions/{one}");
    let mut paths = vec![ids.clone(), format!("{ids}/requests")];
    for filter in [
        "",
        "user:marker-user-2",
        "param.cart:cart-3",
        "path:/api/products/3+status:400",
        "path:/api/products/3+status:200",
        "request:request-0-1-2",
        "errors:3",
        "has:link",
        "has:user",
        "ip:10.0.0.0/8",
        "ua:mozilla",
        "visits:1",
        "-status:4xx",
        "method:GET",
    ] {
        paths.push(format!("/v1/sessions?q={filter}"));
    }
    for path in paths {
        let was = hot.get(&path).await;
        assert_eq!(was.status, 200, "{path}: {}", was.text);
        for service in [&closed, &merged] {
            assert_eq!(service.get(&path).await.json(), was.json(), "{path}");
        }
    }
    closed.close();
    merged.close();
    // After a restart too, from another place.
    let moved = tempfile::tempdir().unwrap();
    let data = moved.path().join("moved");
    std::fs::rename(merged_folder.path(), &data).unwrap();
    let again = Setup::default().open(&data).unwrap();
    let (was, is) = (hot.get(&ids).await, again.get(&ids).await);
    assert_eq!(is.json(), was.json());
    again.close();
    hot.close();
}

/// Pairs of sessions with hot records and the values these have that nobody wrote down.
const NOT_WRITTEN_DOWN: &str = "SELECT count(*) FROM (
    SELECT DISTINCT session, it[1] AS name, it[2] AS value, coalesce(it[3], 'plain') AS kind,
        it[4] IS NOT NULL AS forgeable
    FROM (SELECT session, unnest(from_json(params, '[[\"VARCHAR\"]]')) AS it FROM hot_records))
    ANTI JOIN hot_param_values USING (session, name, value, kind, forgeable)";

#[tokio::test]
async fn what_hot_sessions_say_is_written_down_once_while_segments_close() {
    let (service, folder) = Setup::flags(&["--segment-records", "30"]).temporary();
    let written = || service.sql::<i64>("SELECT count(*) FROM hot_param_values");
    for sequence in 0..60_u64 {
        let records = (0..6).map(|session| {
            // Some sessions come back when their rows have been closed.
            let session = session * (1 + sequence / 20 % 2);
            let mut one = line(session, (sequence * 1000 + session).cast_signed());
            one["params"] = json!([
                {"name": "user", "value": format!("user-{session}"), "kind": "user"},
                {"name": "plan", "value": format!("plan-{}", sequence / 25)},
            ]);
            one
        });
        service.send(Batch::new(sequence).records(records)).await;
        if sequence % 4 == 0 {
            service.stored().await;
            let missing = service.sql::<i64>(NOT_WRITTEN_DOWN);
            assert_eq!(missing, 0, "after batch {sequence}");
        }
    }
    service.stored().await;
    until("the first are in segments", async || {
        files(folder.path()).len() > 8
    })
    .await;
    assert_eq!(service.sql::<i64>(NOT_WRITTEN_DOWN), 0);
    assert!(written() < 400, "{} of 720", written());
    for (q, expected) in [
        ("user:user-4", 1),
        ("param.plan:plan-0", 6 + 3),
        ("param.plan:plan*", 9),
    ] {
        let page = service.get(&format!("/v1/sessions?q={q}")).await.json();
        let found = page["items"].as_array().map(Vec::len);
        assert_eq!(found, Some(expected), "{q}: {page}");
    }
    service.close();
}

#[tokio::test]
async fn storing_waits_where_segments_are_closed_more_slowly_than_they_fill() {
    let (service, _folder) = Setup::flags(&["--segment-records", "200"]).temporary();
    let waited = async || {
        let text = service.get("/metrics").await.text;
        let name = "throughline_store_waited_seconds_total ";
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap().parse::<f64>().unwrap()
    };
    let mut sent = 0;
    until("storing has waited", async || {
        for _ in 0..10 {
            let records = (0..500).map(|index| line(sent + index, 1000));
            service.send(Batch::new(sent / 500).records(records)).await;
            sent += 500;
        }
        waited().await > 0.0
    })
    .await;
    service.stored().await;
    assert_eq!(service.sql::<u64>("SELECT count(*) FROM records"), sent);
    until("storing waits no more", async || {
        service.get("/v1/status").await.json()["store"]["waiting"] == false
    })
    .await;
    service.close();
}

#[tokio::test]
async fn other_programs_read_closed_segments_meanwhile() {
    let flags = ["--segment-records", "4", "--segment-merge", "2"];
    let (service, folder) = Setup::flags(&flags).temporary();
    send_traffic(&service, "shop", 0).await;
    all_merged(&service).await;
    until("views.sql says so", async || {
        let sql = std::fs::read_to_string(folder.path().join("segments/views.sql"));
        sql.is_ok_and(|sql| sql.matches("shapes.parquet").count() == 4)
    })
    .await;
    let other = duckdb::Connection::open_in_memory().unwrap();
    let segments = folder.path().join("segments");
    let sql = std::fs::read_to_string(segments.join("views.sql")).unwrap();
    other
        .execute_batch(&format!(
            "SET file_search_path = '{}'; {sql}",
            segments.display()
        ))
        .unwrap();
    let count = |sql: &str| -> u64 { other.query_row(sql, [], |row| row.get(0)).unwrap() };
    assert!(count("SELECT count(*) FROM requests") >= 20);
    assert_eq!(count("SELECT count(*) FROM sessions"), 4);
    service.close();
}

async fn storage(service: &TestService) -> Value {
    service.get("/v1/status").await.json()["storage"].clone()
}

/// Bytes of all segment files.
fn bytes(folder: &Path) -> u64 {
    // One that is listed may go before it is looked at.
    let size = |name: &String| {
        let file = folder.join("segments").join(name);
        file.metadata().map_or(0, |it| it.len())
    };
    files(folder).iter().map(size).sum()
}

#[tokio::test]
async fn what_is_too_old_gives_its_space_back_unless_it_is_pinned() {
    let flags = ["--segment-records", "5", "--retention", "2d"];
    let flags = [&flags[..], &["--retention-application", "blog=5d"]].concat();
    let (service, folder) = Setup::flags(&flags).temporary();
    send_traffic(&service, "shop", 0).await;
    send_traffic(&service, "blog", 6).await;
    let pinned = Hex::parse(&session_id(9)).unwrap();
    service.app().errands.pin(pinned, "ann").await.unwrap();
    service.clock.advance(DAY_US + DAY_US / 2);
    all_closed(&service, 0).await;
    let before = bytes(folder.path());
    assert_eq!(service.sql::<i64>("SELECT count(*) FROM records"), 48);

    service.clock.advance(DAY_US);
    let shop = "SELECT count(*) FROM records WHERE application = 'shop'";
    let blog = "SELECT count(*) FROM records WHERE application = 'blog'";
    until("the shop's are gone", async || {
        service.sql::<i64>(shop) == 0
    })
    .await;
    assert_eq!(service.sql::<i64>(blog), 24, "it is kept for longer");
    until("the space is free", async || {
        bytes(folder.path()) < before * 6 / 10
    })
    .await;
    let sessions = service.get("/v1/sessions").await.json();
    assert_eq!(sessions["items"].as_array().unwrap().len(), 4);

    service.clock.advance(5 * DAY_US);
    until("the blog's are gone", async || {
        service.sql::<i64>(blog) == 6
    })
    .await;
    service.app().errands.unpin(pinned).await.unwrap();
    until("nothing is left", async || files(folder.path()).is_empty()).await;
    assert_eq!(service.get("/v1/sessions").await.json()["items"], json!([]));
    until("no value of anybody's is left", async || {
        service.sql::<i64>("SELECT count(*) FROM hot_param_values") == 0
    })
    .await;
    let parts = "SELECT count(*) FROM hot_visit_parts";
    assert_eq!(service.sql::<i64>(parts), 0, "nor any part");
    service.close();
}

#[tokio::test]
async fn a_disk_budget_takes_the_oldest_records_and_leaves_the_summaries() {
    let flags = ["--segment-records", "5", "--disk-budget", "1KiB"];
    let (service, folder) = Setup::flags(&flags).temporary();
    let pinned = Hex::parse(&session_id(1)).unwrap();
    service.app().errands.pin(pinned, "ann").await.unwrap();
    send_traffic(&service, "shop", 0).await;
    service.clock.advance(DAY_US + DAY_US / 2);
    all_closed(&service, 0).await;
    until("only pinned records are left", async || {
        service.sql::<i64>("SELECT count(*) FROM records") == 6
    })
    .await;
    let sessions = service.get("/v1/sessions").await.json();
    assert_eq!(sessions["items"].as_array().unwrap().len(), 4);
    assert_eq!(sessions["items"][0]["requests"], 6, "the summary stays");
    until("it is said", async || {
        storage(&service).await["retention_alarm"] == true
    })
    .await;
    let storage = storage(&service).await;
    assert!(storage["retention_achieved_days"].as_f64().unwrap() < 2.0);
    assert_eq!(storage["days_until_budget"], 0.0);
    assert!(!files(folder.path()).is_empty());
    service.close();
}

#[tokio::test]
async fn of_some_paths_a_share_is_kept_and_sessions_count_all() {
    let flags = [
        "--segment-records",
        "24",
        "--sample",
        "shop:/api/products/=0.4",
    ];
    let (service, folder) = Setup::flags(&flags).temporary();
    let pinned = Hex::parse(&session_id(1)).unwrap();
    service.app().errands.pin(pinned, "ann").await.unwrap();
    send_traffic(&service, "shop", 0).await;
    all_closed(&service, 0).await;
    let kept = service.sql::<i64>("SELECT count(*) FROM records");
    assert!((7..20).contains(&kept), "some of 18, and 6: {kept}");
    let of_the_pinned = format!("SELECT count(*) FROM requests WHERE session_hex = '{pinned}'");
    assert_eq!(service.sql::<i64>(&of_the_pinned), 6);
    until("it is said", async || {
        storage(&service).await["segment_sampled_out"] == 24 - kept
    })
    .await;
    let all_are_found = async || {
        for path in 0..6 {
            let path = format!("/v1/sessions?q=path:/api/products/{path}");
            let found = service.get(&path).await.json();
            let items = found["items"].as_array().unwrap();
            assert!(items.iter().all(|it| it["requests"] == 6), "{found}");
            assert!(items.len() >= 3, "{path}: {found}");
        }
    };
    all_are_found().await;

    // The segment written anew knows it still.
    let forgotten = format!("/v1/sessions/{}?author=ann", session_id(3));
    let answer = service.change(Method::DELETE, &forgotten, &[], "").await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    until("the files are written anew", async || {
        files(folder.path()).iter().any(|it| it.contains("-1-"))
    })
    .await;
    all_are_found().await;
    let kept = service.sql::<i64>("SELECT count(*) FROM records");
    until(
        "what went with the session is not called left out",
        async || storage(&service).await["segment_sampled_out"] == 18 - kept,
    )
    .await;
    service.close();
}

/// Whether any file below `folder` holds `marker`.
fn holds(folder: &Path, marker: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(holds(&path, marker));
        } else if let Ok(bytes) = std::fs::read(&path)
            && bytes
                .windows(marker.len())
                .any(|it| it == marker.as_bytes())
        {
            found.push(path.display().to_string());
        }
    }
    found
}

/// Whether any segment holds `marker`.
fn closed_holds(folder: &Path, marker: &str) -> bool {
    let duckdb = duckdb::Connection::open_in_memory().unwrap();
    files(folder).iter().any(|name| {
        let path = folder.join("segments").join(name);
        let sql = format!(
            "SELECT count(*) FROM read_parquet('{}') AS row WHERE contains(row::VARCHAR, ?)",
            path.display()
        );
        match duckdb.query_row(&sql, [marker], |row| row.get::<_, u64>(0)) {
            Ok(rows) => rows > 0,
            // It went after it was listed.
            Err(_) if !path.exists() => false,
            Err(error) => panic!("{error}"),
        }
    })
}

#[tokio::test]
async fn a_user_is_hidden_at_once_and_then_gone_from_the_disk() {
    let flags = ["--segment-records", "9", "--detection-snapshot", "100ms"];
    let (service, folder) = Setup::flags(&flags).temporary();
    send_traffic(&service, "shop", 0).await;
    all_closed(&service, 8).await;
    let data = folder.path();
    assert!(
        !holds(&data.join("log"), "marker-user-2").is_empty(),
        "the test looks wrongly"
    );
    assert!(
        closed_holds(data, "marker-user-2"),
        "the test looks wrongly"
    );
    let user = "/v1/users/marker-user-2?author=ann";
    let answer = service.change(Method::DELETE, user, &[], "").await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    assert_eq!(answer.json()["sessions"], 1);
    let found = service.get("/v1/sessions").await.json();
    assert_eq!(found["items"].as_array().unwrap().len(), 3);
    for path in ["", "/requests"] {
        let path = format!("/v1/sessions/{}{path}", session_id(2));
        assert_eq!(service.get(&path).await.status, 404);
    }
    until("it is said to be gone", async || {
        service.sql::<i64>("SELECT count(*) FROM forgettings WHERE gone_at IS NOT NULL") == 1
    })
    .await;
    assert_eq!(service.sql::<i64>("SELECT count(*) FROM records"), 18);
    // And so it is, of log, segments and database, although no Envoy has said anything since.
    for folder in ["log", "segments", ""] {
        let mut held = holds(&data.join(folder), "marker-user-2");
        held.retain(|it| !folder.is_empty() || it.contains("hot.duckdb"));
        assert!(held.is_empty(), "{held:?}");
    }
    assert!(!closed_holds(data, "marker-user-2"));
    assert!(closed_holds(data, "marker-user-1"), "the others are there");
    service.close();
}

#[tokio::test]
async fn nobody_is_forgotten_of_whom_something_acknowledged_is_not_stored() {
    let (service, _folder) = Setup::default().temporary();
    service.send(Batch::new(0).record(line(2, 1000))).await;
    service.stored().await;
    let other = service.app().database.read().unwrap();
    // Whoever else changes that row gets a conflict: the store tries again and again.
    let hold = "BEGIN TRANSACTION; UPDATE log_position SET ordinal = ordinal";
    other.connection.execute_batch(hold).unwrap();
    service.send(Batch::new(1).record(line(2, 2000))).await;
    let path = format!("/v1/sessions/{}", session_id(2));
    let forget = async || {
        let path = format!("{path}?author=ann");
        service.change(Method::DELETE, &path, &[], "").await
    };
    let refused = forget().await;
    assert_eq!(refused.status, 503, "{}", refused.text);
    assert!(refused.text.contains("store-behind"), "{}", refused.text);
    assert_eq!(service.get(&path).await.status, 200, "nothing was done");
    other.connection.execute_batch("ROLLBACK").unwrap();
    drop(other);
    service.stored().await;
    assert_eq!(forget().await.status, 202);
    assert_eq!(service.get(&path).await.status, 404);
    service.close();
}

/// What is closed is hidden as long as somebody is being forgotten.
#[tokio::test]
async fn what_comes_after_a_session_was_forgotten_is_there() {
    let (service, _folder) = Setup::flags(&["--segment-records", "20"]).temporary();
    let sessions = 1..9_u64;
    let batch = |sequence: u64, session| {
        let records = (0..25).map(|at| line(session, (sequence * 1000 + at).cast_signed()));
        Batch::new(sequence).records(records)
    };
    for session in sessions.clone() {
        service.send(batch(session, session)).await;
    }
    service.stored().await;
    all_closed(&service, 20).await;
    for session in sessions.clone() {
        let path = format!("/v1/sessions/{}?author=ann", session_id(session));
        let answer = service.change(Method::DELETE, &path, &[], "").await;
        assert_eq!(answer.status, 202, "{}", answer.text);
        service.send(batch(100 + session, session)).await;
    }
    until("all are gone from the files", async || {
        service.sql::<i64>("SELECT count(*) FROM forgettings WHERE NOT rewritten") == 0
    })
    .await;
    service.stored().await;
    all_closed(&service, 20).await;
    for session in sessions {
        let path = format!("/v1/sessions/{}", session_id(session));
        let told = service.get(&path).await.json();
        assert_eq!(told["requests"], 25, "{told}");
        let requests = service.get(&format!("{path}/requests")).await.json();
        assert_eq!(requests["items"].as_array().unwrap().len(), 25);
    }
    service.close();
}
