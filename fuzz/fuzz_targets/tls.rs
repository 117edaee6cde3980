#![no_main]

fuzz::places!([], r#"{"tls":"sni"}"#, r#"{"tls":"peer_subject"}"#,);
