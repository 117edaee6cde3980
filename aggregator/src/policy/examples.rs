//! The code in docs/policy.md, for the tests that hold it against the reader and the schema.

use serde_json::{Map, Value};

fn page() -> String {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/policy.md");
    std::fs::read_to_string(file).unwrap()
}

/// The blocks in YAML: whole policies.
pub(super) fn policies() -> Vec<String> {
    let page = page();
    let blocks = page.split("```yaml\n").skip(1);
    let text = |block: &str| block.split("```").next().unwrap().to_owned();
    blocks.map(text).collect()
}

/// What stands between backticks in JSON: places of values.
pub(super) fn places() -> Vec<Map<String, Value>> {
    let page = page();
    let codes = page.split('`').filter(|code| code.starts_with("{\""));
    let objects = codes.filter_map(|code| serde_json::from_str::<Map<String, Value>>(code).ok());
    objects
        .filter(|it| !it.contains_key("clients_share"))
        .collect()
}
