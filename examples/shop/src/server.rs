//! Connections: HTTP/1.1 and h2c, bodies capped, answers held back.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Response, header};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Body, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep};

use crate::call::Call;
use crate::reply::Reply;
use crate::state::Shop;

const BODY_BYTES_MAX: usize = 64 * 1024;
const CONNECTIONS_MAX: usize = 4_096;

/// Accepts connections until `stop` is ready; further ones wait while too many are open.
pub async fn serve(listener: TcpListener, shop: Arc<Shop>, stop: impl Future<Output = ()>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut stop = pin!(stop);
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => return,
        };
        // A failed accept is the client's loss, or passes when files are closed again.
        let Ok((stream, _)) = accepted else {
            tokio::task::yield_now().await;
            continue;
        };
        // Without it small answers wait for the client's acknowledgement; a failure only costs time.
        stream.set_nodelay(true).unwrap_or_default();
        let shop = Arc::clone(&shop);
        tokio::spawn(async move {
            serve_stream(stream, shop).await;
            drop(place);
        });
    }
}

/// Serves one connection until either side ends it.
pub async fn serve_stream<S>(stream: S, shop: Arc<Shop>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request: Request<Incoming>| {
        let answer = answer(Arc::clone(&shop), request);
        async { Ok::<_, Infallible>(answer.await) }
    });
    let builder = Builder::new(TokioExecutor::new());
    // A connection that breaks is the client's way of leaving.
    drop(
        builder
            .serve_connection(TokioIo::new(stream), service)
            .await,
    );
}

/// Answers one request, after as long as it takes.
pub async fn answer<B>(shop: Arc<Shop>, request: Request<B>) -> Response<Full<Bytes>>
where
    B: Body,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (head, body) = request.into_parts();
    let body = match Limited::new(body, BODY_BYTES_MAX).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) => {
            let reply = if error.is::<LengthLimitError>() {
                Reply::error(413, "too_large", "The body is too large.")
            } else {
                Reply::error(400, "bad_body", "The body could not be read.")
            };
            return reply.into_response();
        }
    };
    let target = head
        .uri
        .path_and_query()
        .map_or("/", |target| target.as_str());
    let bare = head.method == Method::HEAD;
    let mut timed = shop.answer(Call::new(
        head.method,
        target,
        head.headers,
        body,
        Instant::now(),
    ));
    if !timed.delay.is_zero() {
        sleep(timed.delay).await;
    }
    if bare {
        // HTTP/2 would send the body that HTTP/1.1 leaves out by itself.
        let bytes = std::mem::take(&mut timed.reply.body).len();
        let reply = timed.reply.with(header::CONTENT_LENGTH, &bytes.to_string());
        return reply.into_response();
    }
    timed.reply.into_response()
}
