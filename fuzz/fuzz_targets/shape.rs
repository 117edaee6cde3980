#![no_main]
//! Any bytes as names of headers, cut at the zeros: their shape and marks are those of the set.

use throughline_session::shape::{self, MARKS, Shape, mark};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let names: Vec<&[u8]> = data.split(|byte| *byte == 0).collect();
    let found = of(&names).expect("a name is something");
    for (bit, name) in MARKS.iter().enumerate() {
        let sent = names.contains(&name.as_bytes());
        assert_eq!(found.marks >> bit & 1 == 1, sent, "{name}");
        assert_eq!(mark(name), 1 << bit);
    }
    assert_eq!(found.marks >> MARKS.len(), 0, "a bit without a name");

    let twice = [&names[..], &names[..]].concat();
    assert_eq!(of(&twice), Some(found), "a name sent twice counts once");
    let with_proxy = [&names[..], &[b":path", b"x-envoy-peer", b"via"]].concat();
    assert_eq!(of(&with_proxy), Some(found), "proxies leave no trace");
    let mut set = names.clone();
    set.sort_unstable();
    set.dedup();
    // Beyond its limit, which names count depends on their order.
    if set.len() <= 64 {
        assert_eq!(of(&set), Some(found), "the order says nothing");
    }
    assert_eq!(of(&[]), None);
});

fn of(names: &[&[u8]]) -> Option<Shape> {
    shape::of(names.iter().map(|name| (*name, &b"value"[..])))
}
