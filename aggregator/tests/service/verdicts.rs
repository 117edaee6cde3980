//! Detection in the running service: what it finds, what people say of it, and restarts.

use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::common::{Batch, Program, Setup, TestService, line, session_id, until};

/// A login that fails, of session `session`.
fn failure(session: u64, start_ms: i64) -> Value {
    let mut login = line(session, start_ms);
    login["method"] = "POST".into();
    login["path"] = "/api/login".into();
    login["status"] = 401.into();
    login["upstream_us"] = 900.into();
    login["client_ip"] = format!("203.0.113.{}", session % 250).into();
    login
}

fn read(session: u64, start_ms: i64) -> Value {
    let mut read = line(session, start_ms);
    read["upstream_us"] = 700.into();
    read["client_ip"] = format!("198.51.100.{}", session % 250).into();
    read
}

/// Two stuffers among people, in the order of time.
pub(crate) fn traffic() -> Vec<Value> {
    let mut all: Vec<Value> = Vec::new();
    for n in 0..40 {
        all.push(failure(1, n * 900));
        all.push(read(10 + n.cast_unsigned() % 7, n * 900 + 300));
        if n > 20 {
            all.push(failure(2, n * 900 + 500));
        }
    }
    all
}

/// What was ever said, but for what depends on how records lie in batches.
fn said(service: &TestService) -> String {
    service.sql(
        "SELECT coalesce(string_agg(concat_ws(' ', id, subject, bot_type, confidence, sensitivity,
            flagged, requests, epoch_us(said_at), regexp_replace(votes, '\"records\":.*?\\]\\]', '', 'g')),
            chr(10) ORDER BY said_at, subject, confidence), '') FROM verdicts",
    )
}

/// Sends `records` in batches of these sizes, with a restart after each of `restarts` batches.
async fn run(records: &[Value], size: usize, restarts: &[usize]) -> String {
    let folder = tempfile::tempdir().unwrap();
    // A key of its own would give other sketches.
    std::fs::create_dir_all(folder.path().join("detection")).unwrap();
    std::fs::write(folder.path().join("detection/seed"), "7").unwrap();
    let open = || {
        let flags = ["--detection-snapshot", "1ms", "--segment-bytes", "4KiB"];
        Setup::flags(&flags).open(folder.path()).unwrap()
    };
    let mut service = open();
    for (sequence, batch) in records.chunks(size).enumerate() {
        if restarts.contains(&sequence) {
            service.close();
            service = open();
        }
        let batch = Batch::new(sequence as u64).records(batch.iter().cloned());
        service.send(batch).await;
    }
    service.judged().await;
    let said = said(&service);
    service.close();
    said
}

#[tokio::test]
async fn batches_and_restarts_change_no_verdict() {
    let records = traffic();
    let plain = run(&records, 1000, &[]).await;
    assert!(plain.lines().count() >= 2, "{plain}");
    assert!(plain.contains(&session_id(1)) && plain.contains(&session_id(2)));
    assert_eq!(run(&records, 3, &[]).await, plain);
    assert_eq!(run(&records, 10, &[2, 5, 6]).await, plain);
}

#[tokio::test]
async fn a_stuffer_is_found_with_the_requests_that_show_it() {
    let (service, _folder) = Setup::default().temporary();
    service
        .send(Batch::new(0).records(traffic()).seen(100))
        .await;
    service.judged().await;
    let page = service
        .get("/v1/verdicts?flagged=true&subject_kind=session")
        .await
        .json();
    let ids: Vec<_> = page["items"].as_array().unwrap().iter().collect();
    assert_eq!(ids.len(), 2, "{page}");
    let id = format!("session-{}", session_id(1));
    let verdict = service.get(&format!("/v1/verdicts/{id}")).await.json();
    assert_eq!(verdict["bot_type"], "account_takeover");
    assert_eq!(verdict["state"], "active");
    let strongest = &verdict["evidence"][0];
    assert_eq!(strongest["detector"], "credential_stuffing");
    assert!(strongest["value"].as_f64() >= strongest["limit"].as_f64());
    let records = strongest["records"].as_array().unwrap();
    assert!(!records.is_empty());
    for record in records {
        assert_eq!(record["path"], "/api/login");
        let id = record["record_id"].as_str().unwrap();
        let known = format!("SELECT count(*) FROM requests WHERE record_id = '{id}'");
        assert_eq!(service.sql::<i64>(&known), 1);
    }
    let reason = verdict["reasons"][0].as_str().unwrap();
    assert!(reason.starts_with("credential stuffing: "), "{reason}");
    let sessions = service.get("/v1/sessions?q=verdict:account_takeover").await;
    let sessions = sessions.json();
    assert_eq!(sessions["items"].as_array().unwrap().len(), 2, "{sessions}");
    assert_eq!(sessions["items"][0]["verdict"]["flagged"], true);
    let shown = service
        .get(&format!("/v1/sessions/{}", session_id(1)))
        .await;
    assert_eq!(shown.json()["verdict"]["id"], id.as_str());
    for (query, expected) in [
        ("ip=203.0.113.1", 1),
        ("ip=198.51.100.10", 0),
        ("confidence_min=1", 0),
        ("confidence_min=0.8&application=shop", 2),
        ("state=rejected", 0),
        ("bot_type=scraping", 0),
        (&format!("session={}", session_id(2)), 1),
    ] {
        let page = service.get(&format!("/v1/verdicts?{query}")).await.json();
        assert_eq!(
            page["items"].as_array().unwrap().len(),
            expected,
            "{query}: {page}"
        );
    }
    let first = service.get("/v1/verdicts?limit=1").await.json();
    let next = first["next"].as_str().unwrap();
    let second = service
        .get(&format!("/v1/verdicts?limit=1&cursor={next}"))
        .await
        .json();
    assert_ne!(first["items"][0]["id"], second["items"][0]["id"]);
    assert_eq!(second["next"], Value::Null);
    let missing = service
        .get(&format!("/v1/verdicts/session-{}", session_id(99)))
        .await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    service.close();
}

#[tokio::test]
async fn what_people_say_stays_said() {
    let folder = tempfile::tempdir().unwrap();
    let service = Setup::default().open(folder.path()).unwrap();
    service
        .send(Batch::new(0).records(traffic()).seen(100))
        .await;
    service.judged().await;
    let id = format!("session-{}", session_id(1));
    let path = format!("/v1/verdicts/{id}/label?author=ann");
    let body = r#"{"label": "wrong", "note": "our own\ttest"}"#;
    let labelled = service.change(Method::PUT, &path, &[], body).await;
    assert_eq!(labelled.status, StatusCode::OK, "{}", labelled.text);
    assert_eq!(labelled.json()["state"], "rejected");
    assert_eq!(labelled.json()["label"]["author"], "ann");
    let times =
        "SELECT count(*) FROM verdicts WHERE subject LIKE '%1' AND subject_kind = 'session'";
    let before: i64 = service.sql(times);
    service.close();

    let service = Setup::default().open(folder.path()).unwrap();
    // A day later it is at it again, and nothing more is said of it.
    let again = (0..40).map(|n| failure(1, 3_500_000 + n * 1000));
    service.send(Batch::new(1).records(again).seen(140)).await;
    service.judged().await;
    assert_eq!(service.sql::<i64>(times), before);
    let verdict = service.get(&format!("/v1/verdicts/{id}")).await.json();
    assert_eq!(verdict["state"], "rejected");
    assert_eq!(verdict["labels"][0]["note"], "our own\ttest");
    let file = service.get("/v1/labels").await.text;
    assert_eq!(file, format!("{}\thuman\tour own test\n", session_id(1)));
    let labels = throughline_detection::evaluate::Labels::read(&file);
    assert!(labels.is_ok(), "evaluate must read it");
    let found = service.get("/v1/sessions?q=has:verdict").await.json();
    assert_eq!(found["items"].as_array().unwrap().len(), 1);

    let gone = service.change(Method::DELETE, &path, &[], "").await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    let more = (0..40).map(|n| failure(1, 3_550_000 + n * 1000));
    service.send(Batch::new(2).records(more).seen(180)).await;
    service.judged().await;
    assert!(service.sql::<i64>(times) > before, "it may be said again");
    let wrong = service
        .change(Method::PUT, &path, &[], r#"{"label": "maybe"}"#)
        .await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    service.close();
}

#[tokio::test]
async fn an_exception_holds_from_its_place_in_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let service = Setup::default().open(folder.path()).unwrap();
    until("caught up", async || {
        service.get("/v1/status").await.json()["detection"]["caught_up"] == true
    })
    .await;
    let policy = json!({"detection": [{"exceptions": [
        {"network": "203.0.113.1", "note": "our monitoring"}]}]});
    let put = service
        .change(
            Method::PUT,
            "/v1/policy",
            &[("if-match", "*")],
            policy.to_string(),
        )
        .await;
    assert_eq!(put.status, StatusCode::OK, "{}", put.text);
    service
        .send(Batch::new(0).records(traffic()).seen(100))
        .await;
    service.judged().await;
    let page = service
        .get("/v1/verdicts?subject_kind=session")
        .await
        .json();
    let items = page["items"].as_array().unwrap();
    assert_eq!(items.len(), 1, "{page}");
    assert_eq!(items[0]["subject"], session_id(2));
    assert_eq!(items[0]["policy_version"], "v1");
    let live = service.live().await.text;
    assert!(!live.contains("detection"), "no filter's affair: {live}");
    let status = service.get("/v1/status").await.json();
    assert_eq!(status["detection"]["policy_version"], "v1");
    let shop = json!({"application": "shop", "state": "learning"});
    assert_eq!(status["detection"]["applications"], json!([shop]));
    service.close();
}

#[tokio::test]
async fn a_damaged_snapshot_is_built_anew_from_what_is_stored() {
    let folder = tempfile::tempdir().unwrap();
    let flags = ["--segment-bytes", "1KiB"];
    let service = Setup::flags(&flags).open(folder.path()).unwrap();
    let records = traffic();
    let (first, rest) = records.split_at(12);
    for (sequence, one) in (0..).zip(first) {
        service.send(Batch::new(sequence).record(one.clone())).await;
    }
    service.judged().await;
    service.close();
    let file = folder.path().join("detection/snapshot");
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&file, bytes).unwrap();

    let service = Setup::flags(&flags).open(folder.path()).unwrap();
    service
        .send(Batch::new(100).records(rest.iter().cloned()))
        .await;
    service.judged().await;
    let status = service.get("/v1/status").await.json();
    assert_eq!(
        status["detection"]["rebuilt"],
        "it is damaged: its sum is wrong"
    );
    let damaged = said(&service);
    service.close();
    assert_eq!(damaged, run_with_seed(&folder, &records).await);
}

#[tokio::test]
async fn a_snapshot_with_other_limits_is_built_anew() {
    let folder = tempfile::tempdir().unwrap();
    let other = "it was taken with other --detection-sessions or --detection-sources";
    let starts = [("1000", None), ("1000", None), ("2000", Some(other))];
    for ((sessions, rebuilt), (sequence, record)) in starts.into_iter().zip((0..).zip(traffic())) {
        let flags = ["--detection-sessions", sessions];
        let service = Setup::flags(&flags).open(folder.path()).unwrap();
        service.send(Batch::new(sequence).record(record)).await;
        service.judged().await;
        let status = service.get("/v1/status").await.json();
        assert_eq!(status["detection"]["rebuilt"].as_str(), rebuilt);
        service.close();
    }
}

/// The same records in a new place, with the key of the old one.
async fn run_with_seed(of: &tempfile::TempDir, records: &[Value]) -> String {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("detection")).unwrap();
    let seed = "detection/seed";
    std::fs::copy(of.path().join(seed), folder.path().join(seed)).unwrap();
    let service = Setup::default().open(folder.path()).unwrap();
    service
        .send(Batch::new(0).records(records.iter().cloned()))
        .await;
    service.judged().await;
    let said = said(&service);
    service.close();
    said
}

/// Every verdict in the file, whole.
fn rows(data: &std::path::Path) -> Vec<String> {
    let database = throughline::store::Database::open(&data.join("hot.duckdb"), 256 << 20).unwrap();
    let reading = database.read().unwrap();
    let sql = "SELECT to_json(verdicts)::VARCHAR FROM verdicts ORDER BY ALL";
    let mut statement = reading.connection.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

/// Sends `batches` to the real binary, killed after each of `kills` milliseconds of a run.
async fn survive(batches: &[Vec<u8>], kills: &[u64]) -> Vec<String> {
    let data = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(data.path().join("detection")).unwrap();
    std::fs::write(data.path().join("detection/seed"), "7").unwrap();
    let flags = ["--detection-snapshot", "1ms", "--segment-bytes", "16KiB"];
    let mut kills = kills.iter();
    let mut next = 0;
    loop {
        let program = Program::start(data.path(), &flags);
        let kill = kills.next().map(|ms| {
            let (pid, ms) = (program.pid(), Duration::from_millis(*ms));
            std::thread::spawn(move || {
                std::thread::sleep(ms);
                let pid = i32::try_from(pid)
                    .ok()
                    .and_then(rustix::process::Pid::from_raw);
                let kill = rustix::process::Signal::KILL;
                rustix::process::kill_process(pid.unwrap(), kill).unwrap();
            })
        });
        while let Some(batch) = batches.get(next) {
            match program.client.post(batch.clone()).await {
                Some((StatusCode::OK, _)) => next += 1,
                Some((status, problem)) => assert_eq!(status, 503, "{problem}"),
                None => break,
            }
        }
        if let Some(kill) = kill {
            kill.join().unwrap();
            program.wait();
            continue;
        }
        until("judged", async || {
            let (_, status) = program.client.get("/v1/status").await.unwrap();
            let detection = &status["detection"];
            detection["lag_bytes"] == 0 && detection["verdicts_waiting"] == 0
        })
        .await;
        program.terminate();
        let (status, said) = program.wait();
        assert!(status.success(), "{said}");
        return rows(data.path());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_any_time_it_says_the_same_once() {
    // Many stuffers one after the other: verdicts all the time.
    let records: Vec<Value> = (0..12_000_i64)
        .map(|n| {
            let session = n.cast_unsigned() / 30;
            if n % 3 == 0 {
                read(session + 5000, n * 40)
            } else {
                failure(session, n * 40)
            }
        })
        .collect();
    let batches: Vec<Vec<u8>> = (0..)
        .zip(records.chunks(10))
        .map(|(sequence, some)| Batch::new(sequence).records(some.iter().cloned()).body())
        .collect();
    let plain = survive(&batches, &[]).await;
    assert!(plain.len() > 300, "{}", plain.len());
    let killed = survive(&batches, &[150, 420, 260, 700, 90]).await;
    assert_eq!(killed.len(), plain.len(), "said twice, or not at all");
    assert!(killed == plain);
}

#[tokio::test]
async fn a_verdict_that_could_not_be_stored_is_said_again() {
    let folder = tempfile::tempdir().unwrap();
    let open = || {
        let flags = ["--detection-snapshot", "1ms"];
        Setup::flags(&flags).open(folder.path()).unwrap()
    };
    let service = open();
    let batch = |sequence, line| Batch::new(sequence).record(line);
    service.send(batch(0, read(5, 0))).await;
    service.judged().await;
    let sql = |service: &TestService, sql: &str| {
        let reading = service.app().database.read().unwrap();
        reading.connection.execute_batch(sql).unwrap();
    };
    sql(&service, "ALTER TABLE verdicts RENAME TO away");
    service.send(Batch::new(1).records(traffic())).await;
    until("all is judged, and a snapshot taken of it", async || {
        let taken = std::fs::metadata(folder.path().join("detection/snapshot.new"));
        let standing = service.app().detection.get();
        standing.told == service.app().log.state().end && taken.is_ok()
    })
    .await;
    service.give_up();
    let file = folder.path().join("hot.duckdb");
    let database = throughline::store::Database::open(&file, 64 << 20).unwrap();
    let mend = "ALTER TABLE away RENAME TO verdicts";
    let reading = database.read().unwrap();
    reading.connection.execute_batch(mend).unwrap();
    drop(reading);
    drop(database);
    let service = open();
    service.judged().await;
    let found = service
        .get("/v1/verdicts?flagged=true&subject_kind=session")
        .await;
    assert_eq!(found.json()["items"].as_array().unwrap().len(), 2);
    service.close();
}

/// A model as `throughline train` writes it, which minds nothing but failed logins.
fn model(file: &std::path::Path) {
    use throughline_detection::features;
    let width = features::all().count() * 2;
    let minded = features::all().position(|(_, it)| it.name == "logins_failed");
    let rows: Vec<Vec<f32>> = (0..200_u8)
        .map(|at| {
            let mut row = vec![0.0; width];
            row[minded.unwrap()] = f32::from(at % 2) * 3.0;
            row
        })
        .collect();
    let bots: Vec<_> = (0..200).map(|at| at % 2 == 1).collect();
    let options = throughline_detection::model::trees::Options::default();
    let weights = vec![1.0; rows.len()];
    let trees = throughline_detection::evaluate::train_rows(&rows, &bots, &weights, &options);
    let model = json!({
        "throughline_model": 1, "learnt_by": "0", "sessions": 200, "bots": 100,
        "model": throughline_detection::model::Model::new(trees),
    });
    std::fs::write(file, model.to_string()).unwrap();
}

#[tokio::test]
async fn a_model_adds_its_reasons_to_the_evidence_and_no_verdict() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("model.json");
    model(&file);
    let flags = ["--model", file.to_str().unwrap()];
    let mut said = Vec::new();
    for flags in [&flags[..], &[]] {
        let (service, _folder) = Setup::flags(flags).temporary();
        service
            .send(Batch::new(0).records(traffic()).seen(100))
            .await;
        service.judged().await;
        let verdicts = "SELECT count(*) FROM verdicts";
        let id = format!("session-{}", session_id(1));
        let verdict = service.get(&format!("/v1/verdicts/{id}")).await.json();
        let evidence = verdict["evidence"].as_array().unwrap().clone();
        let learnt = evidence
            .into_iter()
            .find(|it| it["detector"] == "learnt_model");
        said.push((
            service.sql::<i64>(verdicts),
            verdict["confidence"].clone(),
            learnt,
        ));
        service.close();
    }
    let [(with, sure, learnt), (without, as_sure, none)] = &said[..] else {
        panic!("two runs");
    };
    assert_eq!((with, sure, none), (without, as_sure, &None));
    let learnt = learnt.as_ref().unwrap();
    assert!(learnt["value"].as_f64() > Some(0.8), "{learnt}");
    let unit = learnt["unit"].as_str().unwrap();
    assert!(unit.contains("authentication.logins_failed +"), "{unit}");

    std::fs::write(&file, "{}").unwrap();
    let error = Setup::flags(&flags).open(folder.path()).err().unwrap();
    assert!(error.to_string().contains("model.json"), "{error}");
}

/// Who tries several accounts is no forgetful person: the policy says where the account is.
#[tokio::test]
async fn accounts_are_counted_where_the_policy_names_them() {
    for (different, expected) in [(true, 1), (false, 0)] {
        let (service, _folder) = Setup::default().temporary();
        until("caught up", async || {
            service.get("/v1/status").await.json()["detection"]["caught_up"] == true
        })
        .await;
        let policy = json!({"detection": [{"account_parameters": ["account"]}]}).to_string();
        let headers = [("if-match", "*")];
        let put = service
            .change(Method::PUT, "/v1/policy", &headers, policy)
            .await;
        assert_eq!(put.status, StatusCode::OK, "{}", put.text);
        let tries = (0..5).map(|n| {
            let mut login = failure(1, n * 9_000);
            let account = if different { n } else { 7 };
            login["params"] = json!([{"name": "account", "value": format!("{account:032x}")}]);
            login
        });
        service.send(Batch::new(0).records(tries)).await;
        service.judged().await;
        let page = service.get("/v1/verdicts?flagged=true").await.json();
        assert_eq!(page["items"].as_array().unwrap().len(), expected, "{page}");
        service.close();
    }
}
