#![no_main]

fuzz::places!([":path"], r#"{"query":"a"}"#, r#"{"query":"a b"}"#,);
