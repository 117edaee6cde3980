use clap::Parser;
use http::{Method, Request, StatusCode};
use http_body_util::Full;
use serde_json::Value;
use throughline::clock::Clock as _;
use throughline::tokens::{self, TokenCommand};

use crate::common::{ADMIN_TOKEN, Batch, INGEST_TOKEN, Setup, TestService, line, session_id};

#[derive(Parser)]
struct Line {
    #[command(subcommand)]
    command: TokenCommand,
}

/// `throughline token …` on the data of `service`.
fn token(service: &TestService, arguments: &[&str]) -> anyhow::Result<String> {
    let data = service.options.data.to_str().unwrap();
    let all = [&["token"], arguments, &["--data", data]].concat();
    let command = Line::try_parse_from(all)?.command;
    tokens::run(&command, service.clock.as_ref())
}

fn closed() -> (TestService, tempfile::TempDir) {
    let setup = Setup {
        read_token: true,
        ..Setup::default()
    };
    setup.temporary()
}

async fn ask(service: &TestService, method: Method, path: &str, token: &str) -> (u16, Value) {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("authorization", format!("Bearer {token}"))
        .body(Full::default())
        .unwrap();
    let answer = service.ask(request).await;
    let body = serde_json::from_str(&answer.text).unwrap_or(Value::Null);
    (answer.status.as_u16(), body)
}

fn kind(problem: &Value) -> &str {
    let text = problem["type"].as_str().unwrap_or_default();
    text.rsplit(':').next().unwrap_or_default()
}

#[tokio::test]
async fn each_role_may_do_its_own() {
    let (service, _folder) = closed();
    let make = |role: &str| token(&service, &["create", role, "--role", role]).unwrap();
    let (ingest, read, admin) = (make("ingest"), make("read"), make("admin"));
    let nobody = "tl_read_made-up-by-someone".to_owned();
    let (list, change, batch) = (
        (Method::GET, "/v1/sessions"),
        (Method::DELETE, "/v1/policy/finder"),
        (Method::POST, "/v1/ingest"),
    );
    for (asked, token, expected) in [
        (&list, &read, "200"),
        (&list, &admin, "200"),
        (&list, &ingest, "403 wrong-role"),
        (&list, &nobody, "401 bad-token"),
        (&change, &read, "403 wrong-role"),
        (&change, &ingest, "403 wrong-role"),
        (&change, &admin, "204"),
        (&change, &nobody, "401 bad-token"),
        (&batch, &read, "403 wrong-role"),
        (&batch, &admin, "403 wrong-role"),
        (&batch, &ingest, "400 bad-batch"),
    ] {
        let (status, body) = ask(&service, asked.0.clone(), asked.1, token).await;
        let answered = format!("{status} {}", kind(&body));
        assert_eq!(answered.trim(), expected, "{asked:?} {token}: {body}");
        if status == 401 || status == 403 {
            let remedy = body["remedy"].as_str().unwrap();
            assert!(remedy.contains("throughline token create"), "{body}");
        }
    }
    // Those of the environment go on working.
    let (status, _) = ask(&service, Method::GET, "/v1/sessions", ADMIN_TOKEN).await;
    assert_eq!(status, 200);
    service.close();
}

#[tokio::test]
async fn a_change_holds_at_once_and_is_in_the_audit_log() {
    let (service, _folder) = closed();
    let arguments = ["create", "grafana", "--role", "read", "--author", "ann"];
    let secret = token(&service, &arguments).unwrap();
    let ask = async || {
        let (status, body) = ask(&service, Method::GET, "/v1/sessions", &secret).await;
        format!("{status} {}", kind(&body))
    };
    assert_eq!(ask().await, "200 ");
    let file = service.options.data.join("tokens.ndjson");
    let kept = std::fs::read_to_string(&file).unwrap();
    assert!(!kept.contains(&secret), "{kept}");
    let listed = token(&service, &["list"]).unwrap();
    assert!(
        listed.contains("grafana") && !listed.contains(&secret),
        "{listed}"
    );
    let twice = token(&service, &arguments).unwrap_err().to_string();
    assert!(twice.contains("already"), "{twice}");

    token(&service, &["revoke", "grafana", "--comment", "lost"]).unwrap();
    assert_eq!(ask().await, "401 token-revoked");
    let none = token(&service, &["revoke", "grafana"]).unwrap_err();
    assert!(none.to_string().contains("throughline token list"));

    let (_, audit) = self::ask(&service, Method::GET, "/v1/audit", ADMIN_TOKEN).await;
    let said: Vec<_> = audit["items"].as_array().unwrap().iter().collect();
    assert_eq!(said[0]["action"], "token_revoked");
    assert_eq!(said[0]["comment"], "lost");
    assert_eq!(said[1]["action"], "token_created");
    assert_eq!(said[1]["author"], "ann");
    let subject = said[1]["subject"].as_str().unwrap();
    assert!(
        subject.ends_with("(grafana): read of all applications"),
        "{subject}"
    );
    service.close();
}

#[tokio::test]
async fn a_token_expires() {
    let (service, _folder) = closed();
    let secret = token(
        &service,
        &["create", "guest", "--role", "read", "--expires", "1h"],
    );
    let secret = secret.unwrap();
    let (status, _) = ask(&service, Method::GET, "/v1/sessions", &secret).await;
    assert_eq!(status, 200);
    service.clock.advance(3_600_000_000);
    let (status, body) = ask(&service, Method::GET, "/v1/sessions", &secret).await;
    assert_eq!((status, kind(&body)), (401, "token-expired"));
    assert!(service.clock.now_us() > 0);
    service.close();
}

#[tokio::test]
async fn a_scope_that_makes_no_sense_is_refused() {
    let (service, _folder) = closed();
    for (arguments, expected) in [
        (
            &["create", "a", "--role", "admin", "--app", "shop"][..],
            "cannot be limited",
        ),
        (&["create", "", "--role", "read"], "1 to 64 letters"),
        (
            &["create", "a", "--role", "read", "--app", ""],
            "each with a name",
        ),
    ] {
        let error = token(&service, arguments).unwrap_err().to_string();
        assert!(error.contains(expected), "{arguments:?}: {error}");
    }
    service.close();
}

/// Two applications with everything that can tell of them: links, parameters, verdicts, labels.
async fn two_applications(service: &TestService) {
    let record = |session: u64, application: &str, number: i64| {
        let mut record = line(session, number * 1000);
        record["application"] = application.into();
        record["path"] = format!("/{application}/path").into();
        record["params"] = serde_json::json!([
            {"name": "user", "kind": "user", "value": format!("{application}-user"), "forgeable": false}
        ]);
        record
    };
    let mut linked = record(2, "secret-app", 1);
    linked["links"] =
        serde_json::json!([{"kind": "both", "session": session_id(1), "key": "cookie"}]);
    let records = [record(1, "shop", 0), linked, record(1, "shop", 2)];
    service.send(Batch::new(1).seen(3).records(records)).await;
    service.stored().await;
    let reading = service.app().database.read().unwrap();
    for (session, application) in [(1, "shop"), (2, "secret-app")] {
        let id = session_id(session);
        let sql = format!(
            "INSERT INTO verdicts VALUES (0, 0, 'session-{id}', 'session', '{id}', '{id}',
                '{application}', 'scraping', 0.9, 'medium', true, 'ready', 'program',
                '2026-01-01', '2027-01-01', 3, 'v1', '[]');
             INSERT INTO labels VALUES (1, 'session-{id}', 'confirmed', '{application} note', 'ann',
                '2026-01-01');"
        );
        reading.connection.execute_batch(&sql).unwrap();
    }
}

#[tokio::test]
async fn a_scoped_token_sees_its_applications_at_every_endpoint() {
    let (service, _folder) = closed();
    two_applications(&service).await;
    let make = |arguments: &[&str]| token(&service, arguments).unwrap();
    let scoped = make(&[
        "create", "s", "--role", "read", "--app", "shop", "--app", "it's",
    ]);
    let all = make(&["create", "a", "--role", "read"]);
    let (_, document) = ask(&service, Method::GET, "/openapi.json", "").await;
    let (mut answered, mut refused, mut told) = (0, 0, 0);
    for (path, operations) in document["paths"].as_object().unwrap() {
        if operations.get("get").is_none() || !path.starts_with("/v1/") || path == "/v1/live" {
            continue;
        }
        let theirs = session_id(2);
        for (pattern, id) in [
            ("{id}", theirs.clone()),
            ("{id}", format!("session-{theirs}")),
        ] {
            let path = path
                .replace(pattern, &id)
                .replace("{version}", "1")
                .replace("{name}", "x");
            let (status, body) = ask(&service, Method::GET, &path, &scoped).await;
            let text = body.to_string();
            assert!(!text.contains("secret-app"), "{path} tells {text}");
            answered += u32::from(status == 200);
            refused += u32::from(kind(&body) == "out-of-scope");
            let (_, body) = ask(&service, Method::GET, &path, &all).await;
            told += u32::from(body.to_string().contains("secret-app"));
        }
    }
    assert!(
        answered >= 3 && refused >= 5 && told >= 5,
        "{answered} {refused} {told}"
    );

    let (_, sessions) = ask(&service, Method::GET, "/v1/sessions", &scoped).await;
    let items = sessions["items"].as_array().unwrap();
    assert_eq!(items.len(), 1);
    assert_eq!(items[0]["requests"], 2);
    assert_eq!(items[0]["users"]["values"][0], "shop-user");
    assert_eq!(items[0]["verdict"]["bot_type"], "scraping");
    let own = format!("/v1/sessions/{}", session_id(1));
    let (_, session) = ask(&service, Method::GET, &own, &scoped).await;
    assert_eq!(session["links"], serde_json::json!([]));
    let theirs = format!("/v1/sessions/{}", session_id(2));
    assert_eq!(ask(&service, Method::GET, &theirs, &scoped).await.0, 404);
    let (status, body) = ask(&service, Method::GET, "/v1/status", &scoped).await;
    assert_eq!((status, kind(&body)), (403, "out-of-scope"));
    service.close();
}

#[tokio::test]
async fn a_scoped_ingest_token_sends_its_own_records_only() {
    let (service, _folder) = closed();
    let arguments = ["create", "edge", "--role", "ingest", "--app", "shop"];
    let secret = token(&service, &arguments).unwrap();
    let send = async |batch: Batch| {
        let request = Request::post("/v1/ingest")
            .header("authorization", format!("Bearer {secret}"))
            .body(Full::new(batch.body().into()))
            .unwrap();
        service.ask(request).await
    };
    let taken = send(Batch::new(1).seen(1).record(line(1, 0))).await;
    assert_eq!(taken.status, StatusCode::OK, "{}", taken.text);
    let mut foreign = line(2, 0);
    foreign["application"] = "secret-app".into();
    let refused = send(Batch::new(2).seen(3).record(line(1, 1)).record(foreign)).await;
    let problem = refused.json();
    assert_eq!(
        (refused.status.as_u16(), kind(&problem)),
        (403, "out-of-scope")
    );
    let detail = problem["detail"].as_str().unwrap();
    assert!(
        detail.contains("line 3") && detail.contains("secret-app"),
        "{detail}"
    );
    service.stored().await;
    assert_eq!(service.sql::<i64>("SELECT count(*) FROM records"), 1);
    service.close();
}

#[tokio::test]
async fn reading_takes_a_token_without_the_development_flag() {
    let (service, _folder) = closed();
    let answer = service.get("/v1/sessions").await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    let (status, body) = ask(&service, Method::GET, "/v1/sessions", INGEST_TOKEN).await;
    assert_eq!((status, kind(&body)), (403, "wrong-role"));
    service.close();
}
