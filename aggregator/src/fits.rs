//! Does a value fit one of our JSON Schemas? For tests: a whole validator as a dependency would give
//! the crates under test other features than those they are shipped with.

use serde_json::Value;

/// Whether `value` fits `rule`, a part of the schema `all`: the words of JSON Schema that ours use. Of
/// patterns only those that count hex digits are looked at.
#[expect(clippy::too_many_lines, reason = "one entry per word of a schema")]
pub(crate) fn fits(all: &Value, rule: &Value, value: &Value) -> bool {
    let Some(words) = rule.as_object() else {
        return false;
    };
    let is_kind = |kind: &Value| match kind.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        "null" => value.is_null(),
        other => panic!("{other}"),
    };
    let number = value.as_f64();
    let integer = value
        .as_i64()
        .map(i128::from)
        .or(value.as_u64().map(i128::from));
    let length = value.as_array().map(Vec::len);
    words.iter().all(|(word, about)| match word.as_str() {
        "$ref" => {
            let name = about.as_str().unwrap().strip_prefix('#').unwrap();
            fits(all, all.pointer(name).unwrap(), value)
        }
        "type" => match about {
            Value::Array(kinds) => kinds.iter().any(is_kind),
            kind => is_kind(kind),
        },
        "enum" => about.as_array().unwrap().contains(value),
        "const" => about == value,
        "oneOf" => {
            let rules = about.as_array().unwrap();
            rules.iter().filter(|rule| fits(all, rule, value)).count() == 1
        }
        "required" => {
            let names = about.as_array().unwrap();
            let is_there = |name: &Value| value.get(name.as_str().unwrap()).is_some();
            !value.is_object() || names.iter().all(is_there)
        }
        "properties" => value
            .as_object()
            .into_iter()
            .flatten()
            .all(|(name, field)| about.get(name).is_some_and(|rule| fits(all, rule, field))),
        "prefixItems" => {
            let rules = about.as_array().unwrap();
            let items = value.as_array().into_iter().flatten();
            items.zip(rules).all(|(item, rule)| fits(all, rule, item))
        }
        "items" => {
            let before = words.get("prefixItems").and_then(Value::as_array);
            let items = value.as_array().into_iter().flatten();
            let mut rest = items.skip(before.map_or(0, Vec::len));
            rest.all(|item| fits(all, about, item))
        }
        "maxItems" => length.is_none_or(|length| length as u64 <= about.as_u64().unwrap()),
        "minItems" => length.is_none_or(|length| length as u64 >= about.as_u64().unwrap()),
        "minLength" => value.as_str().is_none_or(|text| !text.is_empty()),
        "exclusiveMinimum" => number.is_none_or(|number| number > about.as_f64().unwrap()),
        "minimum" => number.is_none_or(|number| number >= about.as_f64().unwrap()),
        "maximum" => match (integer, about.as_u64()) {
            (Some(integer), Some(most)) => integer <= i128::from(most),
            _ => number.is_none_or(|number| number <= about.as_f64().unwrap()),
        },
        "maxLength" => {
            let most = about.as_u64().unwrap();
            value
                .as_str()
                .is_none_or(|text| text.chars().count() as u64 <= most)
        }
        "pattern" => {
            let count = about.as_str().unwrap().strip_prefix("^[0-9a-f]{");
            let count: Option<usize> = count.and_then(|it| it.strip_suffix("}$")?.parse().ok());
            let is_digit = |digit: char| digit.is_ascii_digit() || ('a'..='f').contains(&digit);
            value.as_str().zip(count).is_none_or(|(text, count)| {
                text.chars().count() == count && text.chars().all(is_digit)
            })
        }
        "additionalProperties" => {
            let known = words.get("properties");
            let mut fields = value.as_object().into_iter().flatten();
            match about {
                Value::Bool(false) => {
                    fields.all(|(name, _)| known.is_some_and(|it| it.get(name).is_some()))
                }
                rule => fields.all(|(_, field)| fits(all, rule, field)),
            }
        }
        "description" | "default" | "title" | "$schema" | "$defs" => true,
        other => panic!("{other}"),
    })
}
