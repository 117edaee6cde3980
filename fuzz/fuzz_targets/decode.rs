#![no_main]
//! Any value through every decoding step, and through any pattern.

use fuzz::{find_all, sources};
use throughline_session::extract::Source;

static SOURCES: fuzz::Sources = sources!(
    r#"{"header":"x","decode":["percent"]}"#,
    r#"{"header":"x","decode":["base64"]}"#,
    r#"{"header":"x","decode":["lower","trim"]}"#,
    r#"{"header":"x","decode":["percent","base64","lower","trim",{"regex":"(a|b)*c?(\\d+)"}]}"#,
    r#"{"header":"x","decode":[{"regex":"^(a*)*b|(\\w+\\s?)+$"},"base64"]}"#,
);

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    find_all(&["x"], &SOURCES, data);
    let mut halves = data.splitn(2, |byte| *byte == 0);
    let pattern = String::from_utf8_lossy(halves.next().unwrap_or_default());
    let json = serde_json::json!({"header": "x", "decode": [{"regex": pattern}]});
    if let Ok(source) = serde_json::from_value::<Source>(json) {
        find_all(&["x"], &[source], halves.next().unwrap_or_default());
    }
});
