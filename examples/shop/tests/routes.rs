//! Every endpoint, over a connection in memory and on a clock that waits for nobody.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use shop::accounts::{account, reset_token};
use shop::{Config, Shop, webhook};

struct Browser {
    sender: SendRequest<Full<Bytes>>,
    token: Option<String>,
    cookie: Option<String>,
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap().to_str().unwrap()
    }
}

/// Without hiccups, so that the tests see the handlers.
fn calm() -> Config {
    Config {
        fault_every: 0,
        ..Config::default()
    }
}

async fn browser(config: Config) -> Browser {
    let (near, far) = tokio::io::duplex(64 * 1024);
    tokio::spawn(shop::serve_stream(far, Arc::new(Shop::new(config))));
    let (sender, connection) = handshake(TokioIo::new(near)).await.unwrap();
    tokio::spawn(connection);
    Browser {
        sender,
        token: None,
        cookie: None,
    }
}

impl Browser {
    async fn send(
        &mut self,
        method: &str,
        path: &str,
        body: impl Into<Bytes>,
        extra: &[(&str, &str)],
    ) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "shop.example");
        for (name, value) in extra {
            request = request.header(*name, *value);
        }
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie);
        }
        let request = request.body(Full::new(body.into())).unwrap();
        self.sender.ready().await.unwrap();
        let (head, body) = self
            .sender
            .send_request(request)
            .await
            .unwrap()
            .into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer {
            status: head.status.as_u16(),
            headers: head.headers,
            body,
        }
    }
    async fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, "", &[]).await
    }
    async fn post(&mut self, path: &str, body: Value) -> Answer {
        self.send("POST", path, body.to_string(), &[]).await
    }
    async fn login(&mut self, index: u32) -> Value {
        let account = account(index);
        let body = json!({"email": account.email, "password": account.password});
        let answer = self.post("/api/login", body).await;
        assert_eq!(answer.status, 200);
        let body = answer.json();
        self.token = Some(body["token"].as_str().unwrap().to_owned());
        body
    }
}

#[tokio::test(start_paused = true)]
async fn pages_files_and_status_codes() {
    let mut browser = browser(calm()).await;
    for (method, path, status, kind) in [
        ("GET", "/", 200, "text/html"),
        ("GET", "/product/1001", 200, "text/html"),
        ("GET", "/assets/app.js", 200, "text/javascript"),
        ("GET", "/assets/style.css", 200, "text/css"),
        ("GET", "/assets/nothing.js", 404, "application/json"),
        ("GET", "/images/1001.webp", 200, "image/webp"),
        ("GET", "/images/99.webp", 404, "application/json"),
        ("GET", "/favicon.ico", 200, "image/x-icon"),
        ("GET", "/robots.txt", 200, "text/plain"),
        ("GET", "/sitemap.xml", 200, "application/xml"),
        ("GET", "/healthz", 200, "application/json"),
        ("GET", "/admin", 401, "application/json"),
        ("GET", "/wp-login.php", 404, "application/json"),
        ("GET", "/api/products/1001", 200, "application/json"),
        ("GET", "/api/products/9", 404, "application/json"),
        ("GET", "/api/products/1001/reviews", 200, "application/json"),
        (
            "GET",
            "/api/products?category=none",
            404,
            "application/json",
        ),
        (
            "GET",
            "/api/products?per_page=1000",
            422,
            "application/json",
        ),
        ("GET", "/api/search", 422, "application/json"),
        ("GET", "/api/search?q=light", 200, "application/json"),
        ("GET", "/api/stock/1001", 200, "application/json"),
        ("GET", "/api/me", 401, "application/json"),
        ("GET", "/api/orders", 401, "application/json"),
        ("DELETE", "/api/me", 405, "application/json"),
        ("POST", "/api/checkout", 401, "application/json"),
        ("POST", "/graphql", 400, "application/json"),
    ] {
        let answer = browser.send(method, path, "", &[]).await;
        assert_eq!(answer.status, status, "{method} {path}");
        assert!(answer.header("content-type").starts_with(kind), "{path}");
    }
    let head = browser.send("HEAD", "/assets/app.js", "", &[]).await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(
        browser
            .send("OPTIONS", "/api/me", "", &[])
            .await
            .header("allow"),
        "GET, PUT"
    );
}

#[tokio::test(start_paused = true)]
async fn a_file_is_sent_once() {
    let mut browser = browser(calm()).await;
    let first = browser.get("/assets/app.js").await;
    let etag = first.header("etag").to_owned();
    let again = browser
        .send("GET", "/assets/app.js", "", &[("if-none-match", &etag)])
        .await;
    assert_eq!((again.status, again.body.len()), (304, 0));
}

#[tokio::test(start_paused = true)]
async fn pages_of_a_list_follow_each_other() {
    let mut browser = browser(calm()).await;
    let mut next = Some("/api/products?per_page=60&sort=price".to_owned());
    let mut ids = Vec::new();
    while let Some(path) = next {
        let body = browser.get(&path).await.json();
        ids.extend(
            body["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|item| item["id"].as_u64().unwrap()),
        );
        next = body["next"].as_str().map(str::to_owned);
    }
    ids.sort_unstable();
    assert_eq!(ids, (1_001..1_501).collect::<Vec<u64>>());
}

#[tokio::test(start_paused = true)]
async fn a_session_cookie_is_set_once_and_carries_the_cart_to_the_account() {
    let mut browser = browser(calm()).await;
    assert_eq!(browser.get("/api/cart").await.status, 400);
    let cookie = browser.get("/").await.header("set-cookie").to_owned();
    browser.cookie = cookie.split(';').next().map(str::to_owned);
    assert!(
        browser
            .get("/api/products")
            .await
            .headers
            .get("set-cookie")
            .is_none()
    );
    assert!(
        browser
            .get("/healthz")
            .await
            .headers
            .get("set-cookie")
            .is_none()
    );
    let added = browser
        .post(
            "/api/cart/items",
            json!({"product_id": 1_002, "quantity": 2}),
        )
        .await;
    assert_eq!(added.status, 201);
    browser.login(5).await;
    let cart = browser.get("/api/cart").await.json();
    assert_eq!(cart["items"][0]["product_id"], 1_002);
    assert_eq!(
        browser
            .send("DELETE", "/api/cart/items/1002", "", &[])
            .await
            .status,
        200
    );
    assert_eq!(
        browser
            .send("DELETE", "/api/cart/items/1002", "", &[])
            .await
            .status,
        404
    );
}

#[tokio::test(start_paused = true)]
async fn an_order_is_placed_and_only_its_owner_sees_it() {
    let mut browser = browser(calm()).await;
    browser.login(5).await;
    assert_eq!(
        browser
            .post("/api/checkout", json!({"card": "4111111111111111"}))
            .await
            .status,
        422
    );
    browser
        .post("/api/cart/items", json!({"product_id": 1_002}))
        .await;
    let full = browser.get("/api/cart").await.json()["total_cents"]
        .as_u64()
        .unwrap();
    assert_eq!(
        browser
            .post("/api/coupons/apply", json!({"code": "FREE"}))
            .await
            .status,
        422
    );
    let cut = browser
        .post("/api/coupons/apply", json!({"code": "WELCOME10"}))
        .await
        .json();
    assert!(cut["total_cents"].as_u64().unwrap() < full);
    assert_eq!(
        browser
            .post("/api/checkout", json!({"card": "4111111111111110"}))
            .await
            .status,
        402
    );
    let order = browser
        .post("/api/checkout", json!({"card": "4111111111111111"}))
        .await;
    assert_eq!(order.status, 201);
    let id = order.json()["id"].as_u64().unwrap();
    let orders = browser.get("/api/orders").await.json();
    assert_eq!(orders["items"].as_array().unwrap().len(), 3);
    browser
        .post("/api/cart/items", json!({"product_id": 1_003}))
        .await;
    assert_eq!(
        browser
            .post("/api/coupons/apply", json!({"code": "WELCOME10"}))
            .await
            .status,
        409
    );
    browser.login(6).await;
    assert_eq!(browser.get(&format!("/api/orders/{id}")).await.status, 403);
    assert_eq!(
        browser.get(&format!("/api/orders/{}", id + 1)).await.status,
        404
    );
    assert_eq!(browser.get("/admin/users").await.status, 403);
}

#[tokio::test(start_paused = true)]
async fn tokens_expire_and_refresh_tokens_rotate() {
    let config = Config {
        token_lifetime: Duration::from_secs(30),
        ..calm()
    };
    let mut browser = browser(config).await;
    let refresh = browser.login(5).await["refresh_token"].clone();
    assert_eq!(browser.get("/api/me").await.status, 200);
    tokio::time::advance(Duration::from_secs(31)).await;
    let expired = browser.get("/api/me").await;
    assert_eq!(
        (expired.status, expired.json()["error"]["code"].clone()),
        (401, json!("token_expired"))
    );
    browser.token = None;
    let renewed = browser
        .post("/api/token/refresh", json!({"refresh_token": refresh}))
        .await;
    browser.token = renewed.json()["token"].as_str().map(str::to_owned);
    assert_eq!(browser.get("/api/me").await.status, 200);
    assert_eq!(
        browser
            .post("/api/token/refresh", json!({"refresh_token": refresh}))
            .await
            .status,
        401
    );
    assert_eq!(browser.post("/api/logout", Value::Null).await.status, 204);
    assert_eq!(
        browser.get("/api/me").await.json()["error"]["code"],
        "invalid_token"
    );
}

#[tokio::test(start_paused = true)]
async fn guessing_one_password_locks_for_a_while() {
    let mut browser = browser(calm()).await;
    let guess = json!({"email": account(9).email, "password": "wrong"});
    for _ in 0..25 {
        assert_eq!(browser.post("/api/login", guess.clone()).await.status, 401);
    }
    assert_eq!(browser.post("/api/login", guess.clone()).await.status, 429);
    tokio::time::advance(Duration::from_secs(61)).await;
    browser.login(9).await;
}

#[tokio::test(start_paused = true)]
async fn a_forgotten_password_is_reset_with_the_link_of_the_mail() {
    let mut browser = browser(calm()).await;
    let email = account(12).email;
    let link = format!("/api/password-reset/{}?email={email}", reset_token(&email));
    assert_eq!(browser.get(&link).await.status, 404);
    assert_eq!(
        browser
            .post(
                "/api/password-reset",
                json!({"email": "nobody@mail.example"})
            )
            .await
            .status,
        404
    );
    assert_eq!(
        browser
            .post("/api/password-reset", json!({"email": email}))
            .await
            .status,
        202
    );
    assert_eq!(browser.get(&link).await.status, 200);
    assert_eq!(
        browser
            .post(&link, json!({"password": "short"}))
            .await
            .status,
        422
    );
    assert_eq!(
        browser
            .post(&link, json!({"password": "longer-than-that"}))
            .await
            .status,
        200
    );
    assert_eq!(browser.get(&link).await.status, 404);
    let login = json!({"email": email, "password": "longer-than-that"});
    assert_eq!(browser.post("/api/login", login).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn profile_graphql_and_webhook() {
    let mut browser = browser(calm()).await;
    let viewer = json!({"operationName": "Viewer", "query": "query Viewer { viewer { id } }"});
    assert_eq!(
        browser.post("/graphql", viewer.clone()).await.json()["errors"][0]["extensions"]["code"],
        "UNAUTHENTICATED"
    );
    browser.login(5).await;
    assert_eq!(
        browser.post("/graphql", viewer).await.json()["data"]["viewer"]["id"],
        5
    );
    let page = json!({"operationName": "ProductPage", "query": "query ProductPage { product }", "variables": {"id": 1_001}});
    assert_eq!(
        browser.post("/graphql", page).await.json()["data"]["product"]["id"],
        1_001
    );
    assert_eq!(browser.send("PUT", "/api/me", "{}", &[]).await.status, 422);
    let changed = browser
        .send("PUT", "/api/me", json!({"phone": "123"}).to_string(), &[])
        .await;
    assert_eq!(changed.json()["phone"], "123");
    let event = json!({"event": "payment.settled", "order": 1}).to_string();
    let signature = webhook::signature(event.as_bytes());
    let sent = [(webhook::HEADER, signature.as_str())];
    assert_eq!(
        browser
            .send("POST", "/webhooks/payment", event.clone(), &sent)
            .await
            .status,
        202
    );
    assert_eq!(
        browser
            .send("POST", "/webhooks/payment", "{}", &sent)
            .await
            .status,
        401
    );
    let huge = vec![b'x'; 65 * 1024];
    assert_eq!(
        browser.send("POST", "/api/login", huge, &[]).await.status,
        413
    );
}
