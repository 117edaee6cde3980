//! What the manifests promise beyond their kinds' form, and that they fit together.
#![expect(
    clippy::unwrap_used,
    reason = "an unexpected outcome is a failure with a line number"
)]

use std::collections::BTreeSet;

use manifests::document::documents;
use manifests::{Manifest, manifests, root};
use serde_json::{Value, json};
use throughline_session::identity::Hasher;
use throughline_session::policy::PluginConfig;

const SECRETS: [&str; 2] = ["THROUGHLINE_INGEST_TOKEN", "THROUGHLINE_SESSION_SECRET"];
const PORT: u64 = 8080;

fn manifest(file: &str, kind: &str) -> Manifest {
    let all = manifests().unwrap();
    let mut fitting = all
        .into_iter()
        .filter(|manifest| manifest.file == file && manifest.kind() == kind);
    fitting.next().unwrap()
}

fn strings(values: &Value, key: &str) -> BTreeSet<String> {
    let items = values.as_array().unwrap().iter();
    items
        .map(|item| item.get(key).unwrap_or(item).as_str().unwrap().to_owned())
        .collect()
}

fn secrets() -> BTreeSet<String> {
    SECRETS.map(str::to_owned).into()
}

/// The filter's configuration of each manifest, by its file.
fn plugin_configs() -> Vec<(String, Value)> {
    let mut found: Vec<(String, Value)> = [
        ("envoy/istio/wasmplugin.yaml", "/spec/pluginConfig"),
        (
            "envoy/istio/trafficextension.yaml",
            "/spec/wasm/pluginConfig",
        ),
        (
            "envoy/gateway/envoyextensionpolicy.yaml",
            "/spec/wasm/0/config",
        ),
    ]
    .map(|(file, pointer)| {
        let all = manifests().unwrap();
        let of_file = all.iter().find(|manifest| manifest.file == file).unwrap();
        (file.to_owned(), of_file.at(pointer).clone())
    })
    .into();
    for file in ["envoy/envoy.yaml", "envoy/fingerprint.yaml"] {
        let text = plugin_text(&bootstrap(file));
        found.push((file.to_owned(), serde_json::from_str(&text).unwrap()));
    }
    found
}

fn bootstrap(file: &str) -> Value {
    let text = std::fs::read_to_string(root().join(file)).unwrap();
    documents(&text).unwrap().remove(0)
}

fn plugin_text(bootstrap: &Value) -> String {
    let filters =
        "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config/http_filters";
    let value = format!("{filters}/0/typed_config/config/configuration/value");
    let value = bootstrap.pointer(&value).and_then(Value::as_str);
    value.unwrap().to_owned()
}

#[test]
fn the_filter_understands_its_configuration() {
    for (file, config) in plugin_configs() {
        let parsed = PluginConfig::parse(config.to_string().as_bytes());
        let config = parsed.unwrap_or_else(|error| panic!("{file}: {error}"));
        assert_eq!(config.capture_point, "gateway", "{file}");
        assert!(
            config.development.is_none(),
            "{file} shows secrets in /config_dump"
        );
    }
}

#[test]
fn the_filter_calls_a_cluster_that_is_there() {
    let service = manifest("envoy/kubernetes/service.yaml", "Service");
    let name = service.at("/metadata/name").as_str().unwrap();
    let namespace = service.at("/metadata/namespace").as_str().unwrap();
    let host = format!("{name}.{namespace}.svc.cluster.local");
    let istio = format!("outbound|{PORT}||{host}");
    let route = manifest("envoy/gateway/aggregator-route.yaml", "HTTPRoute");
    let gateway = format!(
        "httproute/{}/{}/rule/0",
        route.at("/metadata/namespace").as_str().unwrap(),
        route.at("/metadata/name").as_str().unwrap()
    );
    for (file, config) in plugin_configs() {
        let cluster = config
            .pointer("/aggregator/cluster")
            .unwrap()
            .as_str()
            .unwrap();
        if file.starts_with("envoy/istio") {
            assert_eq!(cluster, istio, "{file}");
        } else if file.starts_with("envoy/gateway") {
            assert_eq!(cluster, gateway, "{file}");
        } else {
            let bootstrap = bootstrap(&file);
            let clusters = bootstrap.pointer("/static_resources/clusters").unwrap();
            assert!(
                strings(clusters, "name").contains(cluster),
                "{file}: {cluster}"
            );
        }
    }
    let backend = route.at("/spec/rules/0/backendRefs/0");
    let expected = json!({"kind": "Service", "name": name, "namespace": namespace, "port": PORT});
    assert_eq!(backend, &expected);
    let patch = manifest("envoy/gateway/aggregator-patch.yaml", "EnvoyPatchPolicy");
    let endpoint = "/spec/jsonPatches/0/operation/value/load_assignment/endpoints/0/lb_endpoints/0";
    let address = patch.at(&format!("{endpoint}/endpoint/address/socket_address"));
    assert_eq!(address, &json!({"address": host, "port_value": PORT}));
    let entry = manifest("envoy/istio/serviceentry.yaml", "ServiceEntry");
    assert_eq!(entry.at("/spec/ports/0/number"), PORT);
}

#[test]
fn requests_go_on_without_the_filter() {
    let plugin = manifest("envoy/istio/wasmplugin.yaml", "WasmPlugin");
    assert_eq!(plugin.at("/spec/failStrategy"), "FAIL_OPEN");
    let extension = manifest("envoy/istio/trafficextension.yaml", "TrafficExtension");
    assert_eq!(extension.at("/spec/wasm/failStrategy"), "FAIL_OPEN");
    let policy = manifest(
        "envoy/gateway/envoyextensionpolicy.yaml",
        "EnvoyExtensionPolicy",
    );
    assert_eq!(policy.at("/spec/wasm/0/failOpen"), true);
}

/// Istio counts the listeners of a gateway as CLIENT: `mode: SERVER` would leave them all out, and say
/// nothing.
#[test]
fn the_filter_is_on_every_listener_of_the_gateway() {
    for (file, kind) in [
        ("envoy/istio/wasmplugin.yaml", "WasmPlugin"),
        ("envoy/istio/trafficextension.yaml", "TrafficExtension"),
    ] {
        assert!(manifest(file, kind).at("/spec/match").is_null(), "{file}");
    }
}

#[test]
fn secrets_come_from_the_environment_and_the_environment_from_a_secret() {
    let plugin = manifest("envoy/istio/wasmplugin.yaml", "WasmPlugin");
    let extension = manifest("envoy/istio/trafficextension.yaml", "TrafficExtension");
    for env in [
        plugin.at("/spec/vmConfig/env"),
        extension.at("/spec/wasm/vmConfig/env"),
    ] {
        assert_eq!(strings(env, "name"), secrets());
        assert_eq!(strings(env, "valueFrom"), ["HOST".to_owned()].into());
    }
    let policy = manifest(
        "envoy/gateway/envoyextensionpolicy.yaml",
        "EnvoyExtensionPolicy",
    );
    assert_eq!(
        strings(policy.at("/spec/wasm/0/env/hostKeys"), ""),
        secrets()
    );

    let patch = manifest("envoy/istio/gateway-env.yaml", "Deployment");
    let proxy = manifest("envoy/gateway/envoyproxy.yaml", "EnvoyProxy");
    let container = patch.at("/spec/template/spec/containers/0");
    assert_eq!(container["name"], "istio-proxy");
    let deployment = "/spec/provider/kubernetes/envoyDeployment/container/env";
    for (env, secret) in [
        (
            &container["env"],
            manifest("envoy/istio/secret.yaml", "Secret"),
        ),
        (
            proxy.at(deployment),
            manifest("envoy/gateway/secret.yaml", "Secret"),
        ),
    ] {
        assert_eq!(strings(env, "name"), secrets());
        assert_env_from(env, &secret);
    }
    let aggregator = manifest("envoy/kubernetes/statefulset.yaml", "StatefulSet");
    let secret = manifest("envoy/kubernetes/secret.yaml", "Secret");
    assert_env_from(
        aggregator.at("/spec/template/spec/containers/0/env"),
        &secret,
    );
}

/// Each variable that names a secret's key names one that is there.
fn assert_env_from(env: &Value, secret: &Manifest) {
    for variable in env.as_array().unwrap() {
        if let Some(reference) = variable.pointer("/valueFrom/secretKeyRef") {
            assert_eq!(
                &reference["name"],
                secret.at("/metadata/name"),
                "{}",
                secret.file
            );
            let key = reference["key"].as_str().unwrap();
            let value = &secret.at("/stringData")[key];
            assert!(value.is_string(), "{}: no {key}", secret.file);
        } else {
            let name = variable["name"].as_str().unwrap();
            assert!(
                !name.contains("TOKEN") && !name.contains("SECRET"),
                "{name} is inline"
            );
        }
    }
}

#[test]
fn placeholders_cannot_go_into_service() {
    for manifest in manifests().unwrap() {
        let values = manifest
            .at("/stringData")
            .as_object()
            .cloned()
            .unwrap_or_default();
        for (key, value) in values {
            let value = value.as_str().unwrap();
            // The aggregator refuses tokens this short too: TOKEN_LEN_MIN.
            let short = Hasher::new(value.as_bytes()).is_err() && value.len() < 16;
            assert!(short, "{}: `{key}` looks like a secret", manifest.file);
        }
    }
    for (file, kind, pointer) in [
        ("envoy/istio/wasmplugin.yaml", "WasmPlugin", "/spec/sha256"),
        (
            "envoy/istio/trafficextension.yaml",
            "TrafficExtension",
            "/spec/wasm/sha256",
        ),
        (
            "envoy/gateway/envoyextensionpolicy.yaml",
            "EnvoyExtensionPolicy",
            "/spec/wasm/0/code/image/sha256",
        ),
    ] {
        assert_eq!(manifest(file, kind).at(pointer), &"0".repeat(64), "{file}");
    }
}

#[test]
fn images_have_a_version() {
    let mut seen = 0;
    for manifest in manifests().unwrap() {
        let images = [
            "/spec/url",
            "/spec/wasm/url",
            "/spec/wasm/0/code/image/url",
            "/spec/template/spec/containers/0/image",
        ];
        for image in images
            .into_iter()
            .filter_map(|pointer| manifest.at(pointer).as_str())
        {
            let (_, tag) = image.rsplit_once(':').unwrap();
            assert!(
                tag != "latest" && !tag.contains('/'),
                "{}: {image}",
                manifest.file
            );
            seen += 1;
        }
    }
    assert_eq!(seen, 4);
}

#[test]
fn the_aggregator_has_as_few_rights_as_it_needs() {
    let set = manifest("envoy/kubernetes/statefulset.yaml", "StatefulSet");
    let pod = set.at("/spec/template/spec");
    let user = &pod["securityContext"];
    assert_eq!(user["runAsNonRoot"], true);
    assert!(user["runAsUser"].as_u64().unwrap() > 0 && user["runAsGroup"].as_u64().unwrap() > 0);
    assert_eq!(user["seccompProfile"]["type"], "RuntimeDefault");
    assert_eq!(pod["automountServiceAccountToken"], false);
    assert_eq!(pod["containers"].as_array().unwrap().len(), 1);
    let container = &pod["containers"][0];
    let expected = json!({
        "allowPrivilegeEscalation": false,
        "privileged": false,
        "readOnlyRootFilesystem": true,
        "capabilities": {"drop": ["ALL"]},
    });
    assert_eq!(container["securityContext"], expected);
    for amount in ["/requests/cpu", "/requests/memory", "/limits/memory"] {
        assert!(container["resources"].pointer(amount).is_some(), "{amount}");
    }
    let namespace = manifest("envoy/kubernetes/namespace.yaml", "Namespace");
    let enforced = "/metadata/labels/pod-security.kubernetes.io~1enforce";
    assert_eq!(namespace.at(enforced), "restricted");
}

#[test]
fn the_aggregator_keeps_its_data_and_says_how_it_is() {
    let set = manifest("envoy/kubernetes/statefulset.yaml", "StatefulSet");
    assert_eq!(
        set.at("/spec/replicas"),
        1,
        "one process has the data folder"
    );
    let container = set.at("/spec/template/spec/containers/0");
    let mount = &container["volumeMounts"][0];
    assert_eq!(
        mount["name"],
        set.at("/spec/volumeClaimTemplates/0/metadata/name").clone()
    );
    assert_eq!(env(container, "THROUGHLINE_DATA"), mount["mountPath"]);
    for (probe, path) in [
        ("startupProbe", "/healthz"),
        ("livenessProbe", "/healthz"),
        ("readinessProbe", "/readyz"),
    ] {
        let asks = &container[probe]["httpGet"];
        assert_eq!(asks, &json!({"path": path, "port": "http"}), "{probe}");
    }
}

fn env(container: &Value, name: &str) -> Value {
    let mut env = container["env"].as_array().unwrap().iter();
    env.find(|variable| variable["name"] == name).unwrap()["value"].clone()
}

#[test]
fn one_port_from_the_policy_to_the_process() {
    let set = manifest("envoy/kubernetes/statefulset.yaml", "StatefulSet");
    let container = set.at("/spec/template/spec/containers/0");
    assert_eq!(
        env(container, "THROUGHLINE_LISTEN"),
        format!("0.0.0.0:{PORT}")
    );
    assert_eq!(container["ports"][0]["containerPort"], PORT);
    let service = manifest("envoy/kubernetes/service.yaml", "Service");
    assert_eq!(service.at("/spec/ports/0/port"), PORT);
    assert_eq!(
        service.at("/spec/ports/0/targetPort"),
        &container["ports"][0]["name"]
    );
    assert_eq!(service.at("/spec/publishNotReadyAddresses"), true);
    assert_eq!(set.at("/spec/serviceName"), service.at("/metadata/name"));
    let policy = manifest("envoy/kubernetes/networkpolicy.yaml", "NetworkPolicy");
    assert_eq!(policy.at("/spec/ingress/0/ports/0/port"), PORT);
    assert_eq!(policy.at("/spec/egress"), &json!([]));
    assert_eq!(
        policy.at("/spec/policyTypes"),
        &json!(["Ingress", "Egress"])
    );

    let labels = set
        .at("/spec/template/metadata/labels")
        .as_object()
        .unwrap();
    for selector in [
        set.at("/spec/selector/matchLabels"),
        service.at("/spec/selector"),
        policy.at("/spec/podSelector/matchLabels"),
    ] {
        for (label, value) in selector.as_object().unwrap() {
            assert_eq!(labels.get(label), Some(value), "{label}");
        }
    }
}

/// A route has to be there to make a cluster; nobody is to come in by it.
#[test]
fn the_route_to_the_aggregator_lets_nobody_in() {
    let file = "envoy/gateway/aggregator-route.yaml";
    let route = manifest(file, "HTTPRoute");
    let guard = manifest(file, "SecurityPolicy");
    assert_eq!(
        guard.at("/spec/authorization"),
        &json!({"defaultAction": "Deny"})
    );
    assert_eq!(
        guard.at("/spec/targetRefs/0/name"),
        route.at("/metadata/name")
    );
    assert_eq!(
        guard.at("/metadata/namespace"),
        route.at("/metadata/namespace")
    );
    let grant = manifest(file, "ReferenceGrant");
    assert_eq!(
        grant.at("/spec/from/0/namespace"),
        route.at("/metadata/namespace")
    );
    let backend = route.at("/spec/rules/0/backendRefs/0");
    assert_eq!(grant.at("/metadata/namespace"), &backend["namespace"]);
    assert_eq!(grant.at("/spec/to/0/name"), &backend["name"]);
}

#[test]
fn what_is_installed_together_has_no_placeholder_secret() {
    let list = manifest("envoy/kubernetes/kustomization.yaml", "Kustomization");
    let listed = strings(list.at("/resources"), "");
    let mut beside = BTreeSet::new();
    for manifest in manifests().unwrap() {
        let name = manifest.file.strip_prefix("envoy/kubernetes/");
        if let (Some(name), false) = (name, ["Kustomization", "Secret"].contains(&manifest.kind()))
        {
            beside.insert(name.to_owned());
        }
    }
    assert_eq!(listed, beside);
}
