//! The API behind Envoy in the stories: does what the path says.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::{Request, Response, StatusCode, header};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// What one exchange of `/paced` takes: keeps a load at a rate that two cores can carry.
const PACE: Duration = Duration::from_millis(4);

/// - `/status/503` answers with that status
/// - `/bytes/1000` answers with so many bytes
/// - `/paced` answers after 4 ms
/// - `/late/500` answers after so many milliseconds
/// - `/endless` sends the headers, one chunk, and then nothing more
/// - `/echo` answers with the body that it was sent, its type and its encoding
/// - all else is answered with 200 and a short text
///
/// Request bodies are read to their end. Dropping it closes listener and connections.
#[derive(Debug)]
pub struct Upstream {
    /// Where it listens.
    pub address: SocketAddr,
    task: tokio::task::JoinHandle<()>,
}

impl Upstream {
    /// Starts to listen.
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", demo::free_port().unwrap()))
            .await
            .unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let connection = hyper::server::conn::http1::Builder::new()
                    .max_buf_size(512 * 1024)
                    .serve_connection(TokioIo::new(stream), service_fn(answer));
                connections.spawn(connection);
                while connections.try_join_next().is_some() {}
            }
        });
        Self { address, task }
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

type Body = BoxBody<Bytes, Infallible>;

async fn answer(request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    let path = request.uri().path().to_owned();
    // A client that goes away in the middle of its body is one of the stories.
    let (asked, body) = request.into_parts();
    let body = body.collect().await.map(|body| body.to_bytes());
    let mut response = Response::new(text("ok\n"));
    let mut words = path.trim_start_matches('/').split('/');
    match (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    ) {
        ("status", status) => {
            *response.status_mut() = StatusCode::from_bytes(status.as_bytes()).unwrap();
        }
        ("bytes", count) => *response.body_mut() = text("x".repeat(count.parse().unwrap())),
        ("paced", _) => tokio::time::sleep(PACE).await,
        ("late", ms) => tokio::time::sleep(Duration::from_millis(ms.parse().unwrap())).await,
        ("echo", _) => {
            for name in [header::CONTENT_TYPE, header::CONTENT_ENCODING] {
                if let Some(value) = asked.headers.get(&name) {
                    response.headers_mut().insert(name, value.clone());
                }
            }
            *response.body_mut() = text(body.unwrap_or_default());
        }
        ("endless", _) => *response.body_mut() = endless(),
        _ => {}
    }
    Ok(response)
}

fn text(text: impl Into<Bytes>) -> Body {
    Full::new(text.into()).boxed()
}

fn endless() -> Body {
    let start = stream::iter([Ok(Frame::data(Bytes::from_static(b"and so on\n")))]);
    BodyExt::boxed(StreamBody::new(start.chain(stream::pending())))
}
