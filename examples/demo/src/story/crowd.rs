//! What the aggregator knows of the one address.

use serde_json::Value;

use super::ADDRESS;
use crate::Stack;

/// The crowd behind the address, under one way of grouping.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Crowd {
    /// Its sessions.
    pub sessions: u64,
    /// Clients in them: the sessions that the key makes.
    pub clients: u64,
    /// Requests of these sessions.
    pub requests: u64,
    /// Sessions that are held for bots.
    pub held: u64,
    /// Clients in these.
    pub clients_held: u64,
    /// Why the first of these is; none where none is.
    pub reason: Option<String>,
}

impl Crowd {
    /// By address: how many clients are in the one session, the candidate has counted.
    pub(super) async fn by_address(stack: &Stack, candidate: &str) -> anyhow::Result<Self> {
        let path = format!("/v1/sessions?q=ip:{ADDRESS}+key:ip&limit=500");
        let sessions = stack.api.every(&path).await?;
        let path = format!("/v1/policy/candidates/{candidate}/comparison");
        let comparison: Value = stack.api.json(&path).await?;
        Ok(Self::of(&sessions, |session| clients(&comparison, session)))
    }

    /// By the key, under the policy of this version: each session is one client.
    pub(super) async fn by_key(stack: &Stack, version: &str) -> anyhow::Result<Self> {
        let path = format!("/v1/sessions?q=ip:{ADDRESS}+policy:{version}&limit=500");
        let sessions = stack.api.every(&path).await?;
        // The session that is left over from the time before may end in it.
        let own: Vec<Value> = sessions
            .into_iter()
            .filter(|it| it["key"] != "ip")
            .collect();
        Ok(Self::of(&own, |_| 1))
    }

    fn of(sessions: &[Value], clients: impl Fn(&str) -> u64) -> Self {
        let mut crowd = Self::default();
        for session in sessions {
            let inside = clients(session["session"].as_str().unwrap_or_default());
            crowd.sessions += 1;
            crowd.clients += inside;
            crowd.requests += session["requests"].as_u64().unwrap_or(0);
            if is_held(session) {
                crowd.held += 1;
                crowd.clients_held += inside;
                let reason = session["verdict"]["reason"].as_str().map(str::to_owned);
                crowd.reason = crowd.reason.or(reason);
            }
        }
        crowd
    }
}

/// Whether a session of the list is flagged and nobody took that back.
pub(super) fn is_held(session: &Value) -> bool {
    let verdict = &session["verdict"];
    verdict["flagged"] == true && verdict["state"] == "active"
}

/// How many sessions the candidate would make of this one.
fn clients(comparison: &Value, session: &str) -> u64 {
    let split = comparison["split_examples"].as_array();
    let mut split = split.into_iter().flatten();
    let found = split.find(|it| it["session"] == session);
    found.and_then(|it| it["count"].as_u64()).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn those_who_are_held_and_with_whom() {
        let verdict = |flagged: bool, state: &str| json!({"flagged": flagged, "state": state, "reason": "because"});
        let sessions = [
            json!({"session": "a", "requests": 7, "verdict": verdict(true, "active")}),
            json!({"session": "b", "requests": 1, "verdict": verdict(true, "rejected")}),
            json!({"session": "c", "requests": 1, "verdict": verdict(false, "active")}),
            json!({"session": "d", "requests": 1, "verdict": null}),
        ];
        let comparison = json!({"split_examples": [{"session": "a", "count": 5}]});
        let crowd = Crowd::of(&sessions, |session| clients(&comparison, session));
        let expected = Crowd {
            sessions: 4,
            clients: 8,
            requests: 10,
            held: 1,
            clients_held: 5,
            reason: Some("because".to_owned()),
        };
        assert_eq!(crowd, expected);
    }
}
