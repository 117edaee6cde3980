//! What differs between two policies.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// Differences listed.
const DIFFERENCES_MAX: usize = 1_000;

/// One place that differs.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Difference {
    /// Where, e.g. `keys[login].from.cookie`: entries with a name go by it.
    pub place: String,
    /// What was there; null when there was nothing.
    #[schema(value_type = Object)]
    pub before: Value,
    /// What is there now; null when there is nothing.
    #[schema(value_type = Object)]
    pub after: Value,
}

/// Everything that differs, at most 1,000 places.
#[must_use]
pub fn difference(before: &Value, after: &Value) -> Vec<Difference> {
    let mut all = Vec::new();
    compare("", before, after, &mut all);
    all
}

fn name(entry: &Value) -> Option<&str> {
    entry.get("name")?.as_str()
}

fn join(place: &str, key: &str) -> String {
    if place.is_empty() {
        key.to_owned()
    } else {
        format!("{place}.{key}")
    }
}

fn compare(place: &str, before: &Value, after: &Value, all: &mut Vec<Difference>) {
    if before == after || all.len() >= DIFFERENCES_MAX {
        return;
    }
    match (before, after) {
        (Value::Object(one), Value::Object(two)) => {
            let new = two.keys().filter(|key| !one.contains_key(*key));
            for key in one.keys().chain(new) {
                let get = |map: &serde_json::Map<String, Value>| {
                    map.get(key).cloned().unwrap_or_default()
                };
                compare(&join(place, key), &get(one), &get(two), all);
            }
        }
        (Value::Array(one), Value::Array(two)) if one.iter().chain(two).all(named) => {
            compare_named(place, one, two, all);
        }
        _ => all.push(Difference {
            place: place.to_owned(),
            before: before.clone(),
            after: after.clone(),
        }),
    }
}

fn named(entry: &Value) -> bool {
    name(entry).is_some()
}

/// Entries go by their names; where only their order differs, that is the difference.
fn compare_named(place: &str, one: &[Value], two: &[Value], all: &mut Vec<Difference>) {
    let length = all.len();
    let find = |list: &[Value], entry: &Value| {
        list.iter()
            .find(|other| name(other) == name(entry))
            .cloned()
    };
    let new = two.iter().filter(|entry| find(one, entry).is_none());
    for entry in one.iter().chain(new) {
        let place = format!("{place}[{}]", name(entry).unwrap_or_default());
        let (before, after) = (find(one, entry), find(two, entry));
        compare(
            &place,
            &before.unwrap_or_default(),
            &after.unwrap_or_default(),
            all,
        );
    }
    if all.len() == length {
        let names = |list: &[Value]| list.iter().filter_map(name).map(Value::from).collect();
        all.push(Difference {
            place: format!("{place} (order)"),
            before: names(one),
            after: names(two),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(before: &Value, after: &Value, places: &[&str]) {
        let found = difference(before, after);
        let found: Vec<_> = found.iter().map(|it| it.place.as_str()).collect();
        assert_eq!(found, places);
    }

    #[test]
    fn names_each_place() {
        let rule = |name: &str, cookie: &str| json!({"name": name, "from": {"cookie": cookie}});
        let keys = |rules: Vec<&Value>| json!({ "keys": rules });
        let (a, b) = (rule("a", "x"), rule("b", "y"));
        check(&json!({}), &json!({}), &[]);
        check(&json!({}), &json!({"fallback": "ip"}), &["fallback"]);
        check(
            &keys(vec![&a]),
            &keys(vec![&rule("a", "z")]),
            &["keys[a].from.cookie"],
        );
        check(&keys(vec![&a]), &keys(vec![&b]), &["keys[a]", "keys[b]"]);
        check(&keys(vec![&a, &b]), &keys(vec![&b, &a]), &["keys (order)"]);
        check(&keys(vec![&a]), &json!({}), &["keys"]);
        check(
            &json!({"query_values": ["a"]}),
            &json!({"query_values": ["b"]}),
            &["query_values"],
        );
    }
}
