//! See README.md.

use std::net::SocketAddr;

use bytes::Bytes;
use demo::Stack;
use futures_util::stream;
use http::Request;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Frame;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::{Value, json};
use shop::accounts::account;
use throughline_tests::{Protocol, Slot, assert_vm_alive, record_of, settled};
use tokio::net::TcpStream;

const POLICY: &str = r#"{
    "aggregator": {"cluster": "throughline"},
    "policy": {
        "applications": [{"name": "shop", "hosts": ["shop.example"]}],
        "keys": [
            {"name": "token", "from": {"bearer": {}}},
            {"name": "query_token", "from": {"query": "access_token"}, "namespace": "token"},
            {"name": "login", "from": {"response": {"json": "/token"}}, "namespace": "token",
             "path_prefixes": ["/api/login", "/api/token/refresh"]},
            {"name": "sid", "from": {"cookie": "sid"}}
        ],
        "parameters": [
            {"name": "user", "kind": "user", "from": {"response": {"json": "/user/email"}}}
        ]
    }
}"#;

#[tokio::test(flavor = "multi_thread")]
async fn over_http1() {
    story(Protocol::Http1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn over_http2() {
    story(Protocol::Http2).await;
}

async fn story(protocol: Protocol) {
    let _slot = Slot::take().await;
    let stack = Stack::builder().plugin(POLICY).start().await.unwrap();
    let client = Client {
        ingress: stack.ingress,
        protocol,
    };
    let token = play(&client).await;
    settled(&stack).await;

    let look = record_of(&stack, "look").await;
    let login = record_of(&stack, "login").await;
    assert_eq!(login["request_session"], look["session"]);
    assert_ne!(login["session"], look["session"]);
    let keys = (&login["key"], &look["key"]);
    assert_eq!(keys, (&json!("login"), &json!("sid")));
    assert_link(&login, "login", &look["session"]);
    assert_eq!(login["params"][0]["value"], account(7).email, "{login}");
    assert_eq!(login["params"][0]["forgeable"], false, "{login}");

    let me = record_of(&stack, "me").await;
    assert_eq!(me["session"], login["session"], "a header's token");
    assert_link(&me, "both", &look["session"]);
    let query = record_of(&stack, "query").await;
    assert_eq!(query["session"], login["session"], "a query's token");

    let renew = record_of(&stack, "renew").await;
    let again = record_of(&stack, "me-again").await;
    assert_eq!(renew["session"], login["session"]);
    assert_ne!(again["session"], login["session"]);
    assert_link(&renew, "refresh", &again["session"]);
    assert_vm_alive(&stack);
    let password = account(7).password;
    super::secrets::assert_in_no_file(
        &stack.folder().join("data"),
        &[token.as_bytes(), COOKIE.as_bytes(), password.as_bytes()],
    );
}

const COOKIE: &str = "visitor-cookie-1";

/// What the visitor does; gives the first token.
async fn play(client: &Client) -> String {
    let visitor = account(7);
    let cookie = ("cookie", format!("sid={COOKIE}"));
    let bearer = |token: &str| ("authorization", format!("Bearer {token}"));
    let anonymous = std::slice::from_ref(&cookie);

    client
        .send("look", "GET", "/api/products", anonymous, None)
        .await;
    let credentials = json!({"email": visitor.email, "password": visitor.password});
    let login = client
        .send("login", "POST", "/api/login", anonymous, Some(credentials))
        .await;
    let token = login["token"].as_str().unwrap().to_owned();
    let both = [bearer(&token), cookie.clone()];
    client.send("me", "GET", "/api/me", &both, None).await;
    let with_query = format!("/api/products?access_token={token}");
    client.send("query", "GET", &with_query, &[], None).await;
    let renewal = json!({"refresh_token": login["refresh_token"]});
    let old = [bearer(&token)];
    let renewed = client
        .send("renew", "POST", "/api/token/refresh", &old, Some(renewal))
        .await;
    let new = [bearer(renewed["token"].as_str().unwrap())];
    client.send("me-again", "GET", "/api/me", &new, None).await;
    token
}

fn assert_link(record: &Value, kind: &str, session: &Value) {
    let links = record["links"].as_array().unwrap();
    let found = links
        .iter()
        .any(|link| link["kind"] == kind && &link["session"] == session);
    assert!(found, "no {kind} link to {session} in {record}");
}

struct Client {
    ingress: SocketAddr,
    protocol: Protocol,
}

impl Client {
    /// Sends one request, its body byte by byte, and gives the answer's JSON.
    async fn send(
        &self,
        id: &str,
        method: &str,
        path: &str,
        headers: &[(&str, String)],
        body: Option<Value>,
    ) -> Value {
        let bytes = body
            .map(|body| body.to_string().into_bytes())
            .unwrap_or_default();
        let mut request = Request::builder()
            .method(method)
            .uri(format!("http://shop.example{path}"))
            .header("x-request-id", id)
            .header("content-type", "application/json")
            .header("user-agent", "stories");
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let frames = bytes
            .into_iter()
            .map(|byte| Ok(Frame::data(Bytes::copy_from_slice(&[byte]))));
        let frames: Vec<Result<Frame<Bytes>, std::convert::Infallible>> = frames.collect();
        let body = StreamBody::new(stream::iter(frames));
        let stream = TcpStream::connect(self.ingress).await.unwrap();
        let response = match self.protocol {
            Protocol::Http1 => {
                let (mut sender, connection) =
                    http1::handshake(TokioIo::new(stream)).await.unwrap();
                tokio::spawn(connection);
                let request = request.uri(path).header("host", "shop.example");
                sender
                    .send_request(request.body(body).unwrap())
                    .await
                    .unwrap()
            }
            Protocol::Http2 => {
                let io = TokioIo::new(stream);
                let handshake = http2::handshake(TokioExecutor::new(), io).await;
                let (mut sender, connection) = handshake.unwrap();
                tokio::spawn(connection);
                sender
                    .send_request(request.body(body).unwrap())
                    .await
                    .unwrap()
            }
        };
        assert!(
            response.status().is_success(),
            "{id}: {}",
            response.status()
        );
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        serde_json::from_slice(&bytes).unwrap_or_default()
    }
}
