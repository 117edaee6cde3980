#![no_main]

fuzz::places!([":method"], r#"{"method":{}}"#,);
