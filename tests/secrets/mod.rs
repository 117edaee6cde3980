//! See README.md.

use std::path::Path;

use demo::Stack;
use http::Request;
use throughline_tests::{PLUGIN, Slot, Upstream, books, exchange, get, settled};

#[tokio::test(flavor = "multi_thread")]
async fn secrets_and_key_values_are_nowhere_to_be_read() {
    let _slot = Slot::take().await;
    let upstream = Upstream::start().await;
    let builder = Stack::builder().upstream(upstream.address).plugin(PLUGIN);
    let stack = builder.start().await.unwrap();
    let key_value = "key-value-that-nobody-may-see";
    for header in ["authorization", "cookie", "x-api-key"] {
        let value = match header {
            "authorization" => format!("Bearer {key_value}"),
            "cookie" => format!("sid={key_value}"),
            _ => key_value.to_owned(),
        };
        let request = Request::get(format!("/x?api_key={key_value}"))
            .header("host", "shop.example")
            .header(header, value);
        let answer = exchange(stack.ingress, request.body(Default::default()).unwrap()).await;
        assert_eq!(answer.status, 200);
    }
    settled(&stack).await;

    let (status, dump) = stack.admin.get("/config_dump?include_eds").await.unwrap();
    assert_eq!(status, 200);
    let dump = String::from_utf8_lossy(&dump);
    assert!(dump.contains("by_bearer"), "not the configuration:\n{dump}");
    for secret in [&*stack.secret, &*stack.token] {
        assert!(!dump.contains(secret), "a secret is in /config_dump");
    }
    let secrets = [key_value, &*stack.secret, &*stack.token];
    assert_in_no_file(stack.folder(), &secrets.map(str::as_bytes));
}

pub(crate) fn assert_in_no_file(folder: &Path, secrets: &[&[u8]]) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            assert_in_no_file(&path, secrets);
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        for secret in secrets {
            let found = bytes.windows(secret.len()).any(|window| window == *secret);
            assert!(
                !found,
                "{} contains {}",
                path.display(),
                String::from_utf8_lossy(secret)
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_secret_nothing_is_recorded_and_traffic_flows() {
    let _slot = Slot::take().await;
    let upstream = Upstream::start().await;
    let builder = Stack::builder().upstream(upstream.address).plugin(PLUGIN);
    let stack = builder.without_secret().start().await.unwrap();
    flows_unrecorded(&stack, "THROUGHLINE_SESSION_SECRET").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_that_is_no_json_is_located_and_traffic_flows() {
    bad_configuration(&PLUGIN.replace("\"policy\":", "policy:"), "line 4").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_place_of_a_key_is_located_and_traffic_flows() {
    let plugin = PLUGIN.replace(r#"{"cookie": "sid"}"#, r#"{"cokie": "sid"}"#);
    bad_configuration(&plugin, "policy.keys[1].from: unknown variant `cokie`").await;
}

async fn bad_configuration(plugin: &str, reason: &str) {
    let _slot = Slot::take().await;
    let upstream = Upstream::start().await;
    let builder = Stack::builder().upstream(upstream.address).plugin(plugin);
    let stack = builder.start().await.unwrap();
    flows_unrecorded(&stack, reason).await;
}

/// Requests are answered, none is recorded, and Envoy's log has the `reason`.
async fn flows_unrecorded(stack: &Stack, reason: &str) {
    const REQUESTS: u64 = 20;
    for number in 0..REQUESTS {
        let answer = get(stack.ingress, "/", &format!("request-{number}")).await;
        assert_eq!(answer.status, 200);
    }
    let status = books(stack, "all of it was bypassed", |status| {
        status.handled() == Some(REQUESTS) && status.totals.bypassed == REQUESTS
    })
    .await;
    assert_eq!(status.totals.stored, 0);
    let log = stack.envoy.read_log().unwrap();
    assert!(log.contains(reason), "no `{reason}` in Envoy's log:\n{log}");
}
