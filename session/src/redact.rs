//! What of a path may be stored: segments that could be secrets become keyed hashes.
//!
//! A hashed segment is written as `~` and 16 hex digits: the same segment always gives the same
//! hash, so that distinct values can still be counted.

use std::borrow::Cow;

use crate::identity::Hasher;
use crate::text::{limited, percent_decoded};

/// Longest path that is stored, in bytes; the rest is cut off between segments.
pub const PATH_BYTES_MAX: usize = 2048;

/// A path template whose `*` segments are always hashed, e.g. `/password-reset/*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretPath(Vec<Option<Vec<u8>>>);

impl SecretPath {
    /// Reads a template; `None` unless it starts with `/` and has a `*` segment.
    #[must_use]
    pub fn parse(template: &str) -> Option<Self> {
        let segments: Vec<_> = template
            .strip_prefix('/')?
            .split('/')
            .map(|segment| (segment != "*").then(|| segment.as_bytes().to_vec()))
            .collect();
        segments
            .iter()
            .any(Option::is_none)
            .then_some(Self(segments))
    }

    /// Whether segment number `index` of this path is secret. Longer paths match too.
    fn hides(&self, path: &[u8], index: usize) -> bool {
        self.0.get(index) == Some(&None) && {
            let mut segments = path.split(|byte| *byte == b'/').skip(1);
            self.0
                .iter()
                .all(|expected| match (expected, segments.next()) {
                    (Some(expected), Some(segment)) => expected == segment,
                    (None, Some(_)) => true,
                    (_, None) => false,
                })
        }
    }
}

/// The path as it may be stored, and whether it was cut.
#[must_use]
pub fn path(path: &[u8], secret_paths: &[SecretPath], hasher: &Hasher) -> (String, bool) {
    let mut redacted = String::with_capacity(path.len().min(PATH_BYTES_MAX));
    // What stands before the first slash: nothing, or all of `*` and of a CONNECT target.
    for (index, segment) in path.split(|byte| *byte == b'/').enumerate() {
        let number = index.checked_sub(1);
        let secret = number.is_some_and(|number| {
            secret_paths
                .iter()
                .any(|template| template.hides(path, number))
        });
        let too_long = segment.len() > PATH_BYTES_MAX;
        let text = if too_long {
            Cow::Borrowed("")
        } else {
            segment_text(segment, secret, hasher)
        };
        let slash = usize::from(index > 0);
        if too_long
            || redacted
                .len()
                .saturating_add(text.len())
                .saturating_add(slash)
                > PATH_BYTES_MAX
        {
            return (redacted, true);
        }
        if index > 0 {
            redacted.push('/');
        }
        redacted.push_str(&text);
    }
    (redacted, false)
}

/// A name that a client chose (a query parameter's), hashed where it looks like a token.
#[must_use]
pub fn name<'a>(name: &'a [u8], limit: usize, hasher: &Hasher) -> (Cow<'a, str>, bool) {
    if looks_secret(name) {
        return (Cow::Owned(format!("~{}", hasher.path_segment(name))), false);
    }
    limited(name, limit)
}

fn segment_text<'a>(segment: &'a [u8], secret: bool, hasher: &Hasher) -> Cow<'a, str> {
    if !segment.is_empty() && (secret || looks_secret(segment)) {
        Cow::Owned(format!("~{}", hasher.path_segment(segment)))
    } else {
        String::from_utf8_lossy(segment)
    }
}

/// Whether a text looks like a token, an e-mail address or a card number rather than a word, a
/// short id or a slug.
fn looks_secret(text: &[u8]) -> bool {
    const RUN_MIN: usize = 16;
    if text.len() < 6 {
        return false;
    }
    let decoded = percent_decoded(text);
    if decoded.contains(&b'@') {
        return true;
    }
    if is_card_number(&decoded) {
        return true;
    }
    if text.len() < RUN_MIN {
        return false;
    }
    // A slug is made of words; a token has a long run of letters and digits without a break.
    is_uuid(&decoded)
        || decoded
            .split(|byte| !byte.is_ascii_alphanumeric())
            .filter(|run| run.len() >= RUN_MIN)
            .any(|run| {
                let digits = run.iter().filter(|byte| byte.is_ascii_digit()).count();
                let case_changes = run
                    .iter()
                    .zip(run.iter().skip(1))
                    .filter(|(one, next)| one.is_ascii_lowercase() && next.is_ascii_uppercase())
                    .count();
                // camelCase turns upper once a word, random letters every other time.
                digits >= 2 || case_changes * 4 >= run.len()
            })
}

/// 13 to 19 digits with the check digit of card numbers (Luhn), maybe in groups.
fn is_card_number(text: &[u8]) -> bool {
    if !text
        .iter()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b' '))
    {
        return false;
    }
    let digits: Vec<u32> = text
        .iter()
        .rev()
        .filter_map(|byte| char::from(*byte).to_digit(10))
        .collect();
    let doubled = |(place, digit): (usize, &u32)| match (place % 2, digit * 2) {
        (0, _) => *digit,
        (_, twice) if twice > 9 => twice - 9,
        (_, twice) => twice,
    };
    (13..=19).contains(&digits.len())
        && digits.iter().enumerate().map(doubled).sum::<u32>() % 10 == 0
}

fn is_uuid(text: &[u8]) -> bool {
    text.len() == 36
        && text.iter().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hasher() -> Hasher {
        Hasher::new(b"0123456789abcdef").unwrap()
    }

    /// `#` in `expected` stands for a hashed segment.
    fn check(raw: &str, secret_paths: &[&str], expected: &str) {
        let templates: Vec<_> = secret_paths
            .iter()
            .map(|template| SecretPath::parse(template).unwrap())
            .collect();
        let (redacted, cut) = path(raw.as_bytes(), &templates, &hasher());
        let shown: Vec<_> = redacted
            .split('/')
            .map(|segment| {
                if segment.starts_with('~') && segment.len() == 17 {
                    "#"
                } else {
                    segment
                }
            })
            .collect();
        assert_eq!((shown.join("/").as_str(), cut), (expected, false), "{raw}");
    }

    #[test]
    fn words_and_short_ids_stay() {
        for raw in [
            "/",
            "",
            "*",
            "/api/orders/1000017",
            "/api/orders/20261123120001",
            "/api//x/",
            "/blog/my-great-blog-post-of-2024-second-edition",
            "/p/iphone-15-pro-max-256gb",
            "/getUserProfileById",
            "/assets/app.3f2a91bc.js",
            "/internationalization",
            "/v1/~me",
        ] {
            check(raw, &[], raw);
        }
    }

    #[test]
    fn what_looks_like_a_secret_is_hashed() {
        for (raw, expected) in [
            ("/u/123e4567-e89b-12d3-a456-426614174000/x", "/u/#/x"),
            ("/reset/9f86d081884c7d659a2feaa0c55ad015", "/reset/#"),
            ("/t/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc", "/t/#"),
            ("/t/dBjftJeZCVPmBTfCuQkr", "/t/#"),
            ("/u/ann@example.com", "/u/#"),
            ("/u/ann%40example.com", "/u/#"),
            ("/card/4111111111111111", "/card/#"),
            ("/card/4111-1111-1111-1111", "/card/#"),
            ("/card/378282246310005", "/card/#"),
        ] {
            check(raw, &[], expected);
        }
    }

    #[test]
    fn secret_paths_hide_their_stars() {
        let templates = ["/reset/*", "/a/*/b/*"];
        for (raw, expected) in [
            ("/reset/x", "/reset/#"),
            ("/reset/x/y", "/reset/#/y"),
            ("/a/1/b/2", "/a/#/b/#"),
            ("/a/1/c/2", "/a/1/c/2"),
            ("/reset", "/reset"),
            ("/reset/", "/reset/"),
        ] {
            check(raw, &templates, expected);
        }
    }

    #[test]
    fn templates_without_a_star_are_refused() {
        for bad in ["", "/", "reset/*", "/reset", "*"] {
            assert_eq!(SecretPath::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_long_path_is_cut_between_segments() {
        let long = format!("/{}/{}", "a".repeat(1500), "b".repeat(1500));
        assert_eq!(
            path(long.as_bytes(), &[], &hasher()),
            (format!("/{}", "a".repeat(1500)), true)
        );
        let one = format!("/{}", "a".repeat(4000));
        assert_eq!(path(one.as_bytes(), &[], &hasher()), (String::new(), true));
    }

    #[test]
    fn names_that_look_like_tokens_are_hashed() {
        assert_eq!(name(b"page", 64, &hasher()).0, "page");
        assert!(
            name(b"9f86d081884c7d659a2feaa0c55ad015", 64, &hasher())
                .0
                .starts_with('~')
        );
    }

    proptest! {
        #[test]
        fn any_path_is_survived_and_bounded(raw: Vec<u8>) {
            let (redacted, _) = path(&raw, &[SecretPath(vec![None])], &hasher());
            prop_assert!(redacted.len() <= PATH_BYTES_MAX);
        }
    }
}
