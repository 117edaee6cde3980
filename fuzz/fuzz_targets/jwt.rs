#![no_main]
//! Any bytes as a token, and as the claims of one.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use fuzz::{find_all, sources};

static SOURCES: fuzz::Sources = sources!(
    r#"{"jwt":{"claim":"sub","in":{"bearer":{}}}}"#,
    r#"{"jwt":{"claim":"/a/*","in":{"cookie":"a"}}}"#,
    r#"{"response":{"jwt":{"claim":"/a/0","in":{"json":"/a"}}}}"#,
    r#"{"jwt":{"claim":"a","in":{"jwt":{"claim":"a","in":{"bearer":{}}}}}}"#,
);

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let headers = ["authorization", "cookie"];
    find_all(&headers, &SOURCES, data);
    let token = format!(
        "a.{}.c",
        URL_SAFE_NO_PAD.encode(data.get(1..).unwrap_or_default())
    );
    for text in [
        format!("Bearer {token}\0a={token}"),
        format!(r#"{{"a":"{token}"}}"#),
    ] {
        let flags = data.first().copied().unwrap_or_default();
        find_all(&headers, &SOURCES, &[&[flags], text.as_bytes()].concat());
    }
});
