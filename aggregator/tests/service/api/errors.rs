//! Problems that every endpoint has in common.

use http::{Method, Request, StatusCode};
use http_body_util::Full;

use crate::common::{READ_TOKEN, Setup};

/// Method, path, status, kind of problem, `allow`.
type Case = (Method, &'static str, u16, &'static str, &'static str);

const CASES: &[Case] = &[
    (Method::GET, "/v1/session", 404, "not-found", ""),
    (Method::GET, "/v1/ingest", 405, "method-not-allowed", "POST"),
    (
        Method::POST,
        "/v1/sessions",
        405,
        "method-not-allowed",
        "GET, HEAD",
    ),
    (
        Method::DELETE,
        "/readyz",
        405,
        "method-not-allowed",
        "GET, HEAD",
    ),
    (Method::GET, "/healthz?x=1", 400, "unknown-parameter", ""),
    (
        Method::GET,
        "/v1/sessions?cursor=%21",
        400,
        "bad-cursor",
        "",
    ),
    (
        Method::GET,
        "/v1/sessions?cursor=WzFd",
        400,
        "bad-cursor",
        "",
    ),
    (
        Method::GET,
        "/v1/sessions?q=%ff%fe",
        400,
        "bad-parameter",
        "",
    ),
    (
        Method::GET,
        "/v1/sessions?limit=1000",
        400,
        "bad-parameter",
        "",
    ),
    (
        Method::GET,
        "/v1/sessions?sort=colour",
        400,
        "bad-parameter",
        "",
    ),
    (Method::GET, "/v1/sessions/xyz", 400, "bad-parameter", ""),
    (
        Method::GET,
        "/v1/sessions/xyz/requests",
        400,
        "bad-parameter",
        "",
    ),
];

#[tokio::test]
async fn unknown_paths_and_methods_are_problems() {
    let (service, _folder) = Setup::default().temporary();
    for (method, path, status, kind, allow) in CASES {
        let request = Request::builder()
            .method(method)
            .uri(*path)
            .body(Full::default())
            .unwrap();
        let answer = service.ask(request).await;
        let problem = answer.json();
        assert_eq!(
            answer.status.as_u16(),
            *status,
            "{method} {path}: {problem}"
        );
        assert_eq!(problem["status"], *status);
        assert_eq!(
            problem["type"],
            format!("urn:throughline:problem:{kind}"),
            "{path}"
        );
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert_eq!(answer.header("allow"), *allow);
    }
    service.close();
}

#[tokio::test]
async fn the_read_token_is_asked_for_where_one_is_set() {
    let setup = Setup {
        read_token: true,
        ..Setup::default()
    };
    let (service, _folder) = setup.temporary();
    for path in [
        "/v1/sessions",
        "/v1/status",
        "/v1/quarantine",
        "/v1/sessions/x",
    ] {
        assert_eq!(
            service.get(path).await.status,
            StatusCode::UNAUTHORIZED,
            "{path}"
        );
    }
    for path in ["/healthz", "/metrics", "/openapi.json"] {
        assert_eq!(service.get(path).await.status, StatusCode::OK, "{path}");
    }
    let request =
        Request::get("/v1/status").header("authorization", format!("Bearer {READ_TOKEN}"));
    let answer = service.ask(request.body(Full::default()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::OK);
    service.close();
}

#[tokio::test]
async fn a_page_of_another_site_may_not_ask_without_a_token() {
    let (service, _folder) = Setup::default().temporary();
    for (host, expected) in [
        ("127.0.0.1:8470", 200),
        ("localhost:8470", 200),
        ("LOCALHOST", 200),
        ("[::1]:8470", 200),
        ("evil.example", 403),
        ("127.0.0.1.evil.example:8470", 403),
        ("localhost.evil.example", 403),
        ("10.0.0.1", 403),
        ("", 403),
    ] {
        let request = Request::get("/v1/status").header("host", host);
        let answer = service.ask(request.body(Full::default()).unwrap()).await;
        assert_eq!(answer.status.as_u16(), expected, "{host}: {}", answer.text);
    }
}
