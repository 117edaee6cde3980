#![no_main]

fuzz::places!(
    ["x", "y"],
    r#"{"header":"x"}"#,
    r#"{"response":{"header":"x"}}"#,
);
