#![no_main]
//! Any exchange under the key finder's eyes.

use std::sync::LazyLock;

use throughline_session::filter::finder;
use throughline_session::identity::Hasher;

static HASHER: LazyLock<Hasher> = LazyLock::new(|| Hasher::new(&[7; 32]).expect("long enough"));

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let headers = [":path", "cookie", "set-cookie", "authorization", "x"];
    fuzz::exchange(&headers, data, |parts| {
        let places = finder::places(parts, &HASHER);
        assert!(places.len() <= 64);
        assert!(
            places
                .iter()
                .all(|(name, _)| name.len() <= "response.cookie:".len() + 64)
        );
    });
});
