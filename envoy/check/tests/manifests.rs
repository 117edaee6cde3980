//! The manifests are what their kinds ask for, and wrong ones are refused.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "an unexpected outcome is a failure with a line number"
)]

use manifests::document::documents;
use manifests::{Manifest, Schemas, manifests, skipped};
use serde_json::{Value, json};

/// Schemas, or none with a word of why where those of the other projects are not at hand.
fn all_schemas() -> Option<Schemas> {
    let mut schemas = Schemas::own().unwrap();
    if schemas.add_foreign().unwrap() {
        return Some(schemas);
    }
    skipped(&format!(
        "no custom resource definitions of Istio and Envoy Gateway at {} (or $THROUGHLINE_CRDS); \
         docs/install/README.md says where to get them",
        Schemas::folder().display()
    ));
    None
}

fn manifest(file: &str, kind: &str) -> Manifest {
    let all = manifests().unwrap();
    let mut fitting = all
        .into_iter()
        .filter(|manifest| manifest.file == file && manifest.kind() == kind);
    fitting.next().unwrap()
}

#[test]
fn every_manifest_is_what_its_kind_asks_for() {
    let own = Schemas::own().unwrap();
    let all = all_schemas();
    let (mut checked, mut faults) = (0, Vec::new());
    for manifest in manifests().unwrap() {
        let foreign = manifests::schemas::FOREIGN.contains(&manifest.kind());
        let schemas = if foreign { all.as_ref() } else { Some(&own) };
        let Some(schemas) = schemas else { continue };
        let found = schemas.faults(&manifest).into_iter();
        faults.extend(found.map(|fault| format!("{}: {fault}", manifest.file)));
        checked += 1;
    }
    assert!(faults.is_empty(), "{faults:#?}");
    assert!(checked >= 15, "only {checked} manifests were found");
}

/// What a case does to a manifest that is right.
enum Change {
    /// Puts a value at a pointer whose parent is there.
    Put(&'static str, Value),
    /// Gives the key at the pointer another name.
    Rename(&'static str, &'static str),
    /// Takes the key at the pointer away.
    Drop(&'static str),
}

impl Change {
    fn apply(&self, value: &mut Value) {
        let (pointer, change) = match self {
            Self::Put(pointer, _) | Self::Rename(pointer, _) | Self::Drop(pointer) => {
                (*pointer, self)
            }
        };
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        match value.pointer_mut(parent).unwrap() {
            Value::Object(fields) => match change {
                Self::Put(_, new) => drop(fields.insert(key.to_owned(), new.clone())),
                Self::Rename(_, name) => {
                    let moved = fields.remove(key).unwrap();
                    fields.insert((*name).to_owned(), moved);
                }
                Self::Drop(_) => drop(fields.remove(key).unwrap()),
            },
            Value::Array(items) => {
                let Self::Put(_, new) = change else {
                    panic!("lists are only added to")
                };
                items.push(new.clone());
            }
            other => panic!("{pointer} leads into {other}"),
        }
    }
}

/// Each case: a change, and a part of the fault that must be found, and no other.
fn check(schemas: &Schemas, file: &str, kind: &str, cases: &[(Change, &str)]) {
    let right = manifest(file, kind);
    assert_eq!(schemas.faults(&right), Vec::<String>::new());
    for (change, expected) in cases {
        let mut wrong = right.clone();
        change.apply(&mut wrong.value);
        let faults = schemas.faults(&wrong);
        let found = faults.iter().filter(|fault| fault.contains(expected));
        assert!(
            found.count() >= 1,
            "{file}: expected `{expected}`, found {faults:#?}"
        );
    }
}

use Change::{Drop, Put, Rename};

#[test]
fn wrong_wasm_plugins_are_refused() {
    let Some(schemas) = all_schemas() else { return };
    check(
        &schemas,
        "envoy/istio/wasmplugin.yaml",
        "WasmPlugin",
        &[
            (
                Rename("/spec/pluginConfig", "pluginconfig"),
                "spec.pluginconfig: the schema does not",
            ),
            (
                Rename("/spec/vmConfig/env/0/valueFrom", "valuefrom"),
                "env[0].valuefrom: the schema",
            ),
            (
                Rename("/metadata/namespace", "namspace"),
                "metadata.namspace",
            ),
            (Rename("/spec", "specs"), "`spec` is missing"),
            (Drop("/spec/url"), "`url` is missing"),
            (Put("/spec/url", json!("")), "minLength"),
            (
                Put("/spec/failStrategy", json!("FAIL_OPENED")),
                "failStrategy",
            ),
            (Put("/spec/failStrategy", json!(true)), "failStrategy"),
            (Put("/spec/phase", json!("FIRST")), "phase"),
            (Put("/spec/priority", json!("1000")), "priority"),
            (Put("/spec/sha256", json!("abc")), "sha256"),
            (Put("/spec/sha256", json!(["0"])), "sha256"),
            (Put("/spec/pluginConfig", json!("{}")), "pluginConfig"),
            (Put("/spec/match", json!([{"mode": "server"}])), "mode"),
            (
                Put("/spec/match", json!([{"ports": [{"number": 0}]}])),
                "minimum",
            ),
            (
                Put("/spec/vmConfig/env/0/valueFrom", json!("SECRET")),
                "valueFrom",
            ),
            (
                Put("/apiVersion", json!("extensions.istio.io/v1")),
                "no schema for this kind",
            ),
        ],
    );
}

#[test]
fn wasm_plugins_against_a_rule_are_refused() {
    let Some(schemas) = all_schemas() else { return };
    let gateway = json!([{"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "a"}]);
    let elsewhere = json!({"kind": "Gateway", "name": "a", "namespace": "b"});
    let twice = json!({"name": "THROUGHLINE_INGEST_TOKEN", "valueFrom": "HOST"});
    let url = "url must have schema one of";
    check(
        &schemas,
        "envoy/istio/wasmplugin.yaml",
        "WasmPlugin",
        &[
            (Put("/spec/url", json!("ftp://registry.example/a:1")), url),
            (Put("/spec/url", json!("oci//registry example")), url),
            (
                Put("/spec/vmConfig/env/0/value", json!("x")),
                "value may only be set when",
            ),
            (Put("/spec/vmConfig/env/-", twice), "env[2]: is there twice"),
            (
                Put("/spec/targetRefs", gateway),
                "only one of targetRefs or selector",
            ),
            (Put("/spec/targetRef", elsewhere), "cross namespace"),
            (
                Put("/spec/selector/matchLabels/a", json!("x*")),
                "wildcard not allowed in label value",
            ),
            (
                Put("/spec/selector/matchLabels/a*", json!("x")),
                "wildcard not allowed in label key",
            ),
            (
                Put("/spec/selector/matchLabels/", json!("x")),
                "key must not be empty",
            ),
        ],
    );
}

#[test]
fn wrong_traffic_extensions_are_refused() {
    let Some(schemas) = all_schemas() else { return };
    let lua = json!({"inlineCode": "x"});
    let twice = json!({"name": "THROUGHLINE_INGEST_TOKEN", "value": "x"});
    let selector = json!({"matchLabels": {"istio": "ingress"}});
    check(
        &schemas,
        "envoy/istio/trafficextension.yaml",
        "TrafficExtension",
        &[
            (Put("/spec/lua", lua), "exactly one of wasm or lua"),
            (Drop("/spec/wasm"), "exactly one of wasm or lua"),
            (Drop("/spec/wasm/url"), "`url` is missing"),
            (
                Rename("/spec/wasm/pluginConfig", "pluginconfig"),
                "wasm.pluginconfig",
            ),
            (
                Put("/spec/url", json!("oci://a/b:1")),
                "spec.url: the schema does not",
            ),
            (
                Put("/spec/wasm/url", json!("s3://a/b")),
                "url must have schema one of",
            ),
            (
                Put("/spec/wasm/failStrategy", json!("OPEN")),
                "failStrategy",
            ),
            (
                Put("/spec/wasm/vmConfig/env/1/value", json!("x")),
                "value may only be set when",
            ),
            (
                Put("/spec/wasm/vmConfig/env/-", twice),
                "env[2]: is there twice",
            ),
            (
                Put("/spec/selector", selector),
                "only one of targetRefs or selector",
            ),
            (
                Put("/spec/targetRefs/0/namespace", json!("b")),
                "cross namespace",
            ),
            (Put("/spec/targetRefs/0/kind", json!("")), "minLength"),
        ],
    );
}

#[test]
fn wrong_service_entries_are_refused() {
    let Some(schemas) = all_schemas() else { return };
    let again = |name: &str, number: u32| json!({"name": name, "number": number});
    let endpoints = json!([{"address": "10.0.0.1"}]);
    let two = json!([{"address": "10.0.0.1"}, {}]);
    check(
        &schemas,
        "envoy/istio/serviceentry.yaml",
        "ServiceEntry",
        &[
            (Put("/spec/hosts", json!([])), "minItems"),
            (
                Put("/spec/hosts", json!(["*"])),
                "hostname cannot be wildcard",
            ),
            (
                Rename("/spec/ports", "port"),
                "spec.port: the schema does not",
            ),
            (
                Put("/spec/ports/-", again("other", 8080)),
                "port number cannot be duplicated",
            ),
            (
                Put("/spec/ports/-", again("http", 8081)),
                "ports[1]: is there twice",
            ),
            (
                Put("/spec/ports/-", again("high", 65_536)),
                "port must be between",
            ),
            (Put("/spec/ports/0/number", json!("8080")), "number"),
            (Put("/spec/resolution", json!("dns")), "resolution"),
            (Put("/spec/location", json!("OUTSIDE")), "location"),
            (
                Put("/spec/addresses", json!(["10.0.0.0/8"])),
                "CIDR addresses",
            ),
            (Put("/spec/endpoints", two), "Address is required"),
        ],
    );
    let mut none = manifest("envoy/istio/serviceentry.yaml", "ServiceEntry");
    Put("/spec/endpoints", endpoints).apply(&mut none.value);
    Put("/spec/resolution", json!("NONE")).apply(&mut none.value);
    assert!(schemas.faults(&none)[0].contains("NONE mode cannot set endpoints"));
}

#[test]
fn wrong_extension_policies_are_refused() {
    let Some(schemas) = all_schemas() else { return };
    let target = json!({"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "a"});
    let http = json!({"url": "https://files.example/plugin.wasm"});
    let environment = json!([{"name": "A", "value": "b"}]);
    let pull = json!({"kind": "ConfigMap", "name": "registry"});
    check(
        &schemas,
        "envoy/gateway/envoyextensionpolicy.yaml",
        "EnvoyExtensionPolicy",
        &[
            (Drop("/spec/targetRefs"), "either targetRef or targetRefs"),
            (
                Put("/spec/targetRef", target),
                "either targetRef or targetRefs",
            ),
            (
                Put("/spec/targetRefs/0/group", json!("")),
                "targetRefs[*].group",
            ),
            (
                Put("/spec/targetRefs/0/kind", json!("Service")),
                "targetRefs[*].kind",
            ),
            (
                Put("/spec/targetRefs/0/namespace", json!("a")),
                "targetRefs[0].namespace",
            ),
            (
                Put("/spec/mergeType", json!("StrategicMerge")),
                "mergeType can only be used",
            ),
            (Drop("/spec/wasm/0/code"), "`code` is missing"),
            (
                Put("/spec/wasm/0/code/type", json!("HTTP")),
                "If type is HTTP",
            ),
            (Put("/spec/wasm/0/code/type", json!("OCI")), "enum"),
            (Put("/spec/wasm/0/code/http", http), "If type is HTTP"),
            (Drop("/spec/wasm/0/code/image"), "If type is Image"),
            (
                Put("/spec/wasm/0/code/image/pullSecretRef", pull),
                "only support Secret kind",
            ),
            (Put("/spec/wasm/0/failOpen", json!("true")), "failOpen"),
            (
                Rename("/spec/wasm/0/failOpen", "failStrategy"),
                "failStrategy: the schema does not",
            ),
            (
                Rename("/spec/wasm/0/rootID", "rootId"),
                "rootId: the schema does not",
            ),
            (
                Rename("/spec/wasm/0/config", "pluginConfig"),
                "pluginConfig: the schema does not",
            ),
            (Put("/spec/wasm/0/env/hostKeys", environment), "hostKeys[0]"),
            (
                Put("/spec/wasm/0/env/value", json!("x")),
                "env.value: the schema does not",
            ),
            (
                Put("/spec/wasm/0/cluster", json!("throughline")),
                "cluster: the schema does not",
            ),
        ],
    );
}

#[test]
fn wrong_ordinary_kinds_are_refused() {
    let schemas = Schemas::own().unwrap();
    let container = "/spec/template/spec/containers/0";
    assert!(
        manifest("envoy/kubernetes/statefulset.yaml", "StatefulSet")
            .at(container)
            .is_object()
    );
    let twice = json!({"name": "THROUGHLINE_DATA", "value": "x"});
    check(
        &schemas,
        "envoy/kubernetes/statefulset.yaml",
        "StatefulSet",
        &[
            (
                Rename(
                    "/spec/template/spec/containers/0/securityContext/readOnlyRootFilesystem",
                    "readOnlyRootFileSystem",
                ),
                "readOnlyRootFileSystem: the schema does not",
            ),
            (
                Rename(
                    "/spec/template/spec/containers/0/livenessProbe",
                    "livenessprobe",
                ),
                "livenessprobe: the schema does not",
            ),
            (
                Put("/spec/template/spec/containers/0/env/-", twice),
                "is there twice",
            ),
            (
                Put(
                    "/spec/template/spec/securityContext/runAsUser",
                    json!("10001"),
                ),
                "runAsUser",
            ),
            (
                Put(
                    "/spec/template/spec/containers/0/resources/limits/memory",
                    json!("4GB"),
                ),
                "pattern",
            ),
        ],
    );
    check(
        &schemas,
        "envoy/kubernetes/networkpolicy.yaml",
        "NetworkPolicy",
        &[
            (Put("/spec/ingress/0/from", json!([])), "minItems"),
            (Drop("/spec/ingress/0/ports"), "`ports` is missing"),
            (Put("/spec/policyTypes", json!(["ingress"])), "enum"),
        ],
    );
}

#[test]
fn a_key_that_is_written_twice_is_refused() {
    assert!(documents("spec: {url: a, url: b}").is_err());
}

#[test]
fn a_schema_with_something_new_is_a_fault() {
    let mut check = manifests::schema::Check::default();
    let rule = json!([{"rule": "self > 1", "message": "a new rule"}]);
    let schema = json!({"type": "integer", "multipleOf": 2, "x-kubernetes-validations": rule});
    check.value(&schema, &json!(3), "here");
    assert_eq!(check.faults.len(), 2, "{:?}", check.faults);
}
