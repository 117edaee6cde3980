//! The JSON Schema of policies, for editors: `docs/policy.schema.json` is a snapshot of it.
//!
//! It says what a schema can say. `throughline policy check` knows more: names that are taken,
//! applications that nobody defined, patterns that do not compile.

use serde_json::{Value, json};
use throughline_detection::detectors;

fn list(items: &Value, most: u64) -> Value {
    json!({"type": "array", "items": items, "maxItems": most})
}

fn text() -> Value {
    json!({"type": "string", "minLength": 1})
}

fn object(about: &str, required: &[&str], properties: &Value) -> Value {
    json!({
        "type": "object", "description": about, "required": required,
        "additionalProperties": false, "properties": properties,
    })
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/$defs/{name}")})
}

/// What limits a rule or parameter, beside its own properties.
fn limited(own: Value) -> Value {
    let texts = list(&text(), 1000);
    let mut all = own;
    if let Value::Object(properties) = &mut all {
        properties.insert("applications".into(), texts.clone());
        properties.insert("hosts".into(), texts.clone());
        properties.insert("path_prefixes".into(), list(&reference("prefix"), 1000));
        properties.insert(
            "methods".into(),
            list(&json!({"type": "string", "pattern": "^[A-Z]*$"}), 100),
        );
    }
    all
}

/// Each place with what it needs, in the order of the names.
fn places() -> Vec<(&'static str, Value)> {
    let nothing = object("Needs nothing more.", &[], &json!({}));
    let graphql = json!({"oneOf": [
        object("The operation's name.", &["operation"], &json!({"operation": nothing})),
        object("A variable.", &["variable"], &json!({"variable": reference("pointer")})),
    ]});
    let fingerprint = object(
        "A header that the proxy's configuration sets and a client cannot.",
        &["header", "trusted"],
        &json!({"header": text(), "trusted": {"const": true}}),
    );
    let jwt = object(
        "A claim of a JWT, unverified.",
        &["claim", "in"],
        &json!({"claim": {"type": "string"}, "in": reference("source")}),
    );
    let template = json!({"type": "string", "pattern": "^/.*\\{[^/]+\\}"});
    vec![
        ("bearer", nothing.clone()),
        ("cookie", text()),
        ("fingerprint", fingerprint),
        ("form", text()),
        ("graphql", graphql),
        ("grpc", json!({"enum": ["service", "method"]})),
        ("header", text()),
        ("host", nothing.clone()),
        ("json", reference("pointer")),
        ("jwt", jwt),
        ("method", nothing),
        ("path", template),
        ("path_segment", json!({"type": "integer", "minimum": 0})),
        ("query", text()),
        ("tls", json!({"enum": ["peer_subject", "sni"]})),
    ]
}

fn source() -> Value {
    let mut places = places();
    places.push(("response", reference("source")));
    let each = places.into_iter().map(|(name, needs)| {
        let mut properties = json!({"decode": reference("decode")});
        properties[name] = needs;
        object("A place.", &[name], &properties)
    });
    json!({
        "description": "Where a value is, e.g. {\"cookie\": \"sid\"}.",
        "oneOf": each.collect::<Vec<_>>(),
    })
}

fn flow() -> Value {
    let endpoint = json!({"type": "string", "pattern": "^[A-Z]+ /"});
    let endpoints = json!({"oneOf": [
        endpoint, {"type": "array", "items": endpoint, "minItems": 1, "maxItems": 16},
    ]});
    let step = json!({"name": {"type": ["string", "null"]}, "endpoint": endpoints});
    let step = object("A request answered with success.", &["endpoint"], &step);
    json!({
        "name": reference("name"),
        "application": {"oneOf": [{"type": "null"}, reference("name")]},
        "within": {"type": "string", "default": "30m"},
        "steps": {"type": "array", "items": step, "minItems": 2, "maxItems": 12},
    })
}

fn visits() -> Value {
    let time = |default: &str| json!({"type": ["string", "null"], "default": default});
    let mut all = json!({"idle": time("30m"), "longest": time("1d")});
    let one = object("Visits of one application.", &[], &all);
    all["applications"] = json!({"type": "object", "additionalProperties": one});
    object("When visits end, e.g. {\"idle\": \"30m\"}.", &[], &all)
}

fn definitions() -> Value {
    let name = json!({"type": "string", "pattern": "^[a-z0-9_-]{1,64}$"});
    let from = json!({"oneOf": [
        reference("source"),
        {"type": "array", "items": reference("source"), "minItems": 1, "maxItems": 8},
    ]});
    let steps = json!({"oneOf": [
        {"enum": ["percent", "base64", "lower", "trim"]},
        object("The first group of a match.", &["regex"], &json!({"regex": {"type": "string"}})),
    ]});
    let ends = json!({"type": "integer", "minimum": 0, "maximum": 255});
    let parameter = limited(json!({
        "name": reference("name"), "from": from,
        "kind": {"enum": ["user", "role", "plain"], "default": "plain"},
        "hash": {"type": "boolean", "default": false},
        "mask": {"oneOf": [
            {"type": "null"},
            object("Characters that stay readable.", &[], &json!({"start": ends, "end": ends})),
        ]},
        "bytes_max": {"type": ["integer", "null"], "minimum": 1, "maximum": 1024, "default": 128},
    }));
    let rule = limited(json!({
        "name": reference("name"), "from": from,
        "namespace": {"oneOf": [{"type": "null"}, reference("name")]},
    }));
    let number = json!({"type": "number", "exclusiveMinimum": 0});
    let limits = detectors::abouts().map(|about| (about.name.to_owned(), number.clone()));
    let limits = Value::Object(limits.collect());
    let exception = json!({
        "network": text(), "user_agent": text(), "path_prefix": reference("prefix"),
        "session": {"type": "string", "pattern": "^[0-9a-f]{32}$"}, "user": text(),
        "country": {"type": "string", "pattern": "^[A-Z]{2}$"},
        "note": {"type": ["string", "null"]},
    });
    let exception = object(
        "Whom to leave alone: one of them, and a note.",
        &[],
        &exception,
    );
    let profile = json!({
        "applications": list(&text(), 1000),
        "sensitivity": {"enum": ["low", "medium", "high"], "default": "medium"},
        "off": list(&reference("detector"), 100),
        "limits": object("Limits in place of cold-start and learnt ones.", &[], &limits),
        "exceptions": list(&exception, 1000),
        "good_bots": list(&text(), 1000),
        "crawlers": list(&crawler(), 1000),
        "account_parameters": list(&text(), 1000),
        "fingerprint_parameters": list(&text(), 1000),
    });
    let names: Vec<_> = detectors::abouts().map(|about| about.name).collect();
    let application = json!({
        "name": reference("name"),
        "hosts": list(&text(), 1000),
        "path_prefixes": list(&reference("prefix"), 1000),
    });
    json!({
        "name": name,
        "prefix": {"type": "string", "pattern": "^/"},
        "pointer": {"type": "string", "pattern": "^(/.*)?$"},
        "decode": list(&steps, 100),
        "source": source(),
        "flow": object("What people come to do.", &["name", "steps"], &flow()),
        "application": object("A named set of hosts and path prefixes.", &["name"], &application),
        "detector": {"enum": names},
        "profile": object("How some applications are watched for bots.", &[], &profile),
        "key": object("One way to tell whose request it is.", &["name", "from"], &rule),
        "parameter": object("A named value kept for display and analysis.", &["name", "from"], &parameter),
    })
}

fn crawler() -> Value {
    let domain = json!({"type": "string", "pattern": "^[A-Za-z0-9_-]+([.][A-Za-z0-9_-]+)+$"});
    let fields = json!({
        "name": {"type": "string", "minLength": 1},
        "user_agent": {"type": "string", "minLength": 3},
        "domains": list(&domain, 20),
    });
    object(
        "A good bot that is looked up in DNS when somebody claims to be it.",
        &["name", "user_agent", "domains"],
        &fields,
    )
}

/// The schema.
#[must_use]
pub fn schema() -> Value {
    let properties = json!({
        "version": {"type": ["string", "null"], "description": "A label for people: records carry the number of the stored version."},
        "applications": list(&reference("application"), 1000),
        "keys": list(&reference("key"), 100),
        "builtin_off": list(&text(), 1000),
        "fallback": {"enum": ["ip_user_agent", "ip", "ip_prefix"], "default": "ip_user_agent"},
        "parameters": list(&reference("parameter"), 50),
        "body_bytes": {"type": "integer", "minimum": 0, "maximum": 1_048_576, "default": 16_384},
        "query_values": list(&json!({"type": "string"}), 50),
        "detection": list(&reference("profile"), 256),
        "flows": list(&reference("flow"), 50),
        "visits": visits(),
        "secret_paths": list(&json!({"type": "string", "pattern": "^/"}), 100),
    });
    let mut all = object(
        "A policy of Throughline: what a session is.",
        &[],
        &properties,
    );
    all["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    all["title"] = "Throughline policy".into();
    all["$defs"] = definitions();
    all
}

#[cfg(test)]
mod tests {
    use super::super::examples;
    use super::*;
    use crate::fits::fits;

    #[test]
    fn every_place_of_the_filter_is_in_it() {
        let names: Vec<_> = places().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, throughline_session::extract::ALL);
    }

    /// `UPDATE_EXPECT=1` writes the file instead.
    #[test]
    fn the_schema_is_the_one_checked_in() {
        let file =
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/policy.schema.json");
        let text = serde_json::to_string_pretty(&schema()).unwrap() + "\n";
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            std::fs::write(&file, &text).unwrap();
        }
        assert_eq!(
            std::fs::read_to_string(&file).unwrap_or_default(),
            text,
            "docs/policy.schema.json is stale: run the tests with UPDATE_EXPECT=1"
        );
    }

    fn check(policy: &Value, expected: bool) {
        let schema = schema();
        assert_eq!(fits(&schema, &schema, policy), expected, "{policy}");
    }

    #[test]
    fn every_example_of_the_docs_fits() {
        for policy in examples::policies() {
            check(&serde_yaml_ng::from_str(&policy).unwrap(), true);
        }
        for place in examples::places() {
            check(&json!({"keys": [{"name": "a", "from": place}]}), true);
        }
        for place in [
            json!({"cokie": "sid"}),
            json!({"cookie": ""}),
            json!({"cookie": "a", "header": "b"}),
            json!({"fingerprint": {"header": "x"}}),
            json!({"grpc": "both"}),
            json!([]),
        ] {
            check(&json!({"keys": [{"name": "a", "from": place}]}), false);
        }
        check(&json!({"keyz": []}), false);
        check(&json!({"visits": {"pause": "1m"}}), false);
        check(
            &json!({"visits": {"applications": {"shop": {"idle": 1}}}}),
            false,
        );
    }
}
