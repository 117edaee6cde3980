//! headers → header shape and marks: which headers a client sends, never what they say.
//!
//! Browsers, applications and tools differ in the names of the headers that they send, and few
//! bots copy them well. The shape is a hash of the set of names, equal in every worker and after
//! every restart; the marks say of a published list of names which ones were there.

use crate::hex::Hex;

/// 64-bit hash of the set of a client's header names.
pub type HeaderShape = Hex<8>;

/// The names that the bits of a record's `header_marks` stand for, lowest bit first. New names go
/// to the end: stored records keep their meaning.
pub const MARKS: [&str; 30] = [
    "accept",
    "accept-language",
    "accept-encoding",
    "sec-fetch-mode",
    "sec-fetch-site",
    "sec-fetch-dest",
    "sec-fetch-user",
    "sec-ch-ua",
    "sec-ch-ua-mobile",
    "sec-ch-ua-platform",
    "upgrade-insecure-requests",
    "referer",
    "cookie",
    "authorization",
    "origin",
    "x-requested-with",
    "content-type",
    "te",
    "priority",
    "dnt",
    "sec-gpc",
    "cache-control",
    "pragma",
    "if-none-match",
    "if-modified-since",
    "range",
    "from",
    "accept-charset",
    "x-api-key",
    "user-agent",
];

/// Names hashed at most; what a request sends beyond them is left out of its shape.
const NAMES_MAX: usize = 96;

/// The bit of a name in `header_marks`; 0 for a name that has none.
#[must_use]
pub const fn mark(name: &str) -> u32 {
    let mut rest: &[&str] = &MARKS;
    let mut bit = 1;
    while let [first, others @ ..] = rest {
        if same(first.as_bytes(), name.as_bytes()) {
            return bit;
        }
        bit <<= 1;
        rest = others;
    }
    0
}

const fn same(mut one: &[u8], mut two: &[u8]) -> bool {
    loop {
        match (one, two) {
            ([], []) => return true,
            ([a, one_rest @ ..], [b, two_rest @ ..]) if *a == *b => {
                one = one_rest;
                two = two_rest;
            }
            _ => return false,
        }
    }
}

/// What a client's header names say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// The same for the same set of names, in any order and number.
    pub hash: HeaderShape,
    /// One bit for each name of [`MARKS`].
    pub marks: u32,
}

/// The shape of a request's headers; `None` where nothing of them was seen.
pub fn of<'a>(headers: impl IntoIterator<Item = (&'a [u8], &'a [u8])>) -> Option<Shape> {
    let mut seen = Seen::default();
    let mut marks = 0;
    let mut any = false;
    for (name, _) in headers {
        any = true;
        marks |= mark_of(name);
        if !depends_on_request(name) && !added_on_the_way(name) {
            seen.add(name);
        }
    }
    any.then(|| Shape {
        hash: Hex(mix(seen.sum).to_be_bytes()),
        marks,
    })
}

/// The same as [`mark`], quick enough for every header of every request.
fn mark_of(name: &[u8]) -> u32 {
    let bit = match name {
        b"accept" => 0,
        b"accept-language" => 1,
        b"accept-encoding" => 2,
        b"sec-fetch-mode" => 3,
        b"sec-fetch-site" => 4,
        b"sec-fetch-dest" => 5,
        b"sec-fetch-user" => 6,
        b"sec-ch-ua" => 7,
        b"sec-ch-ua-mobile" => 8,
        b"sec-ch-ua-platform" => 9,
        b"upgrade-insecure-requests" => 10,
        b"referer" => 11,
        b"cookie" => 12,
        b"authorization" => 13,
        b"origin" => 14,
        b"x-requested-with" => 15,
        b"content-type" => 16,
        b"te" => 17,
        b"priority" => 18,
        b"dnt" => 19,
        b"sec-gpc" => 20,
        b"cache-control" => 21,
        b"pragma" => 22,
        b"if-none-match" => 23,
        b"if-modified-since" => 24,
        b"range" => 25,
        b"from" => 26,
        b"accept-charset" => 27,
        b"x-api-key" => 28,
        b"user-agent" => 29,
        _ => return 0,
    };
    1 << bit
}

/// Names that come and go with what one client asks for; the marks tell the ones worth knowing.
fn depends_on_request(name: &[u8]) -> bool {
    matches!(
        name,
        b"referer"
            | b"cookie"
            | b"authorization"
            | b"origin"
            | b"content-type"
            | b"content-length"
            | b"content-encoding"
            | b"cache-control"
            | b"pragma"
            | b"if-none-match"
            | b"if-modified-since"
            | b"if-match"
            | b"if-range"
            | b"range"
            | b"expect"
            | b"x-requested-with"
            | b"sec-fetch-user"
            | b"upgrade-insecure-requests"
            | b"purpose"
            | b"sec-purpose"
    )
}

/// Names that proxies add: they tell the way, not the client.
fn added_on_the_way(name: &[u8]) -> bool {
    match name.first() {
        Some(b':') => true,
        Some(b'x') => {
            let begins = |start: &[u8]| name.starts_with(start);
            begins(b"x-forwarded-")
                || begins(b"x-envoy-")
                || begins(b"x-b3-")
                || begins(b"x-amzn-")
                || matches!(
                    name,
                    b"x-request-id"
                        | b"x-real-ip"
                        | b"x-ot-span-context"
                        | b"x-cloud-trace-context"
                )
        }
        Some(b'c') => name.starts_with(b"cf-") || matches!(name, b"cdn-loop" | b"connection"),
        _ => matches!(
            name,
            b"via" | b"forwarded" | b"traceparent" | b"tracestate" | b"b3" | b"true-client-ip"
        ),
    }
}

/// The names so far. A name sent twice counts once: only its client decides how often.
struct Seen {
    hashes: [u64; NAMES_MAX],
    count: usize,
    /// Bit `hash % 64` of each: most new names are known to be new without looking further.
    bits: u64,
    sum: u64,
}

impl Default for Seen {
    fn default() -> Self {
        Self {
            hashes: [0; NAMES_MAX],
            count: 0,
            bits: 0,
            sum: 0,
        }
    }
}

impl Seen {
    fn add(&mut self, name: &[u8]) {
        let hash = hash(name);
        let bit = 1 << (hash & 63);
        let known =
            self.bits & bit != 0 && self.hashes.iter().take(self.count).any(|it| *it == hash);
        if known {
            return;
        }
        let Some(slot) = self.hashes.get_mut(self.count) else {
            return;
        };
        *slot = hash;
        self.count = self.count.saturating_add(1);
        self.bits |= bit;
        self.sum = self.sum.wrapping_add(hash);
    }
}

/// Eight bytes at a time. Names are no secret and a collision is harmless, so the key is fixed.
fn hash(name: &[u8]) -> u64 {
    const KEY: u64 = 0x2545_f491_4f6c_dd1d;
    let (chunks, rest) = name.as_chunks::<8>();
    let mut state = u64::try_from(name.len()).unwrap_or(u64::MAX);
    for chunk in chunks {
        state = (state ^ u64::from_le_bytes(*chunk)).wrapping_mul(KEY);
        state ^= state >> 29;
    }
    let tail = rest
        .iter()
        .fold(0, |tail, byte| tail << 8 | u64::from(*byte));
    mix(state ^ tail)
}

fn mix(value: u64) -> u64 {
    const KEY: u64 = 0x9e37_79b9_7f4a_7c15;
    let value = (value ^ (value >> 30)).wrapping_mul(KEY);
    let value = (value ^ (value >> 27)).wrapping_mul(KEY);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shape(names: &[&str]) -> Shape {
        of(names.iter().map(|name| (name.as_bytes(), &b"v"[..]))).unwrap()
    }

    #[test]
    fn every_mark_has_its_bit() {
        for (bit, name) in MARKS.iter().enumerate() {
            assert_eq!(mark(name), 1 << bit, "{name}");
            assert_eq!(mark_of(name.as_bytes()), 1 << bit, "{name}");
        }
        assert_eq!((mark("host"), mark_of(b"host")), (0, 0));
    }

    #[test]
    fn the_page_lists_the_marks() {
        let page = include_str!("../../docs/headers.md");
        for (bit, name) in MARKS.iter().enumerate() {
            assert!(page.contains(&format!("| {bit} | `{name}` |")), "{name}");
        }
        assert!(!page.contains(&format!("| {} |", MARKS.len())));
    }

    #[test]
    fn the_shape_is_that_of_the_set() {
        let browser = ["accept", "accept-language", "sec-ch-ua"];
        for (names, same) in [
            (&["sec-ch-ua", "accept", "accept-language"][..], true),
            (
                &["accept", "accept", "accept-language", "sec-ch-ua", "accept"],
                true,
            ),
            (
                &[
                    "accept",
                    "accept-language",
                    "sec-ch-ua",
                    ":path",
                    "x-envoy-peer",
                    "via",
                ],
                true,
            ),
            (
                &[
                    "accept",
                    "accept-language",
                    "sec-ch-ua",
                    "x-forwarded-for",
                    "cookie",
                ],
                true,
            ),
            (&["accept", "accept-language"], false),
            (&["accept", "accept-language", "sec-ch-ua", "x-app"], false),
            (&["accept", "accept-languag", "sec-ch-ua"], false),
        ] {
            assert_eq!(shape(names).hash == shape(&browser).hash, same, "{names:?}");
        }
    }

    #[test]
    fn the_hash_stays_the_same_between_releases() {
        assert_eq!(
            shape(&["accept", "accept-language", "user-agent"])
                .hash
                .to_string(),
            "9b25e96268049eed"
        );
    }

    #[test]
    fn marks_are_those_of_the_list() {
        let found = shape(&["cookie", "te", "x-unknown", "Accept"]);
        assert_eq!(found.marks, mark("cookie") | mark("te"));
    }

    #[test]
    fn without_headers_nothing_is_known() {
        assert_eq!(of([]), None);
    }

    proptest! {
        #[test]
        fn any_order_gives_the_same_shape(
            mut names in prop::collection::vec("[a-z-]{1,12}", 1..60),
            turn in 0_usize..60,
        ) {
            let list = |names: &[String]| {
                of(names.iter().map(|name| (name.as_bytes(), &b""[..])))
            };
            let before = list(&names);
            let turn = turn % names.len();
            names.rotate_left(turn);
            prop_assert_eq!(list(&names), before);
        }

        #[test]
        fn any_bytes_are_survived(names: Vec<Vec<u8>>) {
            of(names.iter().map(|name| (&**name, &b""[..])));
        }
    }
}
