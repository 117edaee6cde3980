//! Envoy's own counters beside the filter's books, read from an admin interface that is played.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use throughline::envoy_admin::watch;
use tokio::net::TcpListener;

use crate::common::{Batch, Setup, TestService, line, until};

/// An admin interface: boot (0: down), handled, active, seen.
#[derive(Default)]
struct Admin {
    boot: AtomicU64,
    handled: AtomicU64,
    active: AtomicU64,
    seen: AtomicU64,
}

impl Admin {
    fn set(&self, boot: u64, [handled, active, seen]: [u64; 3]) {
        self.handled.store(handled, Ordering::SeqCst);
        self.active.store(active, Ordering::SeqCst);
        self.seen.store(seen, Ordering::SeqCst);
        self.boot.store(boot, Ordering::SeqCst);
    }

    fn answer(&self, path: &str) -> Response<Full<Bytes>> {
        let get = |figure: &AtomicU64| figure.load(Ordering::SeqCst);
        let boot = get(&self.boot);
        let stat = |name: &str, value: u64| json!({"name": name, "value": value});
        let body = match path {
            _ if boot == 0 => Value::Null,
            "/stats" => json!({"stats": [
                stat("http.admin.downstream_rq_total", 99),
                stat("http.ingress.downstream_rq_total", get(&self.handled)),
                stat("http.ingress.downstream_rq_active", get(&self.active)),
                stat(&format!("wasmcustom.throughline.boot.{boot:016x}"), 1),
                stat("wasmcustom.throughline.seen", get(&self.seen)),
                {"histograms": {}},
            ]}),
            "/server_info" => json!({"version": "1.40.0", "node": {"id": "envoy-1"}}),
            _ => Value::Null,
        };
        let mut response = Response::new(Full::from(body.to_string()));
        if body.is_null() {
            *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        }
        response
    }

    async fn serve(self: Arc<Self>, listener: TcpListener) {
        while let Ok((stream, _)) = listener.accept().await {
            let admin = Arc::clone(&self);
            let service = service_fn(move |request: Request<hyper::body::Incoming>| {
                let answer = admin.answer(request.uri().path());
                async move { Ok::<_, Infallible>(answer) }
            });
            let http = hyper::server::conn::http1::Builder::new();
            tokio::spawn(http.serve_connection(TokioIo::new(stream), service));
        }
    }
}

async fn start() -> (TestService, tempfile::TempDir, Arc<Admin>, Vec<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let admin = Arc::new(Admin::default());
    tokio::spawn(Arc::clone(&admin).serve(listener));
    let flags = vec!["--envoy-admin".to_owned(), url];
    let (service, folder) = Setup {
        flags: flags.clone(),
        ..Setup::default()
    }
    .temporary();
    watch_all(&service);
    (service, folder, admin, flags)
}

fn watch_all(service: &TestService) {
    for target in &service.options.envoy_admin {
        let envoys = Arc::clone(&service.app().envoys);
        tokio::spawn(watch(target.clone(), envoys, service.clock.clone()));
    }
}

async fn envoy(service: &TestService, index: usize) -> Value {
    service.get("/v1/status").await.json()["envoys"][index].clone()
}

#[tokio::test]
async fn what_no_filter_saw_is_bypassed() {
    let (service, _folder, admin, _) = start().await;
    admin.set(0xff, [100, 2, 95]);
    service
        .send(Batch::new(0).record(line(1, 0)).seen(95))
        .await;
    service.stored().await;
    until("read", async || {
        envoy(&service, 0).await["reachable"] == true
    })
    .await;
    let mut read = envoy(&service, 0).await;
    read["admin"] = "[url]".into();
    insta::assert_json_snapshot!(read);
    assert_eq!(
        service.get("/v1/status").await.json()["totals"]["bypassed"],
        3
    );
    service.close();
}

#[tokio::test]
async fn what_a_dead_envoy_saw_last_is_unknown_and_not_zero() {
    let (service, folder, admin, flags) = start().await;
    admin.set(0xff, [60, 0, 50]);
    service
        .send(Batch::new(0).record(line(1, 0)).seen(40))
        .await;
    service.stored().await;
    until("read", async || envoy(&service, 0).await["seen"] == 50).await;
    admin.set(0, [0, 0, 0]);
    until("down", async || {
        envoy(&service, 0).await["reachable"] == false
    })
    .await;
    assert_eq!(
        envoy(&service, 0).await["unknown"],
        Value::Null,
        "its worker may still live"
    );
    service.clock.advance(16_000_000);
    let unknown = json!({"since": "2026-01-01T01:00:00.000000Z", "at_least": 10});
    assert_eq!(envoy(&service, 0).await["unknown"], unknown);
    let status = service.get("/v1/status").await.json();
    assert_eq!(status["workers"][0]["unknown"], unknown);
    assert_eq!(status["workers"][0]["lost"], 39);
    assert_eq!(
        status["totals"]["unknown"],
        json!({"workers": 1, "at_least": 10})
    );

    // Another run in its place does not hide it, and neither does our own restart.
    admin.set(0xaa, [5, 0, 5]);
    until("replaced", async || {
        envoy(&service, 1).await["gone"] == true
    })
    .await;
    assert_eq!(envoy(&service, 0).await["boot"], "00000000000000aa");
    assert_eq!(envoy(&service, 1).await["unknown"]["at_least"], 10);
    let kept = "SELECT count(*) FROM envoys";
    until("kept", async || service.sql::<i64>(kept) == 2).await;
    service.close();
    let service = Setup {
        flags,
        ..Setup::default()
    }
    .open(folder.path())
    .unwrap();
    service.clock.advance(60_000_000);
    let status = service.get("/v1/status").await.json();
    assert_eq!(status["totals"]["unknown"]["at_least"], 10, "{status}");
    service.close();
}
