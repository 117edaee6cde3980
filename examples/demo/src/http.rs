//! A small HTTP client for the aggregator's API and Envoy's admin pages.

use std::time::Duration;

use anyhow::{Context, bail};
use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::de::DeserializeOwned;
use serde_json::Value;

const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;
const ANSWER_TIME_MAX: Duration = Duration::from_secs(20);

/// Asks one server.
#[derive(Clone, Debug)]
pub struct Http {
    base: String,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl Http {
    /// `base` is scheme, host and port, e.g. `http://127.0.0.1:8470`.
    #[must_use]
    pub fn new(base: impl Into<String>) -> Self {
        Self {
            base: base.into(),
            client: Client::builder(TokioExecutor::new()).build_http(),
        }
    }

    /// Scheme, host and port.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Status and body of `GET path`.
    ///
    /// # Errors
    /// When no answer came within 20 s, or one over 64 MiB.
    pub async fn get(&self, path: &str) -> anyhow::Result<(StatusCode, Bytes)> {
        self.send(Method::GET, path, &[], Bytes::new()).await
    }

    /// Status and body of a request with a body.
    ///
    /// # Errors
    /// Like [`Http::get`].
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> anyhow::Result<(StatusCode, Bytes)> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(body))?;
        let exchange = async {
            let answer = self.client.request(request).await?;
            let status = answer.status();
            let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX)
                .collect()
                .await;
            let body = body.map_err(|error| anyhow::anyhow!(error))?.to_bytes();
            anyhow::Ok((status, body))
        };
        tokio::time::timeout(ANSWER_TIME_MAX, exchange)
            .await
            .with_context(|| format!("no answer in time from {}{path}", self.base))?
            .with_context(|| format!("{}{path}", self.base))
    }

    /// The JSON of `GET path`.
    ///
    /// # Errors
    /// Like [`Http::get`], and when the status is not 200 or the body is not such JSON.
    pub async fn json<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        let (status, body) = self.get(path).await?;
        if status != StatusCode::OK {
            bail!(
                "{}{path} answered {status}: {}",
                self.base,
                String::from_utf8_lossy(&body)
            );
        }
        serde_json::from_slice(&body).with_context(|| {
            format!(
                "{}{path} answered {}",
                self.base,
                String::from_utf8_lossy(&body)
            )
        })
    }

    /// All items of a list of the aggregator's, page by page.
    ///
    /// # Errors
    /// Like [`Http::json`].
    pub async fn every(&self, path: &str) -> anyhow::Result<Vec<Value>> {
        let mut items = Vec::new();
        let mut next = path.to_owned();
        loop {
            let page: Value = self.json(&next).await?;
            items.extend(page["items"].as_array().into_iter().flatten().cloned());
            let sign = if path.contains('?') { '&' } else { '?' };
            match page["next"].as_str() {
                Some(cursor) => next = format!("{path}{sign}cursor={cursor}"),
                None => return Ok(items),
            }
        }
    }
}
