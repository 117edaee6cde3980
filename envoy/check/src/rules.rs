//! The CEL rules (`x-kubernetes-validations`) of the four kinds, by hand.
//!
//! A rule is found by its message. The validator asks here at each place that has rules, so a rule
//! that is missing here, or that came with a newer schema, is a fault and not forgotten.

use std::collections::HashSet;

use serde_json::Value;

const GATEWAY_GROUP: &str = "gateway.networking.k8s.io";
const ROUTES: &[&str] = &["HTTPRoute", "GRPCRoute", "UDPRoute", "TCPRoute", "TLSRoute"];

fn has(value: &Value, name: &str) -> bool {
    value.get(name).is_some()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    let items = value.get(name).and_then(Value::as_array);
    items.map(Vec::as_slice).unwrap_or_default()
}

fn at_most_one(value: &Value, names: &[&str]) -> bool {
    names.iter().filter(|name| has(value, name)).count() <= 1
}

fn targets(value: &Value) -> impl Iterator<Item = &Value> {
    value
        .get("targetRef")
        .into_iter()
        .chain(list(value, "targetRefs"))
}

fn target_kind(value: &Value) -> bool {
    targets(value).all(|target| {
        let kind = text(target, "kind");
        ROUTES.contains(&kind) || ["Gateway", "ListenerSet"].contains(&kind)
    })
}

/// Whether the rule with this message holds for the value at its place; `None` for a rule that is
/// not known.
#[must_use]
pub fn holds(message: &str, value: &Value) -> Option<bool> {
    plugin(message, value)
        .or_else(|| entry(message, value))
        .or_else(|| policy(message, value))
}

/// `WasmPlugin` and `TrafficExtension`.
fn plugin(message: &str, value: &Value) -> Option<bool> {
    Some(match message {
        "wildcard not allowed in label value match" | "wildcard is not supported in selector" => {
            !value.as_str()?.contains('*')
        }
        "wildcard not allowed in label key match" => {
            !value.as_object()?.keys().any(|key| key.contains('*'))
        }
        "key must not be empty" => !value.as_object()?.contains_key(""),
        "cross namespace referencing is not currently supported" => value.as_str()?.is_empty(),
        "url must have schema one of [http, https, file, oci]" => url_scheme(value.as_str()?),
        "value may only be set when valueFrom is INLINE" => {
            text(value, "valueFrom") != "HOST" || !has(value, "value")
        }
        "only one of targetRefs or selector can be set" => {
            at_most_one(value, &["selector", "targetRef", "targetRefs"])
        }
        "exactly one of wasm or lua must be set" => has(value, "wasm") != has(value, "lua"),
        _ => return None,
    })
}

/// Without a scheme a URL means an image: `registry.example/filter:1`.
fn url_scheme(url: &str) -> bool {
    match url.split_once("://") {
        Some((scheme, rest)) => {
            ["http", "https", "file", "oci"].contains(&scheme) && !rest.is_empty()
        }
        None => !url.contains(char::is_whitespace),
    }
}

/// `ServiceEntry`.
fn entry(message: &str, value: &Value) -> Option<bool> {
    let resolution = match text(value, "resolution") {
        "" => "NONE",
        named => named,
    };
    let unix = text(value, "address").starts_with("unix://");
    Some(match message {
        "only one of WorkloadSelector or Endpoints can be set" => {
            at_most_one(value, &["workloadSelector", "endpoints"])
        }
        "CIDR addresses are allowed only for NONE/STATIC resolution types" => {
            let ranges = list(value, "addresses").iter().filter_map(Value::as_str);
            !ranges.into_iter().any(|range| range.contains('/'))
                || ["NONE", "STATIC"].contains(&resolution)
        }
        "NONE mode cannot set endpoints" => resolution != "NONE" || !has(value, "endpoints"),
        "DNS_ROUND_ROBIN mode cannot have multiple endpoints" => {
            resolution != "DNS_ROUND_ROBIN" || list(value, "endpoints").len() <= 1
        }
        "hostname cannot be wildcard" => value.as_str()? != "*",
        "port must be between 1-65535" => (1..=65_535).contains(&value.as_u64()?),
        "port number cannot be duplicated" => {
            let mut seen = HashSet::new();
            let mut numbers = value.as_array()?.iter().map(|port| port.get("number"));
            numbers.all(|number| seen.insert(number.map(Value::to_string)))
        }
        "Address is required" => has(value, "address") || has(value, "network"),
        "UDS may not include ports" => !unix || !has(value, "ports"),
        _ => return None,
    })
}

/// `EnvoyExtensionPolicy`.
fn policy(message: &str, value: &Value) -> Option<bool> {
    Some(match message {
        "either targetRef or targetRefs must be used" => {
            has(value, "targetRef") != has(value, "targetRefs")
                || !list(value, "targetSelectors").is_empty()
        }
        "this policy can only have a targetRef.group of gateway.networking.k8s.io"
        | "this policy can only have a targetRefs[*].group of gateway.networking.k8s.io" => {
            targets(value).all(|target| text(target, "group") == GATEWAY_GROUP)
        }
        "this policy can only have a targetRef.kind of Gateway/ListenerSet/HTTPRoute/GRPCRoute/TCPRoute/UDPRoute/TLSRoute"
        | "this policy can only have a targetRefs[*].kind of Gateway/ListenerSet/HTTPRoute/GRPCRoute/TCPRoute/UDPRoute/TLSRoute" => {
            target_kind(value)
        }
        "mergeType can only be used with xRoute targets" => {
            let kinds = targets(value).chain(list(value, "targetSelectors"));
            !has(value, "mergeType")
                || kinds
                    .into_iter()
                    .all(|target| ROUTES.contains(&text(target, "kind")))
        }
        "If type is HTTP, http field needs to be set." => {
            (text(value, "type") == "HTTP") == has(value, "http")
        }
        "If type is Image, image field needs to be set." => {
            (text(value, "type") == "Image") == has(value, "image")
        }
        "only support Secret kind." => ["", "Secret"].contains(&text(value, "kind")),
        _ => return None,
    })
}
