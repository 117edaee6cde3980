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
use tokio::sync::{Notify, Semaphore};
use warp::filters::BoxedFilter;
use warp::reply::Response;

/// Connections at a time; more of them wait in the system's queue.
const CONNECTIONS_MAX: usize = 4096;
/// A request's head must be complete after this long, and a connection's first one begin.
const HEAD_TIME: Duration = Duration::from_secs(15);
/// A silent HTTP/2 peer is asked after this long whether it is still there, and may take as long
/// to answer.
const PING_TIME: Duration = Duration::from_secs(20);
/// Requests that run when the process is asked to end may take this long to finish.
const GRACE: Duration = Duration::from_secs(10);

/// Where an answer does not say otherwise.
const HEADERS: [(HeaderName, HeaderValue); 4] = [
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"),
    ),
];

/// Lets this process open as many files as the system allows: the usual 1,024 are fewer than
/// [`CONNECTIONS_MAX`], and whoever holds a thousand connections would keep the filters out.
pub(crate) fn allow_descriptors() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let most = Rlimit {
        current: limit.maximum,
        ..limit
    };
    if let Err(error) = setrlimit(Resource::Nofile, most) {
        tracing::warn!(%error, open = limit.current, "no more files can be open than usual");
    }
}

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
        let connection = connection(stream, routes.clone(), graceful.watcher(), HEAD_TIME);
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
    head_time: Duration,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY");
    }
    let routes = TowerToHyperService::new(warp::service(routes));
    let asked = Arc::new(Notify::new());
    let asking = Arc::clone(&asked);
    let service = service_fn(move |request: Request<Incoming>| {
        asking.notify_one();
        let answer = routes.call(request);
        async move {
            let mut response = answer.await?;
            for (name, value) in &HEADERS {
                let headers = response.headers_mut();
                headers.entry(name).or_insert_with(|| value.clone());
            }
            Ok::<_, Infallible>(response)
        }
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(head_time);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING_TIME)
        .keep_alive_timeout(PING_TIME)
        .max_concurrent_streams(256);
    let serving = builder
        .serve_connection(TokioIo::new(stream), service)
        .into_owned();
    // Until the version is known no timer of hyper's runs, and none at all before the first
    // HTTP/2 request.
    let silent = async {
        if tokio::time::timeout(head_time, asked.notified())
            .await
            .is_ok()
        {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        served = watcher.watch(serving) => if let Err(error) = served {
            tracing::debug!(error, "a connection broke off");
        },
        () = silent => tracing::debug!("a connection on which nothing was asked is closed"),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::StatusCode;
    use http_body_util::Empty;
    use hyper::client::conn::http2;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::time::timeout;
    use warp::{Filter as _, Reply as _};

    use super::*;

    const HEAD_TIME: Duration = Duration::from_millis(200);
    const TIME_MAX: Duration = Duration::from_secs(20);

    async fn connected() -> TcpStream {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        let routes = warp::any().map(|| warp::reply().into_response()).boxed();
        drop(tokio::spawn(async move {
            // Dropped early it would ask the connection to end.
            let graceful = GracefulShutdown::new();
            connection(stream, routes, graceful.watcher(), HEAD_TIME).await;
        }));
        client
    }

    #[tokio::test]
    async fn a_connection_that_asks_nothing_is_closed() {
        let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
        // An empty SETTINGS frame makes the preface whole: still nothing is asked.
        let settings = [preface.as_slice(), &[0, 0, 0, 4, 0, 0, 0, 0, 0]].concat();
        for said in [&b""[..], b"P", &preface[..10], preface, &settings, b"GET /"] {
            let mut client = connected().await;
            client.write_all(said).await.unwrap();
            let mut answer = Vec::new();
            let ended = timeout(TIME_MAX, client.read_to_end(&mut answer)).await;
            assert!(ended.is_ok(), "still open after {said:?}");
        }
    }

    #[tokio::test]
    async fn one_that_has_asked_may_pause() {
        let stream = TokioIo::new(connected().await);
        let (mut client, serving) = http2::handshake(TokioExecutor::new(), stream)
            .await
            .unwrap();
        drop(tokio::spawn(serving));
        for _ in 0..2 {
            let request = Request::get("http://here/").body(Empty::<Bytes>::new());
            let answer = client.send_request(request.unwrap()).await.unwrap();
            assert_eq!(answer.status(), StatusCode::OK);
            tokio::time::sleep(HEAD_TIME * 2).await;
        }
    }
}
