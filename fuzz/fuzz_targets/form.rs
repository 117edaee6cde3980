#![no_main]

fuzz::places!([], r#"{"form":"a"}"#, r#"{"form":"a b"}"#,);
