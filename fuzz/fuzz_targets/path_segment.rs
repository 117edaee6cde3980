#![no_main]

fuzz::places!(
    [":path"],
    r#"{"path_segment":0}"#,
    r#"{"path_segment":3}"#,
    r#"{"path_segment":18446744073709551615}"#,
);
