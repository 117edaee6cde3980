//! socket → request: accepts connections, HTTP/1.1 and HTTP/2, and lets them finish at the end.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderName, HeaderValue, Request};
use hyper::body::Incoming;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use warp::filters::BoxedFilter;
use warp::reply::Response;

/// Connections at a time; more of them wait in the system's queue.
const CONNECTIONS_MAX: usize = 4096;
/// A request's head must be complete after this long.
const HEAD_TIME: Duration = Duration::from_secs(15);
/// Requests that run when the process is asked to end may take this long to finish.
const GRACE: Duration = Duration::from_secs(10);

const HEADERS: [(HeaderName, HeaderValue); 4] = [
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"),
    ),
];

/// Serves `routes` until `end` resolves, and then until every request is answered.
pub(crate) async fn run(
    listener: TcpListener,
    routes: BoxedFilter<(Response,)>,
    end: impl Future<Output = ()>,
) {
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut end = std::pin::pin!(end);
    loop {
        let accept = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            both = accept => both,
            () = &mut end => break,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Out of file descriptors, mostly: without a pause this would spin.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let connection = connection(stream, routes.clone(), graceful.watcher());
        drop(tokio::spawn(async move {
            connection.await;
            drop(place);
        }));
    }
    drop(listener);
    if tokio::time::timeout(GRACE, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("some requests did not finish in time");
    }
}

async fn connection(
    stream: TcpStream,
    routes: BoxedFilter<(Response,)>,
    watcher: hyper_util::server::graceful::Watcher,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY");
    }
    let routes = TowerToHyperService::new(warp::service(routes));
    let service = service_fn(move |request: Request<Incoming>| {
        let answer = routes.call(request);
        async move {
            let mut response = answer.await?;
            for (name, value) in &HEADERS {
                response.headers_mut().insert(name, value.clone());
            }
            Ok::<_, Infallible>(response)
        }
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(256);
    let serving = builder
        .serve_connection(TokioIo::new(stream), service)
        .into_owned();
    if let Err(error) = watcher.watch(serving).await {
        tracing::debug!(error, "a connection broke off");
    }
}
