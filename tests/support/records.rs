//! What the aggregator has, read back through its API alone.

use std::collections::HashMap;

use demo::{Stack, Status, eventually};
use serde_json::Value;

use super::TIME_MAX;

/// Every record, in the order of the API.
#[derive(Debug)]
pub struct Records(pub Vec<Value>);

impl Records {
    /// By `x-request-id`; fails when two records have the same.
    #[must_use]
    pub fn by_request_id(&self) -> HashMap<&str, &Value> {
        let mut found = HashMap::new();
        for record in &self.0 {
            let Some(id) = record["request_id"].as_str() else {
                continue;
            };
            let other = found.insert(id, record);
            assert_eq!(other, None, "{id} is stored twice");
        }
        found
    }
}

/// Reads all sessions and all of their records, page by page; nothing may come in meanwhile.
pub async fn records(stack: &Stack) -> Records {
    let mut all = Vec::new();
    for session in pages(stack, SESSIONS).await {
        let records = records_of(stack, &session).await;
        let count = records.len() as u64;
        assert_eq!(session["requests"].as_u64(), Some(count), "{session}");
        all.extend(records);
    }
    Records(all)
}

const SESSIONS: &str = "/v1/sessions?limit=200";

async fn records_of(stack: &Stack, session: &Value) -> Vec<Value> {
    let id = session["session"].as_str().unwrap();
    let records = pages(stack, &format!("/v1/sessions/{id}/requests?limit=500")).await;
    for record in &records {
        assert_eq!(record["session"], id);
        assert_eq!(record["application"], session["application"]);
    }
    records
}

async fn pages(stack: &Stack, path: &str) -> Vec<Value> {
    let mut items = Vec::new();
    let mut next = path.to_owned();
    loop {
        let page: Value = stack.api.json(&next).await.unwrap();
        items.extend(page["items"].as_array().unwrap().iter().cloned());
        match page["next"].as_str() {
            Some(after) => next = format!("{path}&cursor={after}"),
            None => return items,
        }
    }
}

/// How many sessions had a request at or after `from`.
pub async fn sessions_since(stack: &Stack, from: &str) -> usize {
    pages(stack, &format!("/v1/sessions?limit=500&q=from:{from}"))
        .await
        .len()
}

/// The record of one request, as soon as it is stored.
pub async fn record_of(stack: &Stack, request_id: &str) -> Value {
    let what = format!("the record of {request_id}");
    let found = eventually(&what, TIME_MAX, async || {
        let mut all = Vec::new();
        for session in pages(stack, SESSIONS).await {
            all.extend(records_of(stack, &session).await);
        }
        let records = Records(all);
        records
            .by_request_id()
            .get(request_id)
            .map(|&record| record.clone())
    });
    found.await.unwrap()
}

/// Waits until every request that Envoy counted is in the store.
pub async fn settled(stack: &Stack) -> Status {
    match stack.settled(TIME_MAX).await {
        Ok(status) => status,
        Err(error) => panic!("{error}: {:?}", stack.status().await),
    }
}

/// Waits until the aggregator's books say so.
pub async fn books(stack: &Stack, what: &str, agrees: impl Fn(&Status) -> bool) -> Status {
    let found = eventually(what, TIME_MAX, async || {
        let status = stack.status().await.ok()?;
        agrees(&status).then_some(status)
    });
    match found.await {
        Ok(status) => status,
        Err(error) => panic!("{error}: {:?}", stack.status().await),
    }
}
