#![no_main]

fuzz::places!([":authority"], r#"{"host":{}}"#,);
