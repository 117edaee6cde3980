//! A header by its name; the first one wins.

use crate::request::Request;
use crate::text::trimmed;

/// `name` is lower-case: the policy lowers it when it is read.
pub(super) fn find<'a>(request: &Request<'a>, name: &str) -> Option<&'a [u8]> {
    request.headers.get(name.as_bytes()).map(trimmed)
}

#[cfg(test)]
mod tests {
    use super::super::{Source, tests::check};

    #[test]
    fn finds_a_header_by_its_name() {
        let device = Source::Header("x-device".into());
        check(&device, &[("x-device", "abc")], Some("abc"));
        check(&device, &[("x-device", " a b ")], Some("a b"));
        check(
            &device,
            &[("x-device", "one"), ("x-device", "two")],
            Some("one"),
        );
        check(&device, &[("x-devices", "abc"), ("device", "abc")], None);
        check(&device, &[], None);
    }
}
