//! A service in this process, with a clock of its own, asked without a socket.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use clap::Parser;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use serde_json::Value;
use tempfile::TempDir;
use throughline::api::routes;
use throughline::clock::{Clock, Fixed};
use throughline::config::ServeOptions;
use throughline::log::{Disk, Folder};
use throughline::serve::Service;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use super::{ADMIN_TOKEN, Batch, INGEST_TOKEN, READ_TOKEN, SESSION_SECRET, START_US, until};

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    serve: ServeOptions,
}

/// How a service is to be.
#[derive(Default)]
pub(crate) struct Setup {
    pub(crate) flags: Vec<String>,
    pub(crate) read_token: bool,
    pub(crate) no_admin_token: bool,
    pub(crate) disk: Option<Box<dyn Disk>>,
}

impl Setup {
    pub(crate) fn flags(flags: &[&str]) -> Self {
        Self {
            flags: flags.iter().map(ToString::to_string).collect(),
            ..Self::default()
        }
    }

    /// Opens the data in `folder`; the clock starts an hour after [`START_US`].
    pub(crate) fn open(self, folder: &Path) -> anyhow::Result<TestService> {
        let data = folder.to_str().unwrap().to_owned();
        let flags = ["throughline".to_owned(), "--data".to_owned(), data].into_iter();
        let development = (!self.read_token).then(|| "--development".to_owned());
        let flags = flags.chain(development).chain(self.flags);
        let options = Line::parse_from(flags).serve;
        let read = self.read_token.then(|| READ_TOKEN.to_owned());
        let admin = (!self.no_admin_token).then(|| ADMIN_TOKEN.to_owned());
        let tokens = options.check(|name| match name {
            "THROUGHLINE_INGEST_TOKEN" => Some(INGEST_TOKEN.into()),
            "THROUGHLINE_ADMIN_TOKEN" => admin.clone(),
            "THROUGHLINE_SESSION_SECRET" => Some(SESSION_SECRET.into()),
            _ => read.clone(),
        })?;
        let clock = Arc::new(Fixed::at(START_US + 3_600_000_000));
        let disk = self
            .disk
            .unwrap_or_else(|| Box::new(Folder(folder.join("log"))));
        let service =
            Service::open_on(&options, tokens, Arc::clone(&clock) as Arc<dyn Clock>, disk)?;
        let routes = routes(&service.app);
        Ok(TestService {
            service: Some(service),
            routes,
            clock,
            options,
        })
    }

    /// Opens a new, temporary folder.
    pub(crate) fn temporary(self) -> (TestService, TempDir) {
        let folder = tempfile::tempdir().unwrap();
        (self.open(folder.path()).unwrap(), folder)
    }
}

/// A service in this process.
pub(crate) struct TestService {
    service: Option<Service>,
    routes: BoxedFilter<(Response,)>,
    pub(crate) clock: Arc<Fixed>,
    pub(crate) options: ServeOptions,
}

/// What the service answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

impl TestService {
    pub(crate) fn app(&self) -> &throughline::api::App {
        &self.service.as_ref().unwrap().app
    }

    /// Has these servers asked whether crawlers are who they say.
    pub(crate) fn verify_crawlers(&mut self, servers: &[std::net::SocketAddr]) {
        self.service.as_mut().unwrap().verify_crawlers(servers);
    }

    pub(crate) async fn ask(&self, request: Request<Full<Bytes>>) -> Answer {
        let service = TowerToHyperService::new(warp::service(self.routes.clone()));
        let response = service.call(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let text = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8(text.to_vec()).unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            text,
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        let request = Request::get(path).body(Full::default()).unwrap();
        self.ask(request).await
    }

    /// Changes something about the policy.
    pub(crate) async fn change(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {ADMIN_TOKEN}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.ask(request.body(Full::new(body.into())).unwrap())
            .await
    }

    /// Makes a policy the active one; detection and the store know it then.
    pub(crate) async fn put_policy(&self, policy: &Value) {
        until("detection has caught up", async || {
            self.app().detection.get().caught_up
        })
        .await;
        let answer = self
            .change(
                Method::PUT,
                "/v1/policy",
                &[("if-match", "*")],
                policy.to_string(),
            )
            .await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    }

    /// What filters are told.
    pub(crate) async fn live(&self) -> Answer {
        let request = Request::get("/v1/policy/live")
            .header("authorization", format!("Bearer {INGEST_TOKEN}"))
            .body(Full::default())
            .unwrap();
        self.ask(request).await
    }

    pub(crate) async fn post(&self, body: impl Into<Bytes>) -> Answer {
        let request = Request::builder()
            .method(Method::POST)
            .uri("/v1/ingest")
            .header("authorization", format!("Bearer {INGEST_TOKEN}"))
            .body(Full::new(body.into()))
            .unwrap();
        self.ask(request).await
    }

    /// Sends a batch that must be taken.
    pub(crate) async fn send(&self, batch: Batch) -> Value {
        let answer = self.post(batch.body()).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        answer.json()
    }

    /// Waits until everything acknowledged is in the database, and lists see it.
    pub(crate) async fn stored(&self) {
        let app = self.app();
        until("everything is stored", async || {
            let end = app.log.state().end;
            app.health.position() == end && app.health.summed() == end
        })
        .await;
    }

    /// Waits until everything acknowledged was judged too, and the verdicts are in the database.
    pub(crate) async fn judged(&self) {
        self.stored().await;
        until("everything is judged", async || {
            let app = self.app();
            let standing = app.detection.get();
            let told = standing.sessions > 0 && standing.told == standing.position;
            told && standing.position == app.log.state().end && app.outbox.standing().0 == 0
        })
        .await;
    }

    /// The first column of the first row of `sql`.
    pub(crate) fn sql<T: duckdb::types::FromSql>(&self, sql: &str) -> T {
        let reading = self.app().database.read().unwrap();
        reading
            .connection
            .query_row(sql, [], |row| row.get(0))
            .unwrap()
    }

    /// Ends cleanly, with everything stored.
    pub(crate) fn close(mut self) {
        assert!(self.service.take().unwrap().close());
    }

    /// Ends although the database cannot be written.
    pub(crate) fn give_up(mut self) {
        assert!(!self.service.take().unwrap().close());
    }
}
