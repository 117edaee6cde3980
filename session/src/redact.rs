//! What of a path may be stored: segments that could be secrets become keyed hashes.
//!
//! A hashed segment is written as `~` and 16 hex digits: the same segment always gives the same
//! hash, so that distinct values can still be counted.

use std::borrow::Cow;

use crate::identity::Hasher;
use crate::text::{limited, percent_decoded_path};

/// Longest path that is stored, in bytes; the rest is cut off between segments.
pub const PATH_BYTES_MAX: usize = 2048;

/// A path template whose `*` segments are always hashed, with all that follows the last of them,
/// e.g. `/password-reset/*`.
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

    /// The path in plain spelling with its secrets hashed; `None` when it is another path.
    fn redacted(&self, plain: &[Vec<u8>], hasher: &Hasher) -> Option<String> {
        let fits = |(expected, segment): (&Option<Vec<u8>>, &Vec<u8>)| {
            expected
                .as_ref()
                .is_none_or(|word| word.eq_ignore_ascii_case(segment))
        };
        if plain.len() < self.0.len() || !self.0.iter().zip(plain).all(fits) {
            return None;
        }
        let last_star = self.0.iter().rposition(Option::is_none)?;
        let mut redacted = String::new();
        for (index, segment) in plain.iter().enumerate() {
            let is_star = self.0.get(index) == Some(&None);
            redacted.push('/');
            redacted.push_str(&segment_text(segment, is_star || index > last_star, hasher));
        }
        Some(redacted)
    }
}

/// The segments as servers understand them, however they are spelt: decoded, without empty ones,
/// `.`, what `..` takes back, and parameters behind `;`.
fn plain_segments(path: &[u8]) -> Vec<Vec<u8>> {
    let mut segments: Vec<Vec<u8>> = Vec::new();
    let decoded = decoded_fully(path);
    for segment in decoded.split(|byte| matches!(byte, b'/' | b'\\')) {
        match segment
            .split(|byte| *byte == b';')
            .next()
            .unwrap_or_default()
        {
            b"" | b"." => {}
            b".." => drop(segments.pop()),
            word => segments.push(word.to_vec()),
        }
    }
    segments
}

/// Without its escapes, also where they were escaped again.
fn decoded_fully(text: &[u8]) -> Cow<'_, [u8]> {
    let mut decoded = percent_decoded_path(text);
    for _ in 0..2 {
        if !decoded.contains(&b'%') {
            break;
        }
        decoded = Cow::Owned(percent_decoded_path(&decoded).into_owned());
    }
    decoded
}

/// The path as it may be stored, and whether it was cut.
#[must_use]
pub fn path(path: &[u8], secret_paths: &[SecretPath], hasher: &Hasher) -> (String, bool) {
    if !secret_paths.is_empty() {
        let head = path.get(..PATH_BYTES_MAX).unwrap_or(path);
        let plain = plain_segments(head);
        let secret = secret_paths
            .iter()
            .find_map(|template| template.redacted(&plain, hasher));
        if let Some(redacted) = secret {
            let (text, cut) = limited(redacted.as_bytes(), PATH_BYTES_MAX);
            return (text.into_owned(), cut || head.len() < path.len());
        }
    }
    let mut redacted = String::with_capacity(path.len().min(PATH_BYTES_MAX));
    // What stands before the first slash: nothing, or all of `*` and of a CONNECT target.
    for (index, segment) in path.split(|byte| *byte == b'/').enumerate() {
        let too_long = segment.len() > PATH_BYTES_MAX;
        let text = if too_long {
            Cow::Borrowed("")
        } else {
            segment_text(segment, false, hasher)
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

/// A name that a client chose (a query parameter's), hashed where it looks like a token. Without
/// a value (`bare`) it may be one itself: then only a plain word is shown.
#[must_use]
pub fn name<'a>(name: &'a [u8], bare: bool, limit: usize, hasher: &Hasher) -> (Cow<'a, str>, bool) {
    let is_letter = |byte: &u8| byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'_');
    let is_word = name.len() <= 16 && name.iter().all(is_letter);
    if looks_secret(name) || (bare && !is_word) {
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
    if text.len() < 3 {
        return false;
    }
    let decoded = decoded_fully(text);
    // `@name` is a handle, `a@b` an address; a `?` in a segment hides a query.
    decoded.iter().skip(1).any(|byte| *byte == b'@')
        || decoded.contains(&b'?')
        || is_card_number(&decoded)
        || decoded.windows(36).any(is_uuid)
        || has_token(&decoded)
}

/// A slug is made of words; a token has a long run of letters and digits without a break, or many
/// short ones that are no words.
fn has_token(text: &[u8]) -> bool {
    const RUN_MIN: usize = 16;
    const RUN_MAX: usize = 24;
    if text.len() < RUN_MIN {
        return false;
    }
    let is_digit = |byte: &u8| byte.is_ascii_digit();
    let mut runs = 0_usize;
    let mut mixed = 0_usize;
    for run in text
        .split(|byte| !byte.is_ascii_alphanumeric())
        .filter(|run| !run.is_empty())
    {
        let digits = run.iter().filter(|byte| is_digit(byte)).count();
        // camelCase turns upper once a word, random letters every other time.
        let case_changes = run
            .iter()
            .zip(run.iter().skip(1))
            .filter(|(one, next)| one.is_ascii_lowercase() && next.is_ascii_uppercase())
            .count();
        if run.len() >= RUN_MIN && (digits >= 2 || case_changes * 4 >= run.len()) {
            return true;
        }
        // No word is this long, unless it is several in camelCase.
        if run.len() >= RUN_MAX && case_changes == 0 {
            return true;
        }
        runs = runs.saturating_add(1);
        mixed = mixed.saturating_add(usize::from(digits > 0 && digits < run.len()));
    }
    runs >= 4 && mixed.saturating_mul(2) >= runs
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
            "/@ann/posts",
            "/getAllOpenOrdersOfCurrentUserWithDetails",
            "/wp-content/themes/twenty-twenty-five/style.css",
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
            ("/f/123e4567-e89b-12d3-a456-426614174000.pdf", "/f/#"),
            ("/f/user-123e4567-e89b-12d3-a456-426614174000", "/f/#"),
            ("/u/ann@example.com", "/u/#"),
            ("/u/a@b.c", "/u/#"),
            ("/u/ann%2540example.com", "/u/#"),
            ("/reset%3Ftoken=secret", "/#"),
            ("/t/abcdefghijklmnopqrstuvwxyzabcdef", "/t/#"),
            ("/t/ABCDEFGHIJKLMNOPQRSTUVWX", "/t/#"),
            ("/t/a1b2-c3d4-e5f6-a7b8-c9d0", "/t/#"),
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
            ("/reset/x/y", "/reset/#/#"),
            ("//reset/x", "/reset/#"),
            ("/reset//x", "/reset/#"),
            ("/a/../reset/./x", "/reset/#"),
            ("/RESET/x", "/RESET/#"),
            ("/re%73et/x", "/reset/#"),
            ("/re%2573et%2Fx", "/reset/#"),
            ("/reset;v=1/x", "/reset/#"),
            ("/reset\\x", "/reset/#"),
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
        let long = format!("/{}/{}", "a-".repeat(750), "b-".repeat(750));
        let expected = format!("/{}", "a-".repeat(750));
        assert_eq!(path(long.as_bytes(), &[], &hasher()), (expected, true));
        let one = format!("/{}", "a-".repeat(2000));
        assert_eq!(path(one.as_bytes(), &[], &hasher()), (String::new(), true));
    }

    #[test]
    fn names_that_look_like_tokens_are_hashed() {
        let shown = |text: &[u8], bare| name(text, bare, 64, &hasher()).0.into_owned();
        assert_eq!(shown(b"page", false), "page");
        assert_eq!(shown(b"debug", true), "debug");
        assert!(shown(b"SECRET-1", true).starts_with('~'));
        assert!(shown(b"9f86d081884c7d659a2feaa0c55ad015", false).starts_with('~'));
    }

    proptest! {
        #[test]
        fn any_path_is_survived_and_bounded(raw: Vec<u8>) {
            let (redacted, _) = path(&raw, &[SecretPath(vec![None])], &hasher());
            prop_assert!(redacted.len() <= PATH_BYTES_MAX);
        }
    }
}
