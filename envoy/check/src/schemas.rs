//! Which schema belongs to which manifest.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::document::{Manifest, documents, root};
use crate::schema::Check;

/// Kinds that are checked against the schemas of their own projects.
pub const FOREIGN: [&str; 4] = [
    "EnvoyExtensionPolicy",
    "ServiceEntry",
    "TrafficExtension",
    "WasmPlugin",
];

/// Schemas by `apiVersion/kind`.
#[derive(Debug)]
pub struct Schemas {
    by_kind: BTreeMap<String, Value>,
}

impl Schemas {
    /// Those of `envoy/check/kinds.yaml`.
    ///
    /// # Errors
    /// When that file cannot be read.
    pub fn own() -> Result<Self, String> {
        let file = documents(include_str!("../kinds.yaml")).map_err(|error| error.to_string())?;
        let kinds = file.first().and_then(|document| document.get("kinds"));
        let kinds = kinds.and_then(Value::as_object).ok_or("no `kinds`")?;
        let by_kind = kinds.clone().into_iter().collect();
        Ok(Self { by_kind })
    }

    /// The folder with the custom resource definitions of Istio and Envoy Gateway:
    /// `shared/crds` beside the repository, or `$THROUGHLINE_CRDS`.
    #[must_use]
    pub fn folder() -> PathBuf {
        let beside = || root().with_file_name("shared").join("crds");
        std::env::var_os("THROUGHLINE_CRDS").map_or_else(beside, PathBuf::from)
    }

    /// Adds those of [`FOREIGN`]; false when [`Schemas::folder`] is not there.
    ///
    /// # Errors
    /// When the folder is there and a definition in it is missing or cannot be read.
    pub fn add_foreign(&mut self) -> Result<bool, String> {
        let folder = Self::folder();
        if !folder.is_dir() {
            return Ok(false);
        }
        for kind in FOREIGN {
            let path = folder.join(format!("{kind}.yaml"));
            let fault = |problem: String| format!("{}: {problem}", path.display());
            let text = std::fs::read_to_string(&path).map_err(|error| fault(error.to_string()))?;
            let definitions = documents(&text).map_err(|error| fault(error.to_string()))?;
            let definition = definitions
                .first()
                .ok_or_else(|| fault("is empty".into()))?;
            let text = |pointer| definition.pointer(pointer).and_then(Value::as_str);
            let group = text("/spec/group").ok_or_else(|| fault("has no group".into()))?;
            let versions = definition
                .pointer("/spec/versions")
                .and_then(Value::as_array);
            for version in versions.into_iter().flatten() {
                let name = version
                    .get("name")
                    .and_then(Value::as_str)
                    .unwrap_or_default();
                if let Some(schema) = version.pointer("/schema/openAPIV3Schema") {
                    let key = format!("{group}/{name}/{kind}");
                    self.by_kind.insert(key, schema.clone());
                }
            }
        }
        Ok(true)
    }

    /// What is wrong with `manifest`; empty when nothing is.
    #[must_use]
    pub fn faults(&self, manifest: &Manifest) -> Vec<String> {
        let version = manifest.at("/apiVersion").as_str().unwrap_or("patch");
        let kind = format!("{version}/{}", manifest.kind());
        let Some(schema) = self.by_kind.get(&kind) else {
            return vec![format!("{kind}: no schema for this kind and version")];
        };
        let mut check = Check::default();
        check.value(&whole(schema, version), &manifest.value, manifest.kind());
        check.faults
    }
}

/// The schema with what Kubernetes adds to each.
fn whole(schema: &Value, version: &str) -> Value {
    let mut whole = schema.clone();
    if version == "patch" {
        return whole;
    }
    let name = json!({"type": "string", "maxLength": 63,
        "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"});
    let texts = json!({"type": "object", "additionalProperties": {"type": "string"}});
    let metadata = json!({
        "type": "object",
        "required": ["name"],
        "properties": {"name": name, "namespace": name, "labels": texts, "annotations": texts},
    });
    if let Some(properties) = whole.get_mut("properties").and_then(Value::as_object_mut) {
        let text = || json!({"type": "string"});
        properties.insert("apiVersion".to_owned(), text());
        properties.insert("kind".to_owned(), text());
        properties.insert("metadata".to_owned(), metadata);
    }
    whole
}
