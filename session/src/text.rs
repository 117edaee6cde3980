//! Client bytes → text with a limit.

use std::borrow::Cow;

/// Bytes as text of at most `limit` bytes; what is not UTF-8 becomes U+FFFD. The flag says
/// whether something was cut off.
pub(crate) fn limited(bytes: &[u8], limit: usize) -> (Cow<'_, str>, bool) {
    let (head, cut) = match bytes.get(..limit) {
        Some(head) if bytes.len() > limit => (head, true),
        _ => (bytes, false),
    };
    match String::from_utf8_lossy(head) {
        // A character that the cut went through is left out; nothing else can be wrong here.
        Cow::Owned(text) if cut || text.len() > limit => {
            let valid = std::str::from_utf8(head).map_or_else(
                |error| error.error_len().is_none().then(|| error.valid_up_to()),
                |whole| Some(whole.len()),
            );
            let text = match valid {
                Some(end) => {
                    String::from_utf8_lossy(head.get(..end).unwrap_or_default()).into_owned()
                }
                None => text,
            };
            (Cow::Owned(at_most(text, limit)), true)
        }
        text => (text, cut),
    }
}

/// The start of a text, whole characters only.
fn at_most(mut text: String, limit: usize) -> String {
    let end = (0..=limit).rev().find(|end| text.is_char_boundary(*end));
    text.truncate(end.unwrap_or(0));
    text
}

/// `%41` → `A` and `+` → space, as in a query string or form; bad escapes stay as they are.
pub(crate) fn percent_decoded(bytes: &[u8]) -> Cow<'_, [u8]> {
    decoded(bytes, Plus::Space)
}

/// `%41` → `A`, as in a path, where `+` is itself.
pub(crate) fn percent_decoded_path(bytes: &[u8]) -> Cow<'_, [u8]> {
    decoded(bytes, Plus::Itself)
}

#[derive(Clone, Copy, PartialEq)]
enum Plus {
    Space,
    Itself,
}

fn decoded(bytes: &[u8], plus: Plus) -> Cow<'_, [u8]> {
    if !bytes.iter().any(|byte| matches!(byte, b'%' | b'+')) {
        return Cow::Borrowed(bytes);
    }
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        decoded.push(match first {
            b'+' if plus == Plus::Space => b' ',
            b'%' => match escaped(tail) {
                Some((byte, tail)) => {
                    rest = tail;
                    byte
                }
                None => b'%',
            },
            byte => *byte,
        });
    }
    Cow::Owned(decoded)
}

/// The byte of two hex digits, and what follows.
fn escaped(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let ([high, low], tail) = bytes.split_first_chunk::<2>()?;
    let value = char::from(*high).to_digit(16)? << 4 | char::from(*low).to_digit(16)?;
    Some((u8::try_from(value).ok()?, tail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_between_characters() {
        for (bytes, limit, expected) in [
            (&b"abc"[..], 3, ("abc", false)),
            (b"abcd", 3, ("abc", true)),
            ("aé".as_bytes(), 2, ("a", true)),
            (b"a\xff", 5, ("a\u{fffd}", false)),
            (b"a\xff", 2, ("a", true)),
            (b"\xff\xffab", 2, ("", true)),
            (b"\xff\xffab", 4, ("\u{fffd}", true)),
            (b"a\xffb", 3, ("a", true)),
            (b"", 0, ("", false)),
        ] {
            let (text, cut) = limited(bytes, limit);
            assert_eq!((&*text, cut), expected);
        }
    }

    #[test]
    fn decodes_escapes_and_keeps_bad_ones() {
        for (encoded, expected) in [
            (&b"a%20b+c"[..], &b"a b c"[..]),
            (b"%4", b"%4"),
            (b"%zz%41", b"%zzA"),
            (b"%ff", b"\xff"),
            (b"plain", b"plain"),
            (b"%%41", b"%A"),
        ] {
            assert_eq!(&*percent_decoded(encoded), expected);
        }
    }
}
