//! What shows that somebody in the crowd tries stolen passwords: counted out of the requests.

use std::collections::BTreeSet;

use serde_json::Value;

use super::ADDRESS;
use super::crowd::is_held;
use crate::{Stack, bots};

/// Logins shown.
const LOGINS: usize = 3;

/// The failed logins of a session that is held for a bot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Evidence {
    /// The session.
    pub session: String,
    /// Logins that failed.
    pub failures: usize,
    /// For so many users.
    pub users: usize,
    /// From so many addresses.
    pub addresses: usize,
    /// What the detector says.
    pub reason: String,
    /// Some of the requests that the verdict names.
    pub logins: Vec<Login>,
}

/// A request that shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// Names the record for good.
    pub record: String,
    /// Whose account was tried.
    pub user: String,
    /// The answer.
    pub status: u64,
}

impl Evidence {
    /// The surest verdict on the crowd under the policy of this version.
    pub(super) async fn of(stack: &Stack, version: &str) -> anyhow::Result<Option<Self>> {
        let path = format!("/v1/sessions?q=ip:{ADDRESS}+policy:{version}&limit=500");
        let sessions = stack.api.every(&path).await?;
        let confidence = |it: &Value| it["verdict"]["confidence"].as_f64().unwrap_or(0.0);
        let held = sessions
            .iter()
            .filter(|it| is_held(it) && it["key"] != "ip");
        let Some(session) = held.max_by(|one, two| confidence(one).total_cmp(&confidence(two)))
        else {
            return Ok(None);
        };
        let id = session["session"].as_str().unwrap_or_default();
        let verdict = session["verdict"]["id"].as_str().unwrap_or_default();
        let verdict: Value = stack.api.json(&format!("/v1/verdicts/{verdict}")).await?;
        let requests = bots::requests(&stack.api, id).await?;
        Ok(Some(Self::count(id, &verdict, &requests)))
    }

    fn count(session: &str, verdict: &Value, requests: &[Value]) -> Self {
        let failed = |it: &&Value| it["path"] == "/api/login" && it["status"] == 401;
        let failed: Vec<&Value> = requests.iter().filter(failed).collect();
        let different = |of: &dyn Fn(&Value) -> Option<String>| {
            let all: BTreeSet<_> = failed.iter().filter_map(|it| of(it)).collect();
            all.len()
        };
        let records = verdict["evidence"][0]["records"].as_array();
        let named = records.into_iter().flatten();
        let named: BTreeSet<_> = named.filter_map(|it| it["record_id"].as_str()).collect();
        let shows = |it: &&&Value| {
            it["record_id"]
                .as_str()
                .is_some_and(|id| named.contains(id))
        };
        Self {
            session: session.to_owned(),
            failures: failed.len(),
            users: different(&tried),
            addresses: different(&|it| it["client_ip"].as_str().map(str::to_owned)),
            reason: verdict["reasons"][0].as_str().unwrap_or("?").to_owned(),
            logins: failed
                .iter()
                .filter(shows)
                .take(LOGINS)
                .map(|it| login(it))
                .collect(),
        }
    }
}

/// The account that a login tried.
fn tried(request: &Value) -> Option<String> {
    let params = request["params"].as_array();
    let mut params = params.into_iter().flatten();
    let tried = params.find(|it| it["name"] == "tried")?;
    tried["value"].as_str().map(str::to_owned)
}

fn login(request: &Value) -> Login {
    Login {
        record: request["record_id"].as_str().unwrap_or("?").to_owned(),
        user: tried(request).unwrap_or_else(|| "?".to_owned()),
        status: request["status"].as_u64().unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn request(record: &str, path: &str, status: u16, user: &str, ip: &str) -> Value {
        json!({
            "record_id": record, "path": path, "status": status, "client_ip": ip,
            "params": [{"name": "tried", "value": user}]
        })
    }

    #[test]
    fn failures_are_counted_by_user_and_address() {
        let requests = [
            request("1", "/api/login", 401, "ann", "192.0.2.1"),
            request("2", "/api/login", 401, "ben", "192.0.2.1"),
            request("3", "/api/login", 401, "ann", "192.0.2.2"),
            request("4", "/api/login", 200, "cem", "192.0.2.3"),
            request("5", "/api/me", 401, "dea", "192.0.2.4"),
        ];
        let verdict = json!({
            "reasons": ["credential stuffing: 3"],
            "evidence": [{"records": [{"record_id": "2"}, {"record_id": "5"}]}]
        });
        let found = Evidence::count("s", &verdict, &requests);
        assert_eq!((found.failures, found.users, found.addresses), (3, 2, 2));
        let login = Login {
            record: "2".into(),
            user: "ben".into(),
            status: 401,
        };
        assert_eq!(found.logins, [login]);
    }
}
