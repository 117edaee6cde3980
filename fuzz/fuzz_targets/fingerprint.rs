#![no_main]

fuzz::places!(["x"], r#"{"fingerprint":{"header":"x","trusted":true}}"#,);
