//! One request on a connection of its own.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

/// Status and body of an answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Response status.
    pub status: StatusCode,
    /// Response body.
    pub body: Bytes,
}

/// Sends `request` over HTTP/1.1; its URI is the path, and it names its own host.
pub async fn exchange(ingress: SocketAddr, request: Request<Full<Bytes>>) -> Answer {
    let response = open(ingress, request).await;
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    Answer { status, body }
}

/// `GET path` with an `x-request-id`.
pub async fn get(ingress: SocketAddr, path: &str, request_id: &str) -> Answer {
    let request = Request::get(path)
        .header("host", "shop.example")
        .header("user-agent", "stories")
        .header("x-request-id", request_id);
    exchange(ingress, request.body(Full::default()).unwrap()).await
}

/// Sends `request`, waits for the first bytes of the body, and closes the connection.
pub async fn leave(ingress: SocketAddr, request: Request<Full<Bytes>>) {
    let mut response = open(ingress, request).await;
    response.body_mut().frame().await.unwrap().unwrap();
}

/// Sends `request` over HTTP/2, its URI absolute; no status when Envoy resets the stream.
pub async fn exchange_http2(
    ingress: SocketAddr,
    request: Request<Full<Bytes>>,
) -> Option<StatusCode> {
    let stream = TcpStream::connect(ingress).await.unwrap();
    let (mut sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
        .await
        .unwrap();
    tokio::spawn(connection);
    let response: Response<Incoming> = sender.send_request(request).await.ok()?;
    Some(response.status())
}

async fn open(ingress: SocketAddr, request: Request<Full<Bytes>>) -> Response<Incoming> {
    let stream = TcpStream::connect(ingress).await.unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender.send_request(request).await.unwrap()
}
