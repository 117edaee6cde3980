//! `throughline policy …`: what can be asked about a policy without a service.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

use super::document::{Refused, read};
use super::file::format_of;
use super::{DOCUMENT_BYTES_MAX, schema};
use crate::config::READ_TOKEN;

/// What about the policy?
#[derive(Debug, clap::Subcommand)]
pub enum PolicyCommand {
    /// Check a policy by the filter's own rules; names the place of what is wrong.
    Check {
        /// YAML, or JSON where its name ends so.
        file: PathBuf,
    },
    /// Print the JSON Schema of policies.
    Schema,
    /// Ask a running service what a candidate would change, verdicts included; the answer is JSON.
    ///
    /// The read token comes by environment: `THROUGHLINE_READ_TOKEN`, where the service has one.
    Compare {
        /// The candidate's name.
        name: String,
        /// The service (`http` only).
        #[arg(long, default_value = "http://127.0.0.1:8470", value_name = "URL")]
        url: String,
    },
}

/// Does what is asked; the result is what to print.
///
/// # Errors
/// What is wrong with the policy, and where.
pub fn run(command: &PolicyCommand) -> anyhow::Result<String> {
    match command {
        PolicyCommand::Check { file } => {
            let about = || file.display().to_string();
            let text = std::fs::read(file).with_context(about)?;
            if text.len() as u64 > DOCUMENT_BYTES_MAX {
                let problem = format!(
                    "{} bytes; a policy has at most {DOCUMENT_BYTES_MAX}",
                    text.len()
                );
                return Err(Refused::whole(problem)).with_context(about);
            }
            let read = read(&text, format_of(file)).with_context(about)?;
            let document = read.document;
            Ok(format!(
                "{}: good: {} applications, {} key rules, {} parameters, {} detection profiles",
                file.display(),
                document.applications.len(),
                document.keys.len(),
                document.parameters.len(),
                read.detection.len()
            ))
        }
        PolicyCommand::Compare { name, url } => compare(name, url),
        PolicyCommand::Schema => Ok(serde_json::to_string_pretty(&schema::schema())?),
    }
}

/// The service answers a query within its `--query-timeout`, 10 s where nobody changed it.
const PATIENCE: Duration = Duration::from_secs(60);
const ANSWER_LEN_MAX: usize = 8 << 20;

/// The comparison, and under `verdicts` that of the verdicts, or why there is none.
fn compare(name: &str, url: &str) -> anyhow::Result<String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let ask = |what: &str| {
        let url = url.trim_end_matches('/');
        let url = format!("{url}/v1/policy/candidates/{name}/{what}");
        let answer = async { tokio::time::timeout(PATIENCE, get(&url)).await };
        runtime
            .block_on(answer)
            .with_context(|| format!("{url} did not answer within {} s", PATIENCE.as_secs()))?
            .with_context(|| format!("cannot ask {url}"))
    };
    let (status, mut comparison) = ask("comparison")?;
    if status.is_success() {
        let (_, verdicts) = ask("verdicts")?;
        comparison["verdicts"] = verdicts;
    }
    let text = serde_json::to_string_pretty(&comparison)?;
    anyhow::ensure!(status.is_success(), "{text}");
    Ok(text)
}

async fn get(url: &str) -> anyhow::Result<(StatusCode, serde_json::Value)> {
    let mut request = Request::get(url);
    if let Some(token) = std::env::var(READ_TOKEN).ok().filter(|it| !it.is_empty()) {
        request = request.header(AUTHORIZATION, format!("Bearer {token}"));
    }
    let client = Client::builder(TokioExecutor::new()).build_http();
    let response = client.request(request.body(Empty::<Bytes>::new())?).await?;
    let status = response.status();
    let body = Limited::new(response.into_body(), ANSWER_LEN_MAX).collect();
    let body = body.await.map_err(|error| anyhow::anyhow!(error))?;
    let json = serde_json::from_slice(&body.to_bytes())
        .with_context(|| format!("it answered {status} and no JSON"))?;
    Ok((status, json))
}
