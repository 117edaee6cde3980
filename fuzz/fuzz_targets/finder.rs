#![no_main]
//! Any exchange under the key finder's eyes.

use throughline_session::filter::finder;
use throughline_session::identity::Hasher;

// A hasher remembers, and is of one thread.
thread_local! {
    static HASHER: Hasher = Hasher::new(&[7; 32]).expect("long enough");
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let headers = [":path", "cookie", "set-cookie", "authorization", "x"];
    fuzz::exchange(&headers, data, |parts| {
        let places = HASHER.with(|hasher| finder::places(parts, hasher));
        assert!(places.len() <= 64);
        assert!(
            places
                .iter()
                .all(|(name, _)| name.len() <= "response.cookie:".len() + 64)
        );
    });
});
