#![no_main]

fuzz::places!(
    ["content-type", ":path"],
    r#"{"grpc":"service"}"#,
    r#"{"grpc":"method"}"#,
);
