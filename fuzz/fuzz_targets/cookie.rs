#![no_main]

fuzz::places!(
    ["cookie", "set-cookie"],
    r#"{"cookie":"a"}"#,
    r#"{"response":{"cookie":"a"}}"#,
);
