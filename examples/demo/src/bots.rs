//! Which bots the aggregator found.

use std::time::Duration;

use http::StatusCode;
use serde_json::Value;

use crate::{Http, eventually};

const PAGE_ROWS: usize = 500;
/// Detection follows the log at once; the rest is for a machine that is busy.
const JUDGED_TIME_MAX: Duration = Duration::from_secs(20);

/// A flagged session.
#[derive(Debug, Clone)]
pub struct Bot {
    /// Its id, 32 hex digits.
    pub session: String,
    /// What kind of bot.
    pub bot_type: String,
    /// How sure, 0 to 1.
    pub confidence: f64,
    /// The strongest evidence in a sentence.
    pub reason: String,
}

/// Waits until everything in the log was judged and the verdicts are stored.
///
/// # Errors
/// When that takes longer than 20 s.
pub(crate) async fn judged(api: &Http) -> anyhow::Result<()> {
    eventually("everything is judged", JUDGED_TIME_MAX, async || {
        let status: Value = api.json("/v1/status").await.ok()?;
        let detection = &status["detection"];
        let judged = detection["lag_bytes"] == 0 && detection["verdicts_waiting"] == 0;
        judged.then_some(())
    })
    .await
}

/// The sessions that are flagged, once everything in the log was judged.
///
/// # Errors
/// When the aggregator does not answer so.
pub async fn found(api: &Http) -> anyhow::Result<Vec<Bot>> {
    judged(api).await?;
    let path =
        format!("/v1/verdicts?subject_kind=session&flagged=true&state=active&limit={PAGE_ROWS}");
    let text = |verdict: &Value, name: &str| verdict[name].as_str().unwrap_or("?").to_owned();
    let bot = |verdict: &Value| Bot {
        session: text(verdict, "session"),
        bot_type: text(verdict, "bot_type"),
        confidence: verdict["confidence"].as_f64().unwrap_or(0.0),
        reason: verdict["reasons"][0].as_str().unwrap_or("?").to_owned(),
    };
    Ok(api.every(&path).await?.iter().map(bot).collect())
}

/// All requests of a session; none where it has been forgotten meanwhile.
///
/// # Errors
/// When the aggregator does not answer so.
pub async fn requests(api: &Http, session: &str) -> anyhow::Result<Vec<Value>> {
    let path = format!("/v1/sessions/{session}/requests?limit={PAGE_ROWS}");
    match api.every(&path).await {
        Err(_) if api.get(&path).await?.0 == StatusCode::NOT_FOUND => Ok(Vec::new()),
        requests => requests,
    }
}
