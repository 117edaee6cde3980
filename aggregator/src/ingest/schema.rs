//! `docs/ingest.schema.json`, held against what is really read: for every field, that both take it
//! or both do not. A field that is new has its place there before the tests pass.

use serde_json::{Value, json};

use super::{header, line};
use crate::fits::fits;

fn schema() -> Value {
    serde_json::from_str(include_str!("../../../docs/ingest.schema.json")).unwrap()
}

/// A value that fits `rule`, with every property and the longest texts.
fn fitting(rule: &Value) -> Value {
    if let Some(reference) = rule.get("const") {
        return reference.clone();
    }
    if let Some(words) = rule.get("enum") {
        return words[0].clone();
    }
    let kind = rule["type"].as_str().or_else(|| rule["type"][0].as_str());
    match kind.unwrap() {
        "object" => {
            let all = rule["properties"].as_object().unwrap();
            let made = all.iter().map(|(name, rule)| (name.clone(), fitting(rule)));
            Value::Object(made.collect())
        }
        "array" => match rule.get("prefixItems").and_then(Value::as_array) {
            Some(items) => items.iter().map(fitting).collect(),
            None => json!([fitting(&rule["items"])]),
        },
        "string" => match (rule["pattern"].as_str(), rule["maxLength"].as_u64()) {
            (Some(pattern), _) => {
                let count = pattern.split(['{', '}']).nth(1).unwrap();
                "0".repeat(count.parse().unwrap()).into()
            }
            (None, most) => "x"
                .repeat(most.map_or(9, |it| it.try_into().unwrap()))
                .into(),
        },
        "integer" => 0.into(),
        "boolean" => true.into(),
        other => panic!("{other}"),
    }
}

/// Every value in `all` with the rule that holds for it, by JSON pointer.
fn places(rule: &Value, at: &str, found: &mut Vec<(String, Value)>) {
    found.push((at.to_owned(), rule.clone()));
    for (name, rule) in rule["properties"].as_object().into_iter().flatten() {
        places(rule, &format!("{at}/{name}"), found);
    }
    if rule["items"].is_object() {
        places(&rule["items"], &format!("{at}/0"), found);
    }
    let pair = rule["prefixItems"].as_array().into_iter().flatten();
    for (number, rule) in pair.enumerate() {
        places(rule, &format!("{at}/{number}"), found);
    }
}

/// A change to a value, whether it is still taken then, and what the change is.
type Change = (Value, bool, &'static str);

/// Changes to an object with the rule `rule`.
fn of_object(rule: &Value, good: &Value) -> Vec<Change> {
    let required = rule["required"].as_array().unwrap();
    let all = rule["properties"].as_object().unwrap();
    let without = all.keys().map(|name| {
        let mut value = good.clone();
        value.as_object_mut().unwrap().remove(name);
        let is_required = required.iter().any(|it| it == name);
        (value, !is_required, "without a field")
    });
    let mut more = good.clone();
    more["colour"] = 1.into();
    without.chain([(more, false, "one more field")]).collect()
}

/// Changes to a value at `at` with the rule `rule`.
fn of_value(rule: &Value, at: &str, good: &Value) -> Vec<Change> {
    let mut changes = vec![(0.5.into(), false, "another kind")];
    if rule.get("const").is_none() {
        changes.push((Value::Null, rule["type"][1] == "null", "null"));
    }
    if rule["type"] == "object" {
        changes.extend(of_object(rule, good));
    }
    if rule["maxLength"].is_u64() {
        let longer = format!("{}x", good.as_str().unwrap());
        changes.push((longer.into(), false, "longer"));
    }
    if let Some(most) = rule["maximum"].as_u64() {
        changes.push(((-1).into(), false, "negative"));
        let more = most.checked_add(1).map(|it| (it.into(), false, "more"));
        // What else these must be, no schema can say.
        if !["/index", "/start_us"].contains(&at) {
            changes.push((most.into(), true, "most"));
            changes.extend(more);
        }
    }
    if let Some(most) = rule["maxItems"].as_u64() {
        let times = |count| (0..count).map(|_| good[0].clone()).collect();
        changes.push((times(most), true, "full"));
        changes.push((times(most + 1), false, "too many"));
    }
    changes
}

/// Holds schema and reader against each other, around a value that both take.
fn held(name: &str, reads: impl Fn(&[u8]) -> Result<(), String>) {
    let schema = schema();
    let check = |value: &Value, expected: bool, what: &str| {
        let read = reads(&serde_json::to_vec(value).unwrap());
        assert_eq!(read.is_ok(), expected, "read: {what}: {read:?}");
        assert_eq!(fits(&schema, &schema, value), expected, "schema: {what}");
    };
    let rule = &schema["$defs"][name];
    let good = fitting(rule);
    check(&good, true, "everything is there");
    let mut all = Vec::new();
    places(rule, "", &mut all);
    assert!(all.len() > 20);
    for (at, rule) in all {
        for (change, expected, what) in of_value(&rule, &at, good.pointer(&at).unwrap()) {
            let mut value = good.clone();
            *value.pointer_mut(&at).unwrap() = change;
            check(&value, expected, &format!("{at}: {what}"));
        }
    }
}

#[test]
fn what_a_line_may_be_the_schema_says() {
    held("record", |line| {
        let body = [b"{}\n", line].concat();
        let (_, _, read) = line::read_all(&body, 0).next().unwrap();
        read.map(drop)
    });
    held("header", |line| {
        header::read(line)
            .map(drop)
            .map_err(|error| error.to_string())
    });
}
