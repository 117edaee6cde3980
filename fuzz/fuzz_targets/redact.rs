#![no_main]
//! Any bytes as a path, as a name, and as a secret in a path.

use std::sync::LazyLock;

use throughline_session::identity::Hasher;
use throughline_session::redact::{self, PATH_BYTES_MAX, SecretPath};

// A hasher remembers, and is of one thread.
thread_local! {
    static HASHER: Hasher = Hasher::new(&[7; 32]).expect("long enough");
}
static SECRET: LazyLock<Vec<SecretPath>> = LazyLock::new(|| {
    ["/reset/*", "/a/*/b/*"]
        .iter()
        .filter_map(|path| SecretPath::parse(path))
        .collect()
});

/// Longer than a hash, which could hold a shorter one by chance.
const SECRET_BYTES_MIN: usize = 20;

libfuzzer_sys::fuzz_target!(|data: &[u8]| HASHER.with(|hasher| check(data, hasher)));

fn check(data: &[u8], hasher: &Hasher) {
    for templates in [&[][..], &SECRET] {
        let (path, _) = redact::path(data, templates, hasher);
        assert!(path.len() <= PATH_BYTES_MAX);
    }
    for bare in [false, true] {
        let (name, _) = redact::name(data, bare, 64, hasher);
        assert!(name.len() <= 64);
    }
    let secret: Vec<u8> = data
        .iter()
        .copied()
        .filter(u8::is_ascii_alphanumeric)
        .collect();
    if secret.len() >= SECRET_BYTES_MIN {
        let (path, _) = redact::path(&[b"/reset/", &secret[..]].concat(), &SECRET, hasher);
        assert!(
            !path.contains(std::str::from_utf8(&secret).expect("ASCII")),
            "{path}"
        );
    }
}
