//! Helpers of the stories.

pub(crate) mod load;
pub(crate) mod policy;
pub(crate) mod records;
pub(crate) mod single;
pub(crate) mod slot;
pub(crate) mod traffic;
pub(crate) mod upstream;

use std::time::Duration;

use demo::Stack;

/// How long a condition may take on a busy machine before its story fails.
pub const TIME_MAX: Duration = Duration::from_secs(30);

/// The filter's configuration in the stories: one rule for each place a key can be in.
pub const PLUGIN: &str = r#"{
    "capture_point": "gateway",
    "aggregator": {"cluster": "throughline"},
    "policy": {
        "applications": [{"name": "shop", "hosts": ["shop.example"]}],
        "keys": [
            {"name": "by_bearer", "from": {"bearer": {}}},
            {"name": "by_cookie", "from": {"cookie": "sid"}},
            {"name": "by_header", "from": {"header": "x-api-key"}},
            {"name": "by_query", "from": {"query": "api_key"}}
        ],
        "fallback": "ip_user_agent"
    }
}"#;

/// Fails when Envoy says that a Wasm VM ended.
pub fn assert_vm_alive(stack: &Stack) {
    assert_eq!(vm_end(stack), None, "the filter's VM ended");
}

/// The line of Envoy's log that says that a Wasm VM ended.
#[must_use]
pub fn vm_end(stack: &Stack) -> Option<String> {
    let log = stack.envoy.read_log().unwrap();
    let signs = [
        "Wasm VM failed",
        "Function: proxy_",
        "in-VM backtrace",
        "panicked at",
    ];
    let ended = |line: &&str| signs.iter().any(|sign| line.contains(sign));
    log.lines().find(ended).map(str::to_owned)
}
