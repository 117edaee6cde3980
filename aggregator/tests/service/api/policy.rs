use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::common::{Batch, Setup, TestService};

const COOKIE: &str = r#"{"keys":[{"name":"sid","from":{"cookie":"sid"}}]}"#;

async fn put(service: &TestService, tag: &str, body: &str) -> (StatusCode, Value) {
    let path = "/v1/policy?author=ann&comment=because";
    let answer = service
        .change(Method::PUT, path, &[("if-match", tag)], body.to_owned())
        .await;
    (answer.status, answer.json())
}

#[tokio::test]
async fn versions_are_kept_compared_and_taken_up_again() {
    let (service, _folder) = Setup::default().temporary();
    let none = service.get("/v1/policy").await;
    assert_eq!(
        (none.header("etag"), &none.json()["mode"]),
        ("\"v0\"", &json!("bootstrap"))
    );
    assert_eq!(service.live().await.status, StatusCode::NOT_FOUND);
    assert_eq!(
        service.send(Batch::heartbeat()).await.get("live_version"),
        None
    );

    let (status, first) = put(&service, "\"v0\"", COOKIE).await;
    assert_eq!(status, StatusCode::OK, "{first}");
    insta::assert_json_snapshot!("current", first);
    let yaml = "fallback: ip\nkeys:\n- name: sid\n  from: {cookie: session}\n";
    let headers = [
        ("if-match", "\"v1\""),
        ("content-type", "application/yaml; charset=utf-8"),
    ];
    let answer = service
        .change(Method::PUT, "/v1/policy", &headers, yaml)
        .await;
    assert_eq!(
        (answer.status, answer.header("etag")),
        (StatusCode::OK, "\"v2\"")
    );
    insta::assert_json_snapshot!("version", service.get("/v1/policy/versions/2").await.json());
    let back = service
        .change(Method::POST, "/v1/policy/rollback", &[], r#"{"version":1}"#)
        .await;
    assert_eq!(
        (back.status, back.header("etag")),
        (StatusCode::OK, "\"v3\"")
    );
    assert_eq!(
        back.json()["policy"],
        serde_json::from_str::<Value>(COOKIE).unwrap()
    );
    insta::assert_json_snapshot!("versions", service.get("/v1/policy/versions").await.json());
    insta::assert_json_snapshot!("diff", service.get("/v1/policy/diff?from=2").await.json());
    insta::assert_json_snapshot!("audit", service.get("/v1/audit").await.json());
    service.close();
}

#[tokio::test]
async fn refusals_name_the_place_and_the_remedy_and_change_nothing() {
    let (service, _folder) = Setup::default().temporary();
    put(&service, "\"v0\"", COOKIE).await;
    let before = service.live().await.text;
    let cokie = COOKIE.replace("cookie", "cokie");
    let mut problems = Vec::new();
    for (tag, body) in [
        ("\"v1\"", &*cokie),
        ("\"v1\"", "{"),
        ("\"v0\"", COOKIE),
        ("\"nonsense\"", COOKIE),
        ("*", r#"{"keyz":[]}"#),
    ] {
        problems.push(put(&service, tag, body).await.1);
    }
    let change = async |method, path: &str, headers: &[(&str, &str)], body: String| {
        service.change(method, path, headers, body).await.json()
    };
    problems.push(change(Method::PUT, "/v1/policy", &[], COOKIE.into()).await);
    let text = [("content-type", "text/plain"), ("if-match", "*")];
    problems.push(change(Method::PUT, "/v1/policy", &text, COOKIE.into()).await);
    let long = format!("{{\"version\":\"{}\"}}", "x".repeat(129 * 1024));
    problems.push(change(Method::PUT, "/v1/policy", &[("if-match", "*")], long).await);
    problems.push(
        change(
            Method::POST,
            "/v1/policy/rollback",
            &[],
            r#"{"version":7}"#.into(),
        )
        .await,
    );
    problems.push(change(Method::DELETE, "/v1/policy", &[], String::new()).await);
    problems.push(service.get("/v1/policy/versions/x").await.json());
    insta::assert_json_snapshot!("refusals", problems);
    assert_eq!(service.live().await.text, before);
    assert_eq!(
        service.get("/v1/policy/versions").await.json()["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    service.close();
}

#[tokio::test]
async fn nobody_changes_it_without_the_admin_token() {
    let setup = Setup {
        no_admin_token: true,
        ..Setup::default()
    };
    let (service, _folder) = setup.temporary();
    let (status, problem) = put(&service, "*", COOKIE).await;
    assert_eq!(
        (status, &problem["status"]),
        (StatusCode::FORBIDDEN, &json!(403))
    );
    assert!(
        problem["remedy"]
            .as_str()
            .unwrap()
            .contains("THROUGHLINE_ADMIN_TOKEN")
    );
    service.close();
    let (service, _folder) = Setup::default().temporary();
    let request = http::Request::put("/v1/policy").header("if-match", "*");
    let request = request.header("authorization", "Bearer ingest-token-of-the-tests");
    let answer = service.ask(request.body(COOKIE.into()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    // And what filters get is not for everyone.
    assert_eq!(
        service.get("/v1/policy/live").await.status,
        StatusCode::UNAUTHORIZED
    );
    service.close();
}

#[tokio::test]
async fn filters_hear_of_it_and_the_status_shows_who_has_it() {
    let (service, _folder) = Setup::default().temporary();
    put(&service, "*", COOKIE).await;
    let reply = service
        .send(Batch::new(0).worker(0).with("/policy_version", "v1"))
        .await;
    let live = service.live().await.json();
    assert_eq!(reply["live_version"], live["live_version"]);
    assert_eq!(live["policy"]["version"], "v1");
    let mut old = Batch::new(0).worker(1).with("/policy_version", "bootstrap");
    old.header["refused"] = json!({"policy_version": live["live_version"], "why": "keys: no"});
    old.header["shares"] = json!([{"name": "sid", "kind": "key", "expected": 10, "found": 7}]);
    service.send(old).await;
    service.stored().await;
    let mut status = service.get("/v1/status").await.json();
    status["policy"]["live_version"] = "[hash]".into();
    status["workers"][1]["refused"]["live_version"] = "[hash]".into();
    let worker = &status["workers"][1];
    insta::assert_json_snapshot!(
        "status",
        [&status["policy"], &worker["shares"], &worker["refused"]]
    );
    service.close();
}

#[tokio::test]
async fn a_file_is_the_policy_and_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("policy.yaml");
    std::fs::write(&file, "fallback: ip\n").unwrap();
    let flags = ["--policy-file", file.to_str().unwrap()];
    let service = Setup::flags(&flags)
        .open(&folder.path().join("data"))
        .unwrap();
    let (status, problem) = put(&service, "*", COOKIE).await;
    assert_eq!(
        (status, &problem["type"]),
        (
            StatusCode::CONFLICT,
            &json!("urn:throughline:problem:policy-read-only")
        )
    );
    let first = service.live().await.json();
    assert_eq!(first["policy"]["fallback"], "ip");
    service
        .send(Batch::new(0).with("/policy_version", "other"))
        .await;
    service.stored().await;
    let drifting = service.get("/v1/status").await.json()["policy"]["drifting"].clone();
    assert_eq!(drifting[0]["policy_version"], "other");
    std::fs::write(&file, "fallback: nobody\n").unwrap();
    service.app().policies.look();
    assert_eq!(service.live().await.json(), first);
    let failing = service.get("/v1/policy").await.json()["failing"].clone();
    assert!(
        failing
            .as_str()
            .unwrap()
            .contains("fallback: unknown variant"),
        "{failing}"
    );
    std::fs::write(&file, "fallback: ip_prefix\n").unwrap();
    service.app().policies.look();
    let second = service.live().await.json();
    assert_eq!(second["policy"]["fallback"], "ip_prefix");
    assert_ne!(second["live_version"], first["live_version"]);
    service.close();
}
