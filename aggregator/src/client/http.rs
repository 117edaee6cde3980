//! Questions over HTTP, and what goes wrong with them.

use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// Longer answers are refused, bytes.
const ANSWER_LEN_MAX: usize = 64 << 20;
/// An answer must be there after this long.
const PATIENCE: Duration = Duration::from_secs(90);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No address.
    #[error("--url {0}: expected an address such as http://127.0.0.1:8470")]
    Url(String),
    /// TLS is for a proxy.
    #[error("--url {0}: https is not spoken here; ask through a tunnel, or beside the service")]
    Tls(String),
    /// A token with letters that no header has.
    #[error("--token: a token has no such letters; copy it again")]
    Token,
    /// Nobody there.
    #[error(
        "nothing answers at {url} ({reason}): is `throughline serve` running there? --url or THROUGHLINE_URL says where"
    )]
    Unreachable {
        /// Where.
        url: String,
        /// What the system said.
        reason: String,
    },
    /// The service says no.
    #[error("{detail}{}{}", if .remedy.is_empty() { "" } else { "; " }, .remedy)]
    Problem {
        /// What is wrong.
        detail: String,
        /// What helps.
        remedy: String,
    },
    /// Something else answers there.
    #[error("{0} does not answer as a throughline does: {1}")]
    Strange(String, String),
    /// The answer broke off.
    #[error("the export broke off: what came is not everything; the service's log says why")]
    Cut,
    /// The service had not all requests to look at.
    #[error(
        "only the newest requests could be looked at, as the service has not closed a segment for \
         long: what came is not everything; try again later, or start it with a smaller \
         --segment-records"
    )]
    Partial,
    /// A log is not imported.
    #[error(transparent)]
    Import(#[from] Box<super::ImportError>),
    /// Bytes for a screen.
    #[error("Parquet is not for a terminal: give --output FILE, or send it to a program")]
    Terminal,
    /// A file cannot be written.
    #[error("cannot write {0}: {1}")]
    File(String, std::io::Error),
    /// Whoever reads the output has gone.
    #[error("cannot print: {0}")]
    Output(std::io::Error),
}

impl ClientError {
    /// What a problem says.
    pub(super) fn of_problem(answer: &Value) -> Self {
        let word = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
        Self::Problem {
            detail: word("detail"),
            remedy: word("remedy"),
        }
    }
}

/// A service to be asked.
pub(super) struct Http {
    url: String,
    token: Option<HeaderValue>,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl Http {
    pub(super) fn new(url: &str, token: Option<&str>) -> Result<Self, ClientError> {
        let url = url.trim_end_matches('/').to_owned();
        let parsed: Uri = url.parse().map_err(|_| ClientError::Url(url.clone()))?;
        match parsed.scheme_str() {
            Some("http") => {}
            Some("https") => return Err(ClientError::Tls(url)),
            _ => return Err(ClientError::Url(url)),
        }
        let header = |token: &str| HeaderValue::try_from(format!("Bearer {}", token.trim()));
        let token = token.map(header).transpose();
        Ok(Self {
            url,
            token: token.map_err(|_| ClientError::Token)?,
            client: Client::builder(TokioExecutor::new()).build_http(),
        })
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: impl Into<Bytes>,
    ) -> Result<Response<Incoming>, ClientError> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url))
            .header(CONTENT_TYPE, "application/json");
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, token);
        }
        let request = request
            .body(Full::new(body.into()))
            .map_err(|_| ClientError::Url(self.url.clone()))?;
        self.client.request(request).await.map_err(|error| {
            let mut reason: &dyn std::error::Error = &error;
            while let Some(source) = reason.source() {
                reason = source;
            }
            ClientError::Unreachable {
                url: self.url.clone(),
                reason: reason.to_string(),
            }
        })
    }

    /// The body of an answer, if that is a good one.
    async fn body(&self, response: Response<Incoming>) -> Result<Value, ClientError> {
        let strange = |why: String| ClientError::Strange(self.url.clone(), why);
        let status = response.status();
        let body = Limited::new(response.into_body(), ANSWER_LEN_MAX).collect();
        let bytes = body
            .await
            .map_err(|error| strange(error.to_string()))?
            .to_bytes();
        let body: Value = serde_json::from_slice(&bytes)
            .map_err(|_| strange(format!("status {status}, and no JSON")))?;
        if status.is_success() {
            return Ok(body);
        }
        let word = |name: &str| body[name].as_str().map(str::to_owned);
        Err(ClientError::Problem {
            detail: word("detail").ok_or_else(|| strange(format!("status {status}")))?,
            remedy: word("remedy").unwrap_or_default(),
        })
    }

    /// Waits for a whole answer.
    async fn ask(&self, method: Method, path: &str, body: Vec<u8>) -> Result<Value, ClientError> {
        let answer = async {
            let response = self.send(method, path, body).await?;
            self.body(response).await
        };
        tokio::time::timeout(PATIENCE, answer)
            .await
            .unwrap_or_else(|_| {
                Err(ClientError::Unreachable {
                    url: self.url.clone(),
                    reason: format!("no answer within {} s", PATIENCE.as_secs()),
                })
            })
    }

    pub(super) async fn get(
        &self,
        path: &str,
        parameters: &[(&str, Option<String>)],
    ) -> Result<Value, ClientError> {
        self.ask(Method::GET, &with(path, parameters), Vec::new())
            .await
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Result<Value, ClientError> {
        self.ask(Method::POST, path, body.to_string().into_bytes())
            .await
    }

    /// Whatever JSON is answered, with its status.
    pub(super) async fn raw(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<(StatusCode, Value), ClientError> {
        let answer = tokio::time::timeout(PATIENCE, self.patient(method, path, body)).await;
        answer.unwrap_or_else(|_| {
            let why = format!("no answer within {} s", PATIENCE.as_secs());
            Err(ClientError::Strange(self.url.clone(), why))
        })
    }

    /// [`Self::raw`], however long it takes.
    pub(super) async fn patient(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<(StatusCode, Value), ClientError> {
        let strange = |why: String| ClientError::Strange(self.url.clone(), why);
        let response = self.send(method, path, body).await?;
        let status = response.status();
        let body = Limited::new(response.into_body(), ANSWER_LEN_MAX).collect();
        let bytes = body.await.map_err(|error| strange(error.to_string()))?;
        let body = serde_json::from_slice(&bytes.to_bytes());
        let body = body.map_err(|_| strange(format!("status {status}, and no JSON")))?;
        Ok((status, body))
    }

    /// An answer that goes on and on.
    pub(super) async fn follow(
        &self,
        path: &str,
        parameters: &[(&str, Option<String>)],
    ) -> Result<Incoming, ClientError> {
        Ok(self.stream(path, parameters).await?.1)
    }

    /// The same, with its headers.
    pub(super) async fn stream(
        &self,
        path: &str,
        parameters: &[(&str, Option<String>)],
    ) -> Result<(http::HeaderMap, Incoming), ClientError> {
        let response = self
            .send(Method::GET, &with(path, parameters), Vec::new())
            .await?;
        if !response.status().is_success() {
            self.body(response).await?;
            return Err(ClientError::Strange(self.url.clone(), "no stream".into()));
        }
        let (parts, body) = response.into_parts();
        Ok((parts.headers, body))
    }
}

/// `path` with the parameters that there are.
pub(super) fn with(path: &str, parameters: &[(&str, Option<String>)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in parameters {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    let query = query.finish();
    if query.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{query}")
    }
}

/// One part of a path.
pub(super) fn segment(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
