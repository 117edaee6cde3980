#![no_main]

fuzz::places!(
    [":path"],
    r#"{"graphql":{"operation":{}}}"#,
    r#"{"graphql":{"variable":"/a/*"}}"#,
);
