#![no_main]

fuzz::places!(
    [],
    r#"{"json":"/a"}"#,
    r#"{"json":"/*/0/*"}"#,
    r#"{"response":{"json":"/a/*"}}"#,
    r#"{"json":"/a~1b/é"}"#,
);
