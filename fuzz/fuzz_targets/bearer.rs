#![no_main]

fuzz::places!(["authorization"], r#"{"bearer":{}}"#,);
