//! Client bytes → text with a limit.

use std::borrow::Cow;

/// Bytes as text of at most `limit` bytes; what is not UTF-8 becomes U+FFFD. The flag says
/// whether something was cut off.
pub(crate) fn limited(bytes: &[u8], limit: usize) -> (Cow<'_, str>, bool) {
    let Some((head, _)) = bytes
        .split_at_checked(limit)
        .filter(|(_, rest)| !rest.is_empty())
    else {
        return (String::from_utf8_lossy(bytes), false);
    };
    // A character that the cut went through is left out, not turned into U+FFFD.
    let head = match std::str::from_utf8(head) {
        Err(error) if error.error_len().is_none() => head
            .split_at_checked(error.valid_up_to())
            .map_or(head, |(valid, _)| valid),
        _ => head,
    };
    (String::from_utf8_lossy(head), true)
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
            (b"\xff\xffab", 2, ("\u{fffd}\u{fffd}", true)),
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
