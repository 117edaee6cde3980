//! What is asked: every field of the filter language by itself, and the other answers.

use std::fmt::Write as _;

use serde_json::Value;

/// A question of a group; the text of the n-th time it is asked.
pub(crate) struct Question {
    pub(crate) group: &'static str,
    pub(crate) name: String,
    path: Box<dyn Fn(u64) -> String + Send + Sync>,
}

impl Question {
    fn new(
        group: &'static str,
        name: impl Into<String>,
        path: impl Fn(u64) -> String + Send + Sync + 'static,
    ) -> Self {
        Self {
            group,
            name: name.into(),
            path: Box::new(path),
        }
    }

    pub(crate) fn path(&self, round: u64) -> String {
        (self.path)(round)
    }
}

/// A text within a query.
fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._:".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            write!(encoded, "%{byte:02X}").unwrap_or_default();
        }
    }
    encoded
}

/// One filter for each field, `N` stands for the number of the round; more where a field is asked
/// for in ways that are answered differently.
const FILTERS: &[&str] = &[
    "",
    "last:24h",
    "app:bank",
    "key:ip_user_agent",
    "session:0N",
    "user:user1N",
    "user:user1N*",
    "role:role2",
    "param.tenant:tenant1N",
    "param.tenant:tenant1N*",
    "ip:10.1N.0.0/16",
    "ip:10.1N.0.0",
    "country:DE",
    "ua:chrome/11",
    "requests>=50",
    "requests>=1000",
    "visits>=2",
    "errors>=5",
    "errors_4xx>=5",
    "errors_5xx>=2",
    "bytes>=1MiB",
    "duration>=20m",
    "has:link",
    "has:user",
    "has:error",
    "has:verdict",
    "label:seen",
    "verdict:type1",
    "confidence>=0.9",
    "ua_family:Chrome",
    "ua_family:curl",
    "capture:sidecar",
    "referer:search.example",
    "type:text/html",
    "type:text/xml",
    "policy:p1",
    "flag:UF",
    "flag:NR",
    "method:POST",
    "method:DELETE",
    "host:bank.example",
    "path:/api/things4/1N",
    "path:/api/things4/*",
    "endpoint:\"GET /api/things8/{id}\"",
    "status:503",
    "status:4xx",
    "status:418",
    "took>=200ms",
    "took>=1h",
    "request:REQUEST",
    "trace:TRACE",
    "id:REQUEST",
];

/// What some of the questions are about: requests of the store.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// Session, request id, trace id.
    pub(crate) requests: Vec<[String; 3]>,
}

impl Known {
    /// Requests of the first page of sessions, and of those that the filled store has.
    pub(crate) fn add(&mut self, page: &Value) {
        let items = page["items"].as_array();
        for item in items.into_iter().flatten() {
            let text = |name: &str| item[name].as_str().unwrap_or_default().to_owned();
            self.requests
                .push(["session", "request_id", "trace_id"].map(text));
        }
    }

    fn pick(&self, round: u64, of: usize) -> String {
        let index =
            usize::try_from(round).unwrap_or(0).wrapping_mul(7919) % self.requests.len().max(1);
        let found = self.requests.get(index).and_then(|it| it.get(of));
        found.cloned().unwrap_or_default()
    }
}

/// Questions that are the same in each round: group, name, path.
const FIXED: &[(&str, &str, &str)] = &[
    (
        "endpoints",
        "endpoints of a day",
        "/v1/endpoints?q=last:24h",
    ),
    ("flow", "flow graph of a day", "/v1/transitions?q=last:24h"),
    (
        "facets",
        "status",
        "/v1/sessions/facets?field=status&q=last:24h",
    ),
    (
        "facets",
        "endpoint",
        "/v1/sessions/facets?field=endpoint&q=last:24h",
    ),
    (
        "facets",
        "user",
        "/v1/sessions/facets?field=user&q=last:24h",
    ),
    (
        "facets",
        "param.plan",
        "/v1/sessions/facets?field=param.plan&q=last:24h",
    ),
    (
        "facets",
        "requests",
        "/v1/sessions/facets?field=requests&q=last:24h",
    ),
    (
        "facets",
        "verdict",
        "/v1/sessions/facets?field=verdict&q=last:24h",
    ),
    (
        "histogram",
        "histogram of a day",
        "/v1/sessions/histogram?q=last:24h",
    ),
    ("bots", "bots of a day", "/v1/bots?q=last:24h"),
    ("sources", "sources of a day", "/v1/sources?q=last:24h"),
];

/// All questions.
pub(crate) fn all(known: &std::sync::Arc<Known>) -> Vec<Question> {
    let mut all = Vec::new();
    for filter in FILTERS {
        let known = std::sync::Arc::clone(known);
        let name = if filter.is_empty() {
            "(no filter)"
        } else {
            *filter
        };
        all.push(Question::new("list", name, move |round| {
            let text = filter
                .replace("REQUEST", &known.pick(round, 1))
                .replace("TRACE", &known.pick(round, 2))
                .replace('N', &(round % 100).to_string());
            format!("/v1/sessions?q={}", encoded(&text))
        }));
    }
    for (name, end) in [
        ("requests", "/requests"),
        ("with visits and links", ""),
        ("sequence", "/sequence"),
    ] {
        let known = std::sync::Arc::clone(known);
        // Only the first is what the target is about.
        let group = if end == "/requests" {
            "session"
        } else {
            "session, more"
        };
        all.push(Question::new(group, name, move |round| {
            format!("/v1/sessions/{}{end}", known.pick(round, 0))
        }));
    }
    for &(group, name, path) in FIXED {
        all.push(Question::new(group, name, move |_| path.to_owned()));
    }
    all
}

#[cfg(test)]
mod tests {
    use throughline::filters::FIELDS;

    use super::*;

    #[test]
    fn every_field_is_asked_for() {
        for field in FIELDS {
            let asked = FILTERS.iter().any(|filter| {
                let name = filter.split([':', '>', '.']).next();
                name == Some(field.name)
            });
            assert!(asked, "{}", field.name);
        }
    }
}
