//! Databases of earlier versions still open, and go on.

use std::io::Read as _;
use std::path::Path;

use http::{Method, StatusCode};
use throughline::store::SCHEMA_VERSION;

use crate::common::{Batch, Setup, TestService, line, session_id, until};

/// Puts a database of `tests/compat/` into `folder`.
fn unpack(name: &str, folder: &Path) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/compat")
        .join(name);
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(std::fs::File::open(file).unwrap())
        .read_to_end(&mut bytes)
        .unwrap();
    std::fs::write(folder.join("hot.duckdb"), bytes).unwrap();
}

/// The same with the segments beside it, in a folder of its own.
fn unpack_all(name: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    unpack(&format!("{name}/hot.duckdb.gz"), folder.path());
    let compat = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compat");
    let segments = folder.path().join("segments");
    std::fs::create_dir(&segments).unwrap();
    for file in std::fs::read_dir(compat.join(name)).unwrap() {
        let file = file.unwrap().path();
        if file.extension().is_some_and(|it| it == "parquet") {
            std::fs::copy(&file, segments.join(file.file_name().unwrap())).unwrap();
        }
    }
    folder
}

#[tokio::test]
async fn version_1_goes_on_where_it_ended() {
    goes_on("hot-v1.duckdb.gz").await;
}

#[tokio::test]
async fn version_2_goes_on_where_it_ended() {
    goes_on("hot-v2.duckdb.gz").await;
}

#[tokio::test]
async fn version_3_goes_on_where_it_ended() {
    goes_on("hot-v3.duckdb.gz").await;
}

#[tokio::test]
async fn version_4_goes_on_where_it_ended() {
    goes_on("hot-v4.duckdb.gz").await;
}

#[tokio::test]
async fn version_5_goes_on_where_it_ended() {
    goes_on("hot-v5.duckdb.gz").await;
}

#[tokio::test]
async fn version_9_goes_on_where_it_ended() {
    goes_on("hot-v9.duckdb.gz").await;
}

#[tokio::test]
async fn version_12_goes_on_where_it_ended() {
    goes_on("hot-v12.duckdb.gz").await;
}

/// Version 13 looks them up, and counts them, elsewhere.
#[tokio::test]
async fn parameters_of_version_12_are_found_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    unpack("hot-v12.duckdb.gz", folder.path());
    let service = Setup::default().open(folder.path()).unwrap();
    let session = session_id(2);
    for q in [
        "user:zoe",
        "user:zo*",
        "param.plan:gold",
        "ua:MOZILLA",
        "ip:10.0.0.0/24",
    ] {
        let page = service.get(&format!("/v1/sessions?q={q}")).await.json();
        let items = page["items"].as_array().unwrap().iter();
        let found: Vec<_> = items.map(|it| it["session"].as_str().unwrap()).collect();
        assert!(found.contains(&session.as_str()), "{q}: {page}");
    }
    let told = service.get(&format!("/v1/sessions/{session}")).await.json();
    let params: Vec<_> = told["params"].as_array().unwrap().iter().collect();
    let figures = params
        .iter()
        .map(|it| (it["value"].as_str(), it["requests"].as_u64()));
    let expected = [(Some("gold"), Some(1)), (Some("zoe"), Some(1))];
    assert_eq!(figures.collect::<Vec<_>>(), expected, "{told}");
    service.close();
}

async fn goes_on(file: &str) {
    let folder = tempfile::tempdir().unwrap();
    unpack(file, folder.path());
    for start in 0..2 {
        let service = Setup::default().open(folder.path()).unwrap();
        assert_eq!(
            service.sql::<i64>("SELECT max(version) FROM schema_version"),
            SCHEMA_VERSION
        );
        // What was there is there, and shows no more than it has.
        let path = format!("/v1/sessions/{}", session_id(1));
        let session = service.get(&path).await.json();
        assert_eq!(session["requests"], 2 + start, "{session}");
        let requests = service.get(&format!("{path}/requests")).await.json();
        assert_eq!(requests["items"][0]["params"], serde_json::json!([]));
        let first = Batch::new(0).record(line(1, 0)).seen(3);
        assert_eq!(service.send(first).await["duplicate"], true);
        let mut new = line(1, 60_000);
        new["params"] = serde_json::json!([{"name": "user", "value": "ann", "kind": "user"}]);
        service
            .send(Batch::new(1 + start).record(new).seen(4 + start))
            .await;
        service.judged().await;
        // What was stored before there was detection has been learnt from.
        let status = service.get("/v1/status").await.json();
        let rebuilt = (start == 0).then_some("there is none");
        assert_eq!(status["detection"]["rebuilt"].as_str(), rebuilt);
        let found = service.get("/v1/sessions?q=user:ann").await;
        assert_eq!(found.status, StatusCode::OK, "{}", found.text);
        assert_eq!(found.json()["items"][0]["requests"], 3 + start);
        for view in ["requests", "visits", "sessions"] {
            assert!(service.sql::<i64>(&format!("SELECT count(*) FROM {view}")) > 0);
        }
        service.close();
    }
}

/// Forgets a session, until it is gone from the files.
async fn forget(service: &TestService, number: u64) {
    let path = format!("/v1/sessions/{}?author=ann", session_id(number));
    let deleted = service.change(Method::DELETE, &path, &[], "").await;
    assert_eq!(deleted.status, StatusCode::ACCEPTED, "{}", deleted.text);
    until("it is in no file", async || {
        service.sql::<i64>("SELECT count(*) FROM forgettings WHERE NOT rewritten") == 0
    })
    .await;
}

/// Version 14 writes lists of records in another way. The snapshot is what version 13 said.
#[tokio::test]
async fn records_that_version_13_closed_are_read_and_written_anew() {
    let folder = unpack_all("closed-v13");
    let service = Setup::default().open(folder.path()).unwrap();
    let told = async || {
        let path = format!("/v1/sessions/{}/requests", session_id(1));
        service.get(&path).await.json()
    };
    let requests = told().await;
    insta::assert_json_snapshot!(requests);
    // The segment is written anew, without another session.
    forget(&service, 2).await;
    let other = format!("/v1/sessions/{}", session_id(2));
    assert!(service.get(&other).await.status == StatusCode::NOT_FOUND);
    assert_eq!(told().await, requests);
    service.close();
}

/// Version 16 writes parameters of records in another way, hot and closed. The snapshot is what version 15 said.
#[tokio::test]
async fn parameters_that_version_15_stored_are_read_and_written_anew() {
    let folder = unpack_all("stored-v15");
    let service = Setup::default().open(folder.path()).unwrap();
    let params = async |number| {
        let path = format!("/v1/sessions/{}", session_id(number));
        let requests = service.get(&format!("{path}/requests")).await.json();
        let requests = requests["items"].as_array().unwrap().iter();
        let each: Vec<_> = requests.map(|it| it["params"].clone()).collect();
        serde_json::json!({"requests": each, "session": service.get(&path).await.json()["params"]})
    };
    let before = serde_json::json!([params(1).await, params(2).await, params(3).await]);
    insta::assert_json_snapshot!(before);
    // What was hot then is closed, and the segment of then is written anew without the third session's neighbour.
    forget(&service, 2).await;
    assert_eq!(params(1).await, before[0]);
    assert_eq!(params(3).await, before[2]);
    service.close();
}

/// Version 17 keeps the values of a session in another way. The snapshot is what version 16 said.
#[tokio::test]
async fn sessions_that_version_16_summed_are_listed_and_go_on() {
    let folder = tempfile::tempdir().unwrap();
    unpack("hot-v16.duckdb.gz", folder.path());
    let service = Setup::default().open(folder.path()).unwrap();
    let listed = async |filter: &str| {
        let found = service.get(&format!("/v1/sessions?q={filter}")).await;
        assert_eq!(found.status, StatusCode::OK, "{}", found.text);
        found.json()["items"].as_array().unwrap().clone()
    };
    insta::assert_json_snapshot!(listed("").await);
    let mut again = line(2, 2500);
    again["user_agent"] = "Newest 1.0".into();
    again["params"] = serde_json::json!([{"name": "user", "value": "a\nb", "kind": "user"}]);
    service.send(Batch::new(1).record(again).seen(7)).await;
    until("it is summed", async || {
        !listed("requests:3%20ua:newest").await.is_empty()
    })
    .await;
    for (filter, sessions) in [
        ("visits:2", [1]),
        ("role:admin", [1]),
        ("ip:2001:db8::/32", [1]),
        ("user:b*", [1]),
        ("user:%22a%0Ab%22", [2]),
        ("user:%22c%01d%22", [2]),
        ("user:c*", [2]),
        ("ua:ODD", [2]),
        ("-has:user", [3]),
    ] {
        let found = listed(filter).await;
        let found: Vec<_> = found.iter().map(|it| it["session"].as_str()).collect();
        let expected: Vec<_> = sessions.iter().map(|it| session_id(*it)).collect();
        let expected: Vec<_> = expected.iter().map(|it| Some(it.as_str())).collect();
        assert_eq!(found, expected, "{filter}");
    }
    service.close();
}
