//! The shop's policy, put in place while Envoy runs: what a team writes once it has seen what the
//! bootstrap's rules make of its traffic.

use anyhow::bail;
use bytes::Bytes;
use http::{Method, StatusCode};

use crate::Stack;

/// `examples/demo/policy.yaml`.
const SHOP: &str = include_str!("../policy.yaml");

impl Stack {
    /// Makes `examples/demo/policy.yaml` the policy, in place of the bootstrap's. Workers take it
    /// up within two seconds.
    ///
    /// # Errors
    /// When the aggregator refuses it.
    pub async fn fit_policy(&self) -> anyhow::Result<()> {
        let authorization = format!("Bearer {}", self.admin_token);
        let headers = [
            ("authorization", &*authorization),
            ("content-type", "application/yaml"),
            ("if-match", "\"v0\""),
        ];
        let path = "/v1/policy?author=demo&comment=Users%20by%20the%20login%27s%20answer";
        let body = Bytes::from_static(SHOP.as_bytes());
        let (status, answer) = self.api.send(Method::PUT, path, &headers, body).await?;
        if status != StatusCode::OK {
            bail!("the policy: {status}: {}", String::from_utf8_lossy(&answer));
        }
        Ok(())
    }
}
