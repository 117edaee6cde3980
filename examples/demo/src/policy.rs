//! Policies put in place while Envoy runs: the shop's own, which is what a team writes once it has
//! seen what the bootstrap's rules make of its traffic, and those of the demo's story.

use std::time::Duration;

use anyhow::bail;
use bytes::Bytes;
use http::{Method, StatusCode};
use serde_json::Value;

use crate::{Stack, eventually};

/// `examples/demo/policy.yaml`.
const SHOP: &str = include_str!("../policy.yaml");
/// Workers hear of a policy within a second; the rest is for a machine that is busy.
const PICKED_UP_TIME_MAX: Duration = Duration::from_secs(30);
/// How long a candidate is tried, should nobody end it.
const CANDIDATE_MINUTES: u32 = 10;

impl Stack {
    /// Makes `examples/demo/policy.yaml` the policy, in place of whatever is. Workers take it up
    /// within two seconds.
    ///
    /// # Errors
    /// When the aggregator refuses it.
    pub async fn fit_policy(&self) -> anyhow::Result<()> {
        self.put_policy(SHOP, "Users%20by%20the%20login%27s%20answer")
            .await?;
        Ok(())
    }

    /// Makes this YAML the policy; gives its version as records carry it. The comment stands in a
    /// query string.
    ///
    /// # Errors
    /// When the aggregator refuses it.
    pub async fn put_policy(&self, text: &str, comment: &str) -> anyhow::Result<String> {
        let path = format!("/v1/policy?author=demo&comment={comment}");
        let answer = self.change(Method::PUT, &path, text.to_owned()).await?;
        let answer: Value = serde_json::from_slice(&answer)?;
        match answer["policy_version"].as_str() {
            Some(version) => Ok(version.to_owned()),
            None => bail!("the policy has no version: {answer}"),
        }
    }

    /// Waits until every live worker runs this version.
    ///
    /// # Errors
    /// When that takes longer than 30 s.
    pub async fn runs(&self, version: &str) -> anyhow::Result<()> {
        let what = format!("every worker runs {version}");
        eventually(&what, PICKED_UP_TIME_MAX, async || {
            let status: Value = self.api.json("/v1/status").await.ok()?;
            let workers = status["workers"].as_array()?;
            let mut live = workers.iter().filter(|it| it["state"] == "live").peekable();
            live.peek()?;
            live.all(|it| it["policy_version"] == version).then_some(())
        })
        .await
    }

    /// Has filters compute for every client which session this policy would have made.
    ///
    /// # Errors
    /// When the aggregator refuses it.
    pub async fn put_candidate(&self, name: &str, policy: &str) -> anyhow::Result<()> {
        let policy: String = policy.lines().map(|line| format!("  {line}\n")).collect();
        let body = format!("clients_share: 1.0\nminutes: {CANDIDATE_MINUTES}\npolicy:\n{policy}");
        let path = format!("/v1/policy/candidates/{name}?author=demo");
        self.change(Method::PUT, &path, body).await?;
        Ok(())
    }

    /// Ends a candidate.
    ///
    /// # Errors
    /// When there is none.
    pub async fn drop_candidate(&self, name: &str) -> anyhow::Result<()> {
        let path = format!("/v1/policy/candidates/{name}?author=demo");
        self.change(Method::DELETE, &path, String::new()).await?;
        Ok(())
    }

    async fn change(&self, method: Method, path: &str, body: String) -> anyhow::Result<Bytes> {
        let authorization = format!("Bearer {}", self.admin_token);
        let headers = [
            ("authorization", &*authorization),
            ("content-type", "application/yaml"),
            ("if-match", "*"),
        ];
        let what = format!("{method} {path}");
        let (status, answer) = self.api.send(method, path, &headers, body.into()).await?;
        if status != StatusCode::OK && status != StatusCode::NO_CONTENT {
            bail!("{what}: {status}: {}", String::from_utf8_lossy(&answer));
        }
        Ok(answer)
    }
}
