//! A fixed number of requests over a few kept-alive connections, and a server that swallows.

use std::net::SocketAddr;

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty, Full};
use hyper::client::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

/// The headers of a browser, 13 with `host`.
const HEADERS: [(&str, &str); 12] = [
    ("accept", "application/json, text/plain, */*"),
    ("accept-encoding", "gzip, deflate, br, zstd"),
    ("accept-language", "en-GB,en;q=0.9,nl;q=0.8"),
    ("authorization", "Bearer 0f8fad5bd9cb469fa165708677289501"),
    ("cache-control", "no-cache"),
    (
        "cookie",
        "sid=7c9e66797425440de944be07fc1f90ae; theme=dark; consent=1",
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

/// Sends `requests` requests to `address`; every one must be answered with 200.
pub(crate) async fn send(
    address: SocketAddr,
    requests: u32,
    connections: u32,
) -> anyhow::Result<()> {
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..connections {
        clients.spawn(one_connection(address, requests / connections));
    }
    while let Some(client) = clients.join_next().await {
        client??;
    }
    Ok(())
}

async fn one_connection(address: SocketAddr, requests: u32) -> anyhow::Result<()> {
    let stream = TcpStream::connect(address)
        .await
        .context("connecting to Envoy")?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    for number in 0..requests {
        let mut request = http::Request::get(format!("/api/products/{number}?page=2&sort=price"))
            .header("host", "shop.example");
        for (name, value) in HEADERS {
            request = request.header(name, value);
        }
        let response = sender
            .send_request(request.body(Empty::<Bytes>::new())?)
            .await?;
        ensure!(response.status() == 200, "status {}", response.status());
        response.into_body().collect().await?;
    }
    Ok(())
}

/// Answers everything with 200 and an empty JSON object, reading bodies to their end.
pub(crate) async fn swallow() -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let service = service_fn(|request: http::Request<hyper::body::Incoming>| async {
                request.into_body().collect().await?;
                Ok::<_, hyper::Error>(http::Response::new(Full::new(Bytes::from_static(b"{}"))))
            });
            let connection = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service);
            tokio::spawn(connection);
        }
    });
    Ok(address)
}
