#![no_main]
//! Any bytes as a body: plain, gzip, and what only says that it is gzip.

use throughline_session::body::{Body, Extent};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    for encoding in ["", "gzip"] {
        let body = Body::new(data, Extent::Whole, b"application/json", encoding.as_bytes());
        let longest = data.len() * 20 + 1024;
        assert!(body.plain().is_ok_and(|plain| plain.len() <= longest) || body.plain().is_err());
        assert_eq!(body.json().is_ok(), body.json().is_ok());
    }
    if data.first().is_some_and(|byte| byte % 8 == 0) {
        let packed = fuzz::gzip(data);
        let body = Body::new(&packed, Extent::Whole, b"", b"gzip");
        assert_eq!(body.plain().is_ok(), data.len() <= packed.len() * 20 + 1024);
        assert!(body.plain().is_ok_and(|plain| plain == data) || body.plain().is_err());
    }
});
