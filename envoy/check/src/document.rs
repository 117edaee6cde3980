//! The manifests as they lie in `envoy/`.

use std::path::{Path, PathBuf};

use serde::Deserialize as _;
use serde_json::Value;

/// One YAML document.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// The file, from the repository's root.
    pub file: String,
    /// The document.
    pub value: Value,
}

impl Manifest {
    /// `kind`; `Deployment` for a patch, which has none.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.at("/kind").as_str().unwrap_or("Deployment")
    }

    /// What stands at a JSON pointer; null when nothing does.
    #[must_use]
    pub fn at(&self, pointer: &str) -> &Value {
        self.value.pointer(pointer).unwrap_or(&Value::Null)
    }
}

/// The repository's root.
#[must_use]
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_path_buf()
}

/// The documents of a YAML text. A key that is written twice is an error.
///
/// # Errors
/// What the YAML parser says.
pub fn documents(text: &str) -> Result<Vec<Value>, serde_yaml_ng::Error> {
    serde_yaml_ng::Deserializer::from_str(text)
        .map(|document| serde_yaml_ng::from_value(serde_yaml_ng::Value::deserialize(document)?))
        .collect()
}

/// All manifests of `envoy/istio`, `envoy/gateway` and `envoy/kubernetes`.
///
/// # Errors
/// The file that cannot be read, and why.
pub fn manifests() -> Result<Vec<Manifest>, String> {
    let mut found = Vec::new();
    for folder in ["envoy/gateway", "envoy/istio", "envoy/kubernetes"] {
        let entries = std::fs::read_dir(root().join(folder)).map_err(|error| error.to_string())?;
        for entry in entries {
            let path = entry.map_err(|error| error.to_string())?.path();
            if path.extension().is_none_or(|extension| extension != "yaml") {
                continue;
            }
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let file = format!("{folder}/{name}");
            let text =
                std::fs::read_to_string(&path).map_err(|error| format!("{file}: {error}"))?;
            for value in documents(&text).map_err(|error| format!("{file}: {error}"))? {
                let file = file.clone();
                found.push(Manifest { file, value });
            }
        }
    }
    found.sort_by(|one, other| one.file.cmp(&other.file));
    Ok(found)
}
