//! See README.md.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use demo::Stack;
use http::Request;
use http_body_util::Full;
use serde_json::{Value, json};
use throughline_tests::{Slot, Upstream, assert_vm_alive, exchange, records, settled};

const PLUGIN: &str = r#"{
    "aggregator": {"cluster": "throughline"},
    "policy": {
        "applications": [
            {"name": "a", "hosts": ["a.example"]},
            {"name": "b", "hosts": ["b.example"]}
        ],
        "keys": [
            {"name": "token", "from": {"bearer": {}}},
            {"name": "cookie", "from": {"cookie": "sid"}},
            {"name": "pair", "from": [{"header": "x-tenant"}, {"header": "x-user"}]},
            {"name": "header", "from": {"header": "x-api-key"}},
            {"name": "query", "from": {"query": "api_key"}}
        ],
        "builtin_off": ["*"],
        "parameters": [
            {"name": "user", "kind": "user", "from": {"jwt": {"claim": "sub", "in": {"bearer": {}}}}}
        ]
    }
}"#;

/// `{"alg":"HS256"}.{"sub":"ann"}` with a signature, and what somebody makes of it who has no key.
const JWT: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmVkLWJ5LXRoZS1hcGk";
const FORGED: [&str; 3] = [
    "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm4ifQ.",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.bXktb3duLXNpZ25hdHVyZQ",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.",
];
const EMPTY_LIKE: [&str; 8] = [
    "null",
    "undefined",
    "0",
    "None",
    "nil",
    "NaN",
    "-",
    "[object Object]",
];

/// A request: its id, the host it asks, its path, and its headers.
struct Ask<'a>(String, &'a str, &'a str, Vec<(&'a str, String)>);

fn asks() -> Vec<Ask<'static>> {
    let mut asks = Vec::new();
    let value = "the-same-value-1";
    let bearer = |token: &str| ("authorization", format!("Bearer {token}"));
    let text = |name: &'static str, value: &str| (name, value.to_owned());
    for host in ["a.example", "b.example"] {
        let mut ask = |name: &str, path, headers| {
            asks.push(Ask(format!("{name}@{host}"), host, path, headers));
        };
        ask("token", "/", vec![bearer(value)]);
        ask(
            "unknown",
            "/",
            vec![bearer("a-token-that-nobody-was-given")],
        );
        ask("cookie", "/", vec![("cookie", format!("sid={value}"))]);
        ask("header", "/", vec![text("x-api-key", value)]);
        ask("query", "/?api_key=the-same-value-1", vec![]);
        ask(
            "pair",
            "/",
            vec![text("x-tenant", "ab"), text("x-user", "c")],
        );
        ask(
            "pair-2",
            "/",
            vec![text("x-tenant", "a"), text("x-user", "bc")],
        );
        ask("jwt", "/", vec![bearer(JWT)]);
        for (index, forged) in FORGED.iter().enumerate() {
            ask(&format!("forged-{index}"), "/", vec![bearer(forged)]);
        }
    }
    asks
}

async fn send(stack: &Stack, Ask(id, host, path, headers): &Ask<'_>) {
    let mut request = Request::get(*path)
        .header("host", *host)
        .header("user-agent", "stories")
        .header("x-request-id", id);
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    let request = request.body(Full::<Bytes>::default()).unwrap();
    assert!(
        exchange(stack.ingress, request).await.status.is_success(),
        "{id}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn equal_forged_and_empty_values_stay_apart() {
    let _slot = Slot::take().await;
    let upstream = Upstream::start().await;
    let builder = Stack::builder().upstream(upstream.address);
    let stack = builder.plugin(PLUGIN).start().await.unwrap();
    let asks = asks();
    for ask in &asks {
        send(&stack, ask).await;
    }
    for (index, word) in EMPTY_LIKE.iter().enumerate() {
        for client in ["192.0.2.1", "192.0.2.2"] {
            let from = ("x-forwarded-for", client.to_owned());
            let all = [
                ("authorization", format!("Bearer {word}")),
                ("cookie", format!("sid={word}")),
                ("x-api-key", (*word).to_owned()),
                from,
            ];
            let id = format!("empty-{index}@{client}");
            send(&stack, &Ask(id, "a.example", "/", all.to_vec())).await;
        }
    }
    settled(&stack).await;

    let records = records(&stack).await;
    let found = records.by_request_id();
    let session = |id: &str| found[id]["session"].as_str().unwrap().to_owned();
    let mut owners: BTreeMap<String, &str> = BTreeMap::new();
    for Ask(id, ..) in &asks {
        if let Some(other) = owners.insert(session(id), id) {
            panic!("{other} and {id} are one session");
        }
        let rule = id.split(['-', '@']).next().unwrap();
        let rule = match rule {
            "unknown" | "jwt" | "forged" => "token",
            rule => rule,
        };
        assert_eq!(found[id.as_str()]["key"], rule, "{id}");
    }
    for host in ["a.example", "b.example"] {
        for id in ["jwt", "forged-0", "forged-1", "forged-2"] {
            let record = found[format!("{id}@{host}").as_str()];
            let user = json!([{"name": "user", "value": "ann", "kind": "user", "forgeable": true}]);
            assert_eq!(record["params"], user, "{id}");
        }
    }
    let empty = |client: &str| -> BTreeSet<String> {
        let ids = (0..EMPTY_LIKE.len()).map(|index| format!("empty-{index}@{client}"));
        ids.map(|id| {
            assert_eq!(found[id.as_str()]["key"], "ip_user_agent", "{id}");
            session(&id)
        })
        .collect()
    };
    let (one, other) = (empty("192.0.2.1"), empty("192.0.2.2"));
    assert_eq!((one.len(), other.len()), (1, 1), "each client's own");
    assert_ne!(one, other);
    forged_tokens_are_not_followed(&stack, &session("jwt@a.example")).await;
    assert_vm_alive(&stack);
}

/// The user in an unverified token brings no other session near the victim's.
async fn forged_tokens_are_not_followed(stack: &Stack, victim: &str) {
    let path = format!("/v1/sessions/{victim}");
    let shown: Value = stack.api.json(&path).await.unwrap();
    assert_eq!(
        (&shown["links"], &shown["related"]),
        (&json!([]), &json!([])),
        "{shown}"
    );
}
