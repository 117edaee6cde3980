#![no_main]

fuzz::places!(
    [":path"],
    r#"{"path":"/{a}"}"#,
    r#"{"path":"/*/{a}"}"#,
    r#"{"path":"/a/*/b/{c}/d"}"#,
);
