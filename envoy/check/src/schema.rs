//! A structural schema, as Kubernetes understands it, applied to a document.
//!
//! A key that the schema does not know is a fault, where Kubernetes may only drop it: a typo such as
//! `pluginconfig` would otherwise install a filter without its configuration. What this validator does not understand in a schema is a fault too, so that
//! nothing passes unchecked.

use std::collections::HashSet;

use regex::Regex;
use serde_json::{Map, Value};

use crate::rules;

/// Keywords that say nothing about what is valid.
const SILENT: &[&str] = &[
    "description",
    "default",
    "format",
    "x-kubernetes-map-type",
    "x-kubernetes-list-map-keys",
];

/// Collects the faults of one document.
#[derive(Debug, Default)]
pub struct Check {
    /// Each with its place, e.g. `spec.vmConfig.env[1].name: …`.
    pub faults: Vec<String>,
}

impl Check {
    fn fault(&mut self, place: &str, problem: impl std::fmt::Display) {
        self.faults.push(format!("{place}: {problem}"));
    }

    /// Applies `schema` to `value`, which stands at `place`.
    pub fn value(&mut self, schema: &Value, value: &Value, place: &str) {
        self.apply(schema, value, place, true);
    }

    /// `closed` is false within `anyOf` and the like, which repeat only some of the properties.
    fn apply(&mut self, schema: &Value, value: &Value, place: &str, closed: bool) {
        let Some(keywords) = schema.as_object() else {
            return self.fault(place, format!("the schema is no object: {schema}"));
        };
        if value.is_null() && keywords.get("nullable") == Some(&Value::Bool(true)) {
            return;
        }
        for (keyword, argument) in keywords {
            self.keyword(keyword, argument, value, place);
        }
        if let Some(fields) = value.as_object() {
            self.fields(keywords, fields, place, closed);
        }
        if let Some(items) = value.as_array() {
            self.items(keywords, items, place, closed);
        }
    }

    fn keyword(&mut self, keyword: &str, argument: &Value, value: &Value, place: &str) {
        let number = |value: &Value| value.as_f64().unwrap_or_default();
        let count = argument.as_u64().map(usize::try_from);
        let limit = count.and_then(Result::ok).unwrap_or_default();
        let length = value.as_str().map(|text| text.chars().count());
        let items = value.as_array().map(Vec::len);
        let fields = value.as_object().map(Map::len);
        let holds = match keyword {
            "type" => is_type(argument, value),
            "enum" => argument.as_array().is_some_and(|list| list.contains(value)),
            "minLength" => length.is_none_or(|length| length >= limit),
            "maxLength" => length.is_none_or(|length| length <= limit),
            "minItems" => items.is_none_or(|items| items >= limit),
            "maxItems" => items.is_none_or(|items| items <= limit),
            "maxProperties" => fields.is_none_or(|fields| fields <= limit),
            "minimum" => !value.is_number() || number(value) >= number(argument),
            "maximum" => !value.is_number() || number(value) <= number(argument),
            "pattern" => fits(argument, value),
            "x-kubernetes-int-or-string" => value.is_i64() || value.is_string(),
            "required" => return self.required(argument, value, place),
            "x-kubernetes-validations" => return self.rules(argument, value, place),
            "allOf" | "anyOf" | "oneOf" => self.branches(keyword, argument, value, place),
            "not" => !self.branch(argument, value, place),
            "properties"
            | "additionalProperties"
            | "items"
            | "nullable"
            | "x-kubernetes-list-type"
            | "x-kubernetes-preserve-unknown-fields" => true,
            silent if SILENT.contains(&silent) => true,
            _ => return self.fault(place, format!("the validator does not know `{keyword}`")),
        };
        if !holds {
            self.fault(
                place,
                format!("{value} does not hold `{keyword}: {argument}`"),
            );
        }
    }

    fn branch(&self, schema: &Value, value: &Value, place: &str) -> bool {
        let mut inner = Self::default();
        inner.apply(schema, value, place, false);
        inner.faults.is_empty()
    }

    fn branches(&self, keyword: &str, schemas: &Value, value: &Value, place: &str) -> bool {
        let schemas = schemas.as_array().map(Vec::as_slice).unwrap_or_default();
        let fitting = schemas
            .iter()
            .filter(|schema| self.branch(schema, value, place))
            .count();
        match keyword {
            "allOf" => fitting == schemas.len(),
            "oneOf" => fitting == 1,
            _ => fitting > 0,
        }
    }

    fn required(&mut self, names: &Value, value: &Value, place: &str) {
        let Some(fields) = value.as_object() else {
            return;
        };
        for name in names
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
        {
            if !fields.contains_key(name) {
                self.fault(place, format!("`{name}` is missing"));
            }
        }
    }

    fn rules(&mut self, list: &Value, value: &Value, place: &str) {
        for rule in list.as_array().into_iter().flatten() {
            let message = rule
                .get("message")
                .and_then(Value::as_str)
                .unwrap_or_default();
            match rules::holds(message, value) {
                Some(true) => {}
                Some(false) => self.fault(place, message),
                None => self.fault(place, format!("src/rules.rs lacks the rule: {rule}")),
            }
        }
    }

    fn fields(
        &mut self,
        keywords: &Map<String, Value>,
        fields: &Map<String, Value>,
        place: &str,
        closed: bool,
    ) {
        let properties = keywords.get("properties").and_then(Value::as_object);
        let open = keywords.get("x-kubernetes-preserve-unknown-fields") == Some(&Value::Bool(true));
        for (name, value) in fields {
            let place = format!("{place}.{name}");
            let own = properties.and_then(|properties| properties.get(name));
            match own.or(keywords.get("additionalProperties")) {
                Some(schema) => self.apply(schema, value, &place, closed),
                None if open || !closed => {}
                None => self.fault(&place, "the schema does not know this key"),
            }
        }
    }

    fn items(&mut self, keywords: &Map<String, Value>, items: &[Value], place: &str, closed: bool) {
        if let Some(schema) = keywords.get("items") {
            for (index, item) in items.iter().enumerate() {
                self.apply(schema, item, &format!("{place}[{index}]"), closed);
            }
        }
        let keys = keywords
            .get("x-kubernetes-list-map-keys")
            .and_then(Value::as_array);
        let key = |item: &Value| match keys {
            Some(keys) => keys
                .iter()
                .filter_map(Value::as_str)
                .map(|key| item.get(key).unwrap_or(&Value::Null).to_string())
                .collect::<String>(),
            None => item.to_string(),
        };
        let kind = keywords
            .get("x-kubernetes-list-type")
            .and_then(Value::as_str);
        if !matches!(kind, Some("map" | "set")) {
            return;
        }
        let mut seen = HashSet::new();
        for (index, item) in items.iter().enumerate() {
            if !seen.insert(key(item)) {
                self.fault(&format!("{place}[{index}]"), "is there twice");
            }
        }
    }
}

fn is_type(name: &Value, value: &Value) -> bool {
    match name.as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        _ => false,
    }
}

fn fits(pattern: &Value, value: &Value) -> bool {
    let Some(text) = value.as_str() else {
        return true;
    };
    let pattern = pattern.as_str().map(Regex::new);
    pattern.is_some_and(|pattern| pattern.is_ok_and(|pattern| pattern.is_match(text)))
}
