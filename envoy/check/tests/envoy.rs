//! The real Envoy with the fingerprint's configuration, and with what the manifests give a filter.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "an unexpected outcome is a failure with a line number"
)]

mod support;

use std::path::Path;

use manifests::manifests;
use serde_json::{Value, json};
use support::{Envoy, MANAGER, TIME_MAX, at, certificate, curl, ear, echo, plugin, read, taker};

/// The values of a header in an echoed head.
fn values(head: &str, name: &str) -> Vec<String> {
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    let ours = lines.filter(|(header, _)| header.eq_ignore_ascii_case(name));
    ours.map(|(_, value)| value.to_owned()).collect()
}

const FORGED: [&str; 4] = [
    "-H",
    "x-ja4: forged",
    "-H",
    "X-JA4: t13d1516h2_8daaf6152771_e5627efa2ab1",
];

const CHAIN: &str = "/static_resources/listeners/0/filter_chains/0";

/// `envoy/fingerprint.yaml` with this certificate and key.
fn fingerprinting(certificate: &Path, key: &Path) -> Value {
    let mut bootstrap = read("envoy/fingerprint.yaml");
    let context = format!("{CHAIN}/transport_socket/typed_config/common_tls_context");
    let files = format!("{context}/tls_certificates/0");
    let chain = format!("{files}/certificate_chain/filename");
    *at(&mut bootstrap, &chain) = json!(certificate);
    *at(&mut bootstrap, &format!("{files}/private_key/filename")) = json!(key);
    bootstrap
}

/// A thief knows the device id and the fingerprint of somebody, and sends both.
#[test]
fn a_forged_fingerprint_enters_nobodys_session() {
    let folder = tempfile::tempdir().unwrap();
    let Some((certificate, key)) = certificate(folder.path(), "localhost") else {
        return;
    };
    let mut bootstrap = fingerprinting(&certificate, &key);
    let text = at(plugin(&mut bootstrap), "/configuration/value");
    let mut config: Value = serde_json::from_str(text.as_str().unwrap()).unwrap();
    let fingerprint = json!({"fingerprint": {"header": "x-ja4", "trusted": true}});
    let from = json!([fingerprint, {"header": "x-device"}]);
    config["policy"]["keys"] = json!([{"name": "device", "from": from}]);
    *text = json!(config.to_string());
    let (aggregator, records) = taker();
    let Some(envoy) = Envoy::start(bootstrap, echo(), aggregator) else {
        return;
    };

    let url = format!("https://{}/", envoy.address);
    let send = |version: &str, name: &str, forged: &str| {
        let id = format!("x-request-id: {name}");
        let forged = format!("x-ja4: {forged}");
        let device = ["-H", "x-device: device-1"];
        let head = curl(&[&[version, "-H", &id, "-H", &forged][..], &device, &[&url]].concat());
        values(&head, "x-ja4").remove(0)
    };
    let victims = send("--http1.1", "victim", "");
    let thiefs = send("--http2", "thief", &victims);
    assert_ne!(victims, thiefs);
    send("--http1.1", "again", &thiefs);

    let mut by_id = std::collections::HashMap::new();
    while by_id.len() < 3 {
        let Ok(record) = records.recv_timeout(TIME_MAX) else {
            panic!("no record came: {by_id:?}\n{}", envoy.log())
        };
        assert_eq!(record["key"], "device", "{record}");
        by_id.insert(record["request_id"].as_str().unwrap().to_owned(), record);
    }
    let session = |name: &str| &by_id[name]["session"];
    assert_ne!(session("victim"), session("thief"));
    assert_eq!(session("victim"), session("again"));
    for (name, expected) in [
        ("victim", &victims),
        ("thief", &thiefs),
        ("again", &victims),
    ] {
        let shown = json!([{"name": "tls_fingerprint", "value": expected}]);
        assert_eq!(
            by_id[name]["params"], shown,
            "the parameter of the file's own policy"
        );
    }
}

#[test]
fn a_forged_fingerprint_never_arrives() {
    let folder = tempfile::tempdir().unwrap();
    let Some((certificate, key)) = certificate(folder.path(), "localhost") else {
        return;
    };
    let mut bootstrap = fingerprinting(&certificate, &key);
    let (aggregator, _calls) = ear();
    let Some(envoy) = Envoy::start(bootstrap.clone(), echo(), aggregator) else {
        return;
    };

    let url = format!("https://{}/", envoy.address);
    for (version, expected) in [("--http2", "h2"), ("--http1.1", "h1")] {
        let honest = values(&curl(&[version, &url]), "x-ja4");
        let [fingerprint] = honest.as_slice() else {
            panic!("one fingerprint was expected: {honest:?}\n{}", envoy.log())
        };
        // JA4's first part: t for TCP, the TLS version, counts, the first ALPN value.
        let (first, _) = fingerprint.split_once('_').unwrap();
        assert!(
            first.starts_with("t1") && first.ends_with(expected),
            "{fingerprint}"
        );
        let mut forging = FORGED.to_vec();
        forging.extend([version, &url]);
        assert_eq!(values(&curl(&forging), "x-ja4"), honest, "{version}");
    }
    drop(envoy);

    // Without TLS there is no fingerprint, and a client's is still taken away.
    at(&mut bootstrap, CHAIN)
        .as_object_mut()
        .unwrap()
        .remove("transport_socket");
    let (aggregator, _calls) = ear();
    let plain = Envoy::start(bootstrap, echo(), aggregator).unwrap();
    let url = format!("http://{}/", plain.address);
    let mut forging = FORGED.to_vec();
    forging.push(&url);
    let head = curl(&forging);
    assert!(head.starts_with("GET / HTTP/1.1"), "{head}");
    assert_eq!(values(&head, "x-ja4"), Vec::<String>::new());
}

/// Envoy asks for a certificate and takes one that signs itself, or none.
fn asking(bootstrap: &mut Value, trusted: &Path) {
    let context = at(
        bootstrap,
        &format!("{CHAIN}/transport_socket/typed_config/common_tls_context"),
    );
    context["validation_context"] = json!({"trusted_ca": {"filename": trusted}});
    let text = at(plugin(bootstrap), "/configuration/value");
    let mut config: Value = serde_json::from_str(text.as_str().unwrap()).unwrap();
    // One application, whichever name is asked for.
    config["policy"]["applications"] = json!([]);
    config["policy"]["keys"] = json!([{"name": "peer", "from": {"tls": "peer_subject"}}]);
    config["policy"]["parameters"] = json!([
        {"name": "subject", "from": {"tls": "peer_subject"}},
        {"name": "sni", "from": {"tls": "sni"}}
    ]);
    *text = json!(config.to_string());
}

#[test]
fn the_subject_of_a_certificate_and_the_server_name_stand_on_records() {
    let folder = tempfile::tempdir().unwrap();
    let made = |name| certificate(folder.path(), name);
    let (Some((server, key)), Some(ann), Some(bob)) = (made("localhost"), made("ann"), made("bob"))
    else {
        return;
    };
    let trusted = folder.path().join("trusted.crt");
    let both = [&ann.0, &bob.0].map(|file| std::fs::read_to_string(file).unwrap());
    std::fs::write(&trusted, both.concat()).unwrap();
    let mut bootstrap = fingerprinting(&server, &key);
    asking(&mut bootstrap, &trusted);
    let (aggregator, records) = taker();
    let Some(envoy) = Envoy::start(bootstrap, echo(), aggregator) else {
        return;
    };

    let port = envoy.address.port();
    let send = |name: &str, host: &str, more: &[&str]| {
        let id = format!("x-request-id: {name}");
        let resolve = format!("{host}:{port}:127.0.0.1");
        let url = format!("https://{host}:{port}/");
        let head = curl(&[&["-H", &id, "--resolve", &resolve][..], more, &[&url]].concat());
        assert!(
            head.starts_with("GET / HTTP/1.1"),
            "{name}: {head}\n{}",
            envoy.log()
        );
    };
    let with = |client: &(std::path::PathBuf, std::path::PathBuf)| {
        let path = |path: &Path| path.to_str().unwrap().to_owned();
        [
            "--cert".to_owned(),
            path(&client.0),
            "--key".to_owned(),
            path(&client.1),
        ]
    };
    let (ann, bob) = (with(&ann), with(&bob));
    let (ann, bob) = (
        ann.each_ref().map(|it| &**it),
        bob.each_ref().map(|it| &**it),
    );
    send("ann", "shop.example", &[&["--http1.1"], &ann[..]].concat());
    send(
        "ann-again",
        "api.example",
        &[&["--http2"], &ann[..]].concat(),
    );
    send("bob", "shop.example", &bob);
    send("nobody", "shop.example", &[]);
    // Who asks for an address has no name to send.
    send("nameless", "127.0.0.1", &[]);

    let mut found = std::collections::HashMap::new();
    while found.len() < 5 {
        let Ok(record) = records.recv_timeout(TIME_MAX) else {
            panic!("no record came: {found:?}\n{}", envoy.log())
        };
        let id = record["request_id"].as_str().unwrap().to_owned();
        found.insert(id, record);
    }
    assert_shown(&found);
    let session = |name: &str| &found[name]["session"];
    assert_eq!(session("ann"), session("ann-again"));
    assert_ne!(session("ann"), session("bob"));
}

/// Subject, server name and key rule of each request's record.
fn assert_shown(found: &std::collections::HashMap<String, Value>) {
    for (name, subject, sni) in [
        ("ann", Some("CN=ann"), Some("shop.example")),
        ("ann-again", Some("CN=ann"), Some("api.example")),
        ("bob", Some("CN=bob"), Some("shop.example")),
        ("nobody", None, Some("shop.example")),
        ("nameless", None, None),
    ] {
        let record = &found[name];
        let values = [("subject", subject), ("sni", sni)];
        let shown = values
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)));
        let shown: Vec<_> = shown
            .map(|(name, value)| json!({"name": name, "value": value}))
            .collect();
        let params = record.get("params").cloned().unwrap_or(json!([]));
        assert_eq!(params, json!(shown), "{name}: {record}");
        let key = subject.map_or("ip_user_agent", |_| "peer");
        assert_eq!(record["key"], key, "{name}");
    }
}

/// What Istio and Envoy Gateway make of a manifest, as far as it concerns the filter.
struct Install {
    file: &'static str,
    config: &'static str,
    env: &'static str,
    /// The field that Istio (`failure_policy`) or Envoy Gateway (`fail_open`) sets.
    failure: (&'static str, Value),
}

fn installs() -> [Install; 3] {
    [
        Install {
            file: "envoy/istio/wasmplugin.yaml",
            config: "/spec/pluginConfig",
            env: "/spec/vmConfig/env",
            failure: ("failure_policy", json!("FAIL_OPEN")),
        },
        Install {
            file: "envoy/istio/trafficextension.yaml",
            config: "/spec/wasm/pluginConfig",
            env: "/spec/wasm/vmConfig/env",
            failure: ("failure_policy", json!("FAIL_OPEN")),
        },
        Install {
            file: "envoy/gateway/envoyextensionpolicy.yaml",
            config: "/spec/wasm/0/config",
            env: "/spec/wasm/0/env/hostKeys",
            failure: ("fail_open", json!(true)),
        },
    ]
}

/// The filter as the manifest configures it sends its batch, with the token, to the cluster that the
/// manifest names. No Istio and no Envoy Gateway are at work here: what they would make of the
/// manifest is put together by hand.
#[test]
fn a_batch_reaches_the_cluster_that_the_manifest_names() {
    for install in installs() {
        let manifest = read(install.file);
        let config = manifest.pointer(install.config).unwrap();
        let cluster = config.pointer("/aggregator/cluster").unwrap();
        let env = manifest.pointer(install.env).unwrap().as_array().unwrap();
        let keys: Vec<&Value> = env
            .iter()
            .map(|key| key.get("name").unwrap_or(key))
            .collect();

        let mut bootstrap = read("envoy/envoy.yaml");
        let ours = plugin(&mut bootstrap).as_object_mut().unwrap();
        ours.remove("fail_open").unwrap();
        ours.insert(install.failure.0.to_owned(), install.failure.1);
        *at(plugin(&mut bootstrap), "/configuration/value") = json!(config.to_string());
        *at(
            plugin(&mut bootstrap),
            "/vm_config/environment_variables/host_env_keys",
        ) = json!(keys);
        let theirs = at(&mut bootstrap, "/static_resources/clusters/1");
        theirs["name"] = cluster.clone();
        theirs["load_assignment"]["cluster_name"] = cluster.clone();
        assert_batch(bootstrap, install.file);
    }
}

#[test]
fn a_batch_reaches_the_cluster_that_the_patch_adds() {
    let all = manifests().unwrap();
    let patch = all
        .iter()
        .find(|manifest| manifest.kind() == "EnvoyPatchPolicy")
        .unwrap();
    let operation = patch.at("/spec/jsonPatches/0/operation");
    let policy = read("envoy/gateway/envoyextensionpolicy.yaml");
    let mut config = policy.pointer("/spec/wasm/0/config").unwrap().clone();
    *at(&mut config, "/aggregator/cluster") = operation["value"]["name"].clone();
    let mut bootstrap = read("envoy/envoy.yaml");
    *at(plugin(&mut bootstrap), "/configuration/value") = json!(config.to_string());
    *at(&mut bootstrap, "/static_resources/clusters/1") = operation["value"].clone();
    assert_batch(bootstrap, &patch.file);
}

fn assert_batch(bootstrap: Value, file: &str) {
    assert!(bootstrap.pointer(MANAGER).is_some());
    let (aggregator, calls) = ear();
    let Some(envoy) = Envoy::start(bootstrap, echo(), aggregator) else {
        return;
    };
    let url = format!("http://{}/cart", envoy.address);
    let head = curl(&["-H", "host: shop.example", "-H", "cookie: sid=abc", &url]);
    assert!(
        head.starts_with("GET /cart "),
        "{file}: {head}\n{}",
        envoy.log()
    );
    let record = loop {
        let Ok((head, body)) = calls.recv_timeout(TIME_MAX) else {
            panic!("{file}: no batch came\n{}", envoy.log())
        };
        assert!(
            head.starts_with("POST /v1/ingest HTTP/1.1\r\n"),
            "{file}: {head}"
        );
        let token = format!("Bearer {}", support::SECRETS[1].1);
        assert_eq!(values(&head, "authorization"), [token], "{file}");
        if !file.contains("patch") {
            let host = "aggregator.throughline.svc.cluster.local";
            assert_eq!(values(&head, "host"), [host], "{file}");
        }
        // The first batch may be a heartbeat without records.
        let body = String::from_utf8(body).unwrap();
        if let Some(record) = body.lines().nth(1) {
            break serde_json::from_str::<Value>(record).unwrap();
        }
    };
    let shown = record.to_string();
    assert!(
        shown.contains("session_cookie") && shown.contains("shop"),
        "{file}: {shown}"
    );
    assert!(!shown.contains("sid=abc"), "{file}: {shown}");
}
