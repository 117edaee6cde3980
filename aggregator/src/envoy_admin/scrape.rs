//! Asks one Envoy for its counters, once a second.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::time::MissedTickBehavior;

use super::reading::Envoys;
use super::stats::{self, ServerInfo};
use super::target::Target;
use crate::clock::Clock;

const EVERY: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(3);
const ANSWER_LEN_MAX: usize = 8 << 20;

type Admin = Client<HttpConnector, Empty<Bytes>>;

async fn get(client: &Admin, url: String) -> Result<Bytes, String> {
    let url = url.parse().map_err(|error| format!("{error}"))?;
    let answer = async {
        let response = client.get(url).await.map_err(|error| error.to_string())?;
        if !response.status().is_success() {
            return Err(format!(
                "the admin interface answered {}",
                response.status()
            ));
        }
        let body = Limited::new(response.into_body(), ANSWER_LEN_MAX)
            .collect()
            .await;
        Ok(body.map_err(|error| error.to_string())?.to_bytes())
    };
    tokio::time::timeout(PATIENCE, answer)
        .await
        .unwrap_or_else(|_| Err(format!("no answer within {} s", PATIENCE.as_secs())))
}

/// Reads the counters of `target` once a second, for ever.
pub async fn watch(target: Target, envoys: Arc<Envoys>, clock: Arc<dyn Clock>) {
    let client: Admin = Client::builder(TokioExecutor::new()).build_http();
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let read = async {
            let stats = get(&client, format!("{}{}", target.admin, stats::PATH)).await?;
            let counters = stats::counters(&stats, target.prefix.as_deref())
                .map_err(|error| format!("/stats is no JSON as expected: {error}"))?;
            let info = get(&client, format!("{}/server_info", target.admin)).await?;
            let info: ServerInfo = serde_json::from_slice(&info).unwrap_or_default();
            Ok::<_, String>((counters, info))
        };
        match read.await {
            Ok((counters, info)) => envoys.read(&target, counters, info, clock.now_us()),
            Err(error) => {
                tracing::debug!(target = %target, error, "an Envoy's admin interface is unreachable");
                envoys.miss(&target, error);
            }
        }
    }
}
