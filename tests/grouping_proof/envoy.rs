//! The recorded requests through Envoy, the recorded answers behind it.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::join_all;
use grouping::record::Recording;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use stage::play::{Answered, Asked, Passing};
use throughline_session::headers::HeaderBlock;
use tokio::net::{TcpListener, TcpStream};

/// Connections side by side.
const LANES: usize = 8;

/// One exchange, as it was recorded.
pub(super) struct Exchange {
    asked: Asked,
    answered: Answered,
}

/// Requests with their answers, in the order of the requests.
pub(super) fn exchanges(recordings: &[Recording]) -> Vec<Exchange> {
    let mut all = Vec::new();
    for recording in recordings {
        let mut answers = HashMap::new();
        for passing in &recording.passing {
            if let Passing::Response(answered) = passing {
                answers.insert(answered.exchange, answered.clone());
            }
        }
        for passing in &recording.passing {
            if let Passing::Request(asked) = passing {
                let answered = answers.remove(&asked.exchange).unwrap();
                let asked = asked.clone();
                all.push(Exchange { asked, answered });
            }
        }
    }
    all
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// Without pseudo-headers and what the connection sets by itself.
fn plain(headers: &HeaderBlock) -> impl Iterator<Item = (&str, &[u8])> {
    let all = headers.iter().map(|(name, value)| (text(name), value));
    all.filter(|(name, _)| !name.starts_with(':') && *name != "content-length")
}

impl Exchange {
    fn id(&self) -> &str {
        text(self.asked.headers.get(b"x-request-id").unwrap())
    }

    fn request(&self) -> Request<Full<Bytes>> {
        let of = |name: &[u8]| text(self.asked.headers.get(name).unwrap());
        let mut request = Request::builder()
            .method(of(b":method"))
            .uri(of(b":path"))
            .header("host", of(b":authority"));
        for (name, value) in plain(&self.asked.headers) {
            request = request.header(name, value);
        }
        request.body(Full::new(self.asked.body.clone())).unwrap()
    }

    fn response(&self) -> Response<Full<Bytes>> {
        let status = text(self.answered.headers.get(b":status").unwrap());
        let mut response = Response::builder().status(status);
        for (name, value) in plain(&self.answered.headers) {
            response = response.header(name, value);
        }
        response
            .body(Full::new(self.answered.body.clone()))
            .unwrap()
    }
}

/// A server that gives each request the answer that was recorded for its id.
pub(super) async fn answering(exchanges: Arc<Vec<Exchange>>) -> SocketAddr {
    let places = exchanges.iter().enumerate();
    let places: HashMap<String, usize> = places
        .map(|(place, it)| (it.id().to_owned(), place))
        .collect();
    let places = Arc::new(places);
    let listener = TcpListener::bind(("127.0.0.1", demo::free_port().unwrap())).await;
    let listener = listener.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let (exchanges, places) = (Arc::clone(&exchanges), Arc::clone(&places));
            let service = service_fn(move |request: Request<Incoming>| {
                let id = request.headers().get("x-request-id").cloned();
                let place = id.and_then(|id| places.get(id.to_str().ok()?).copied());
                let exchanges = Arc::clone(&exchanges);
                async move {
                    drop(request.into_body().collect().await);
                    let response = place.map(|place| exchanges[place].response());
                    Ok::<_, Infallible>(response.unwrap_or_else(|| {
                        let mut unknown = Response::new(Full::default());
                        *unknown.status_mut() = StatusCode::NOT_IMPLEMENTED;
                        unknown
                    }))
                }
            });
            tokio::spawn(
                hyper::server::conn::http1::Builder::new()
                    .max_buf_size(512 * 1024)
                    .serve_connection(TokioIo::new(stream), service),
            );
        }
    });
    address
}

/// Sends everything; fails when an answer is not the recorded one.
pub(super) async fn send(exchanges: &Arc<Vec<Exchange>>, ingress: SocketAddr) {
    let lanes = (0..LANES).map(|lane| {
        let exchanges = Arc::clone(exchanges);
        async move {
            let stream = TcpStream::connect(ingress).await.unwrap();
            stream.set_nodelay(true).unwrap();
            let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
            let connection = tokio::spawn(connection);
            for exchange in exchanges.iter().skip(lane).step_by(LANES) {
                sender.ready().await.unwrap();
                let response = sender.send_request(exchange.request()).await.unwrap();
                let status = text(exchange.answered.headers.get(b":status").unwrap());
                assert_eq!(response.status().as_str(), status, "{}", exchange.id());
                response.into_body().collect().await.unwrap();
            }
            drop(sender);
            connection.await.unwrap().unwrap();
        }
    });
    join_all(lanes).await;
}
