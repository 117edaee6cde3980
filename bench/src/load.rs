//! A fixed number of requests over a few kept-alive connections, and a server that swallows.

use std::net::SocketAddr;

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};

/// Requests before another client takes its turn: session values change as often.
const REQUESTS_PER_CLIENT: u32 = 10;

/// More than there are connections, so that no two have the same client at once.
const CLIENTS_APART: u32 = 16;

/// The headers of a browser, 13 with `host`; digits of the session's values are the client's.
const HEADERS: [(&str, &str); 12] = [
    ("accept", "application/json, text/plain, */*"),
    ("accept-encoding", "gzip, deflate, br, zstd"),
    ("accept-language", "en-GB,en;q=0.9,nl;q=0.8"),
    ("authorization", "Bearer 0f8fad5bd9cb469f0000708677289501"),
    ("cache-control", "no-cache"),
    (
        "cookie",
        "sid=7c9e66797425440d0000be07fc1f90ae; theme=dark; consent=1",
    ),
    ("referer", "https://shop.example/products?page=2"),
    ("sec-fetch-dest", "empty"),
    ("sec-fetch-mode", "cors"),
    ("sec-fetch-site", "same-origin"),
    (
        "user-agent",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/154.0.0.0 Safari/537.36",
    ),
    ("x-device", "a81bc81bdead4e5dabff90865d1e13b1"),
];

/// What is asked: headers as [`HEADERS`] unless named here, and a body or none.
pub(crate) struct Shape {
    pub(crate) name: &'static str,
    pub(crate) method: http::Method,
    /// What the path begins with; the request's number and a query follow.
    pub(crate) path: &'static str,
    pub(crate) headers: &'static [(&'static str, &'static str)],
    pub(crate) body: Bytes,
}

impl Shape {
    /// A browser that looks at a product.
    pub(crate) const PLAIN: Self = Self {
        name: "plain",
        method: http::Method::GET,
        path: "/api/products/",
        headers: &[],
        body: Bytes::new(),
    };

    fn request(&self, number: u32, client: u32) -> http::Result<http::Request<Full<Bytes>>> {
        let path = format!("{}{number}?page=2&sort=price", self.path);
        let mut request = http::Request::builder()
            .method(&self.method)
            .uri(path)
            .header("host", "shop.example");
        let own = |name: &str| self.headers.iter().any(|(own, _)| *own == name);
        let usual = HEADERS.iter().filter(|(name, _)| !own(name));
        for (name, value) in usual.chain(self.headers) {
            request = match *name {
                "authorization" | "cookie" => request.header(*name, of_client(value, client)),
                _ => request.header(*name, *value),
            };
        }
        request.body(Full::new(self.body.clone()))
    }
}

/// The same value with other digits in it for each client, and of the same length.
fn of_client(value: &str, client: u32) -> String {
    value.replacen("0000", &format!("{:04x}", client & 0xffff), 1)
}

/// Sends `requests` requests to `address`; every one must be answered with 200.
pub(crate) async fn send(
    address: SocketAddr,
    shape: &'static Shape,
    requests: u32,
    connections: u32,
) -> anyhow::Result<()> {
    let mut clients = tokio::task::JoinSet::new();
    for connection in 0..connections {
        clients.spawn(one_connection(
            address,
            shape,
            connection,
            requests / connections,
        ));
    }
    while let Some(client) = clients.join_next().await {
        client??;
    }
    Ok(())
}

async fn one_connection(
    address: SocketAddr,
    shape: &Shape,
    connection: u32,
    requests: u32,
) -> anyhow::Result<()> {
    let stream = TcpStream::connect(address)
        .await
        .context("connecting to Envoy")?;
    stream.set_nodelay(true)?;
    let (mut sender, driver) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(driver);
    for number in 0..requests {
        let client = (number / REQUESTS_PER_CLIENT)
            .wrapping_mul(CLIENTS_APART)
            .wrapping_add(connection);
        let response = sender.send_request(shape.request(number, client)?).await?;
        ensure!(response.status() == 200, "status {}", response.status());
        response.into_body().collect().await?;
    }
    Ok(())
}

/// Acknowledges every batch and forgets it: a filter that hears nothing would send again and again.
pub(crate) async fn swallow() -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let service = service_fn(|request: http::Request<hyper::body::Incoming>| async {
                let batch = request.into_body().collect().await?.to_bytes();
                let reply = Full::new(Bytes::from(reply(&batch)));
                Ok::<_, hyper::Error>(http::Response::new(reply))
            });
            let connection = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service);
            tokio::spawn(connection);
        }
    });
    Ok(address)
}

/// To the batch whose header is the first line; a heartbeat has no sequence.
fn reply(batch: &[u8]) -> String {
    let header = batch.split(|byte| *byte == b'\n').next();
    let header: Option<Value> = header.and_then(|line| serde_json::from_slice(line).ok());
    let sequence = header.and_then(|header| header.get("sequence")?.as_u64());
    json!({"acknowledged": sequence, "duplicate": false}).to_string()
}

#[cfg(test)]
mod tests {
    use super::reply;

    #[test]
    fn acknowledges_a_batch_and_answers_a_heartbeat() {
        let heartbeat = r#"{"acknowledged":null,"duplicate":false}"#;
        for (batch, expected) in [
            (
                &b"{\"sequence\":7}\n{\"index\":0}\n"[..],
                r#"{"acknowledged":7,"duplicate":false}"#,
            ),
            (b"{\"seen\":1}", heartbeat),
            (b"", heartbeat),
        ] {
            assert_eq!(reply(batch), expected);
        }
    }
}
