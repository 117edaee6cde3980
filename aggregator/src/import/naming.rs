//! What names an import's batches: the same for the same log, so that nothing is stored twice.

use sha2::{Digest as _, Sha256};
use throughline_session::hex::Hex;
use throughline_session::wire::BootId;

/// Where imported exchanges were seen.
pub const CAPTURE_POINT: &str = "import";

/// The boot id for a log that begins with `first_line`. `application` is the one that all records
/// are put in, where there is one: the same log may be imported into two.
#[must_use]
pub fn boot_of(first_line: &[u8], application: Option<&str>) -> BootId {
    let mut digest = Sha256::new();
    digest.update(b"throughline import\0");
    digest.update(application.unwrap_or_default());
    digest.update(b"\0");
    digest.update(first_line.trim_ascii_end());
    let digest = digest.finalize();
    let mut boot = [0; 8];
    for (byte, digested) in boot.iter_mut().zip(digest) {
        *byte = digested;
    }
    Hex(boot)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_depend_on_the_log_and_the_application() {
        assert_eq!(boot_of(b"a\n", None), boot_of(b"a", None));
        assert_eq!(boot_of(b"a\r\n", None), boot_of(b"a", None));
        assert_ne!(boot_of(b"a", None), boot_of(b"b", None));
        assert_ne!(boot_of(b"a", None), boot_of(b"a", Some("shop")));
    }
}
