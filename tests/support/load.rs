//! Many clients at once, each with a key and a connection of its own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use bytes::Bytes;
use demo::eventually;
use http::request::Builder;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use super::TIME_MAX;

/// How a client speaks to Envoy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1, connection kept alive.
    Http1,
    /// HTTP/2 without TLS, by prior knowledge.
    Http2,
}

/// What tells a client's session.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Key {
    /// `Authorization: Bearer`.
    Bearer(String),
    /// The cookie `sid`, between two others.
    Cookie(String),
    /// The header `x-api-key`.
    Header(String),
    /// The query parameter `api_key`.
    Query(String),
    /// None of these: address (by `X-Forwarded-For`) and user agent.
    Address(String, String),
}

impl Key {
    /// The rule of [`crate::PLUGIN`] that finds it.
    #[must_use]
    pub fn rule(&self) -> &'static str {
        match self {
            Self::Bearer(_) => "by_bearer",
            Self::Cookie(_) => "by_cookie",
            Self::Header(_) => "by_header",
            Self::Query(_) => "by_query",
            Self::Address(..) => "ip_user_agent",
        }
    }

    fn request(&self, path: &str) -> Builder {
        let builder = Request::builder();
        match self {
            Self::Bearer(value) => builder
                .uri(path)
                .header("authorization", format!("Bearer {value}")),
            Self::Cookie(value) => builder
                .uri(path)
                .header("cookie", format!("theme=dark; sid={value}; lang=en")),
            Self::Header(value) => builder.uri(path).header("x-api-key", value),
            Self::Query(value) => builder.uri(format!("{path}?a=1&api_key={value}&b=2")),
            Self::Address(address, agent) => builder
                .uri(path)
                .header("x-forwarded-for", address)
                .header("user-agent", agent),
        }
    }
}

/// One client: sends one request after the other.
#[derive(Debug, Clone)]
pub struct Client {
    /// Unique; part of its requests' ids.
    pub name: String,
    /// What tells its session.
    pub key: Key,
    /// How it speaks.
    pub protocol: Protocol,
    /// Path of its requests.
    pub path: &'static str,
    /// It ends after so many requests, if it is not stopped before.
    pub requests: u64,
}

/// `count` clients that go on until they are stopped, with paced answers, every second one over
/// HTTP/2; `key` says where their keys are.
pub fn clients(count: u32, key: fn(String) -> Key) -> impl Iterator<Item = Client> {
    (0..count).map(move |number| Client {
        name: format!("client-{number}"),
        key: key(format!("key-{number}")),
        protocol: if number.is_multiple_of(2) {
            Protocol::Http1
        } else {
            Protocol::Http2
        },
        path: "/paced",
        requests: u64::MAX,
    })
}

/// Waits until `more` requests were answered than now.
pub async fn answered(load: &Load, more: u64) {
    let start = load.answered();
    eventually("requests are answered", TIME_MAX, async || {
        (load.answered() >= start + more).then_some(())
    })
    .await
    .unwrap();
}

/// One request of a client.
#[derive(Debug, Clone)]
pub struct Sent {
    /// `x-request-id`.
    pub request_id: String,
    /// What tells its session.
    pub key: Key,
    /// The answer; none when the connection broke, after which the client ends.
    pub status: Option<StatusCode>,
}

/// Clients that are under way.
#[derive(Debug)]
pub struct Load {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicU64>,
    clients: Vec<JoinHandle<Vec<Sent>>>,
}

impl Load {
    /// Starts all clients against Envoy.
    pub fn start(ingress: SocketAddr, clients: impl IntoIterator<Item = Client>) -> Self {
        let (stop, answered) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(AtomicU64::new(0)),
        );
        let start = |client| {
            let (stop, answered) = (Arc::clone(&stop), Arc::clone(&answered));
            tokio::spawn(run(ingress, client, stop, answered))
        };
        let clients = clients.into_iter().map(start).collect();
        Self {
            stop,
            answered,
            clients,
        }
    }

    /// Requests answered so far.
    #[must_use]
    pub fn answered(&self) -> u64 {
        self.answered.load(Ordering::Relaxed)
    }

    /// Lets every client finish its current request.
    pub async fn stop(self) -> Vec<Sent> {
        self.stop.store(true, Ordering::Relaxed);
        self.finish().await
    }

    /// Waits until every client has sent all of its requests.
    pub async fn finish(self) -> Vec<Sent> {
        let mut all = Vec::new();
        for client in self.clients {
            all.extend(client.await.unwrap());
        }
        all
    }
}

enum Connection {
    Http1(hyper::client::conn::http1::SendRequest<Empty<Bytes>>),
    Http2(hyper::client::conn::http2::SendRequest<Empty<Bytes>>),
}

impl Connection {
    async fn open(ingress: SocketAddr, protocol: Protocol) -> hyper::Result<Self> {
        let stream = TcpStream::connect(ingress).await.unwrap();
        stream.set_nodelay(true).unwrap();
        match protocol {
            Protocol::Http1 => {
                let (sender, connection) =
                    hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
                tokio::spawn(connection);
                Ok(Self::Http1(sender))
            }
            Protocol::Http2 => {
                let executor = TokioExecutor::new();
                let (sender, connection) =
                    hyper::client::conn::http2::handshake(executor, TokioIo::new(stream)).await?;
                tokio::spawn(connection);
                Ok(Self::Http2(sender))
            }
        }
    }

    async fn send(&mut self, request: Request<Empty<Bytes>>) -> hyper::Result<StatusCode> {
        let response: http::Response<Incoming> = match self {
            Self::Http1(sender) => {
                sender.ready().await?;
                sender.send_request(request).await?
            }
            Self::Http2(sender) => {
                sender.ready().await?;
                sender.send_request(request).await?
            }
        };
        let status = response.status();
        response.into_body().collect().await?;
        Ok(status)
    }
}

async fn run(
    ingress: SocketAddr,
    client: Client,
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicU64>,
) -> Vec<Sent> {
    let mut sent = Vec::new();
    let mut connection = Connection::open(ingress, client.protocol).await.unwrap();
    for number in 0..client.requests {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let request_id = format!("{}-{number}", client.name);
        let request = match client.protocol {
            Protocol::Http1 => client
                .key
                .request(client.path)
                .header("host", "shop.example"),
            // HTTP/2 has `:authority` instead, which comes out of an absolute URI.
            Protocol::Http2 => {
                let absolute = format!("http://shop.example{}", client.path);
                client.key.request(&absolute).version(http::Version::HTTP_2)
            }
        };
        let request = request
            .header("x-request-id", &request_id)
            .body(Empty::new())
            .unwrap();
        let status = connection.send(request).await.ok();
        sent.push(Sent {
            request_id,
            key: client.key.clone(),
            status,
        });
        if status.is_none() {
            break;
        }
        answered.fetch_add(1, Ordering::Relaxed);
    }
    sent
}
