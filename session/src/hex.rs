//! Identifiers as lower-case hex digits: how ids look on the wire, in the API and in the store.

use std::fmt;

/// `N` bytes that are written as `2 * N` lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hex<const N: usize>(pub [u8; N]);

const DIGITS: &[u8; 16] = b"0123456789abcdef";

fn digit(value: u8) -> u8 {
    let digit = DIGITS.get(usize::from(value & 0x0f));
    digit.copied().unwrap_or(b'0')
}

fn value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

impl<const N: usize> Hex<N> {
    /// Reads exactly `2 * N` lower-case hex digits; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        if !rest.is_empty() || pairs.len() != N {
            return None;
        }
        let mut bytes = [0; N];
        for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
            *byte = value(*high)? << 4 | value(*low)?;
        }
        Some(Self(bytes))
    }

    /// The digits, without an allocation: every record has four such ids and more.
    pub(crate) fn digits(&self) -> Digits<N> {
        Digits(self.0.map(|byte| [digit(byte >> 4), digit(byte)]))
    }
}

/// The digits of a [`Hex`].
pub(crate) struct Digits<const N: usize>([[u8; 2]; N]);

impl<const N: usize> Digits<N> {
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_flattened()
    }

    fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }
}

impl<const N: usize> fmt::Display for Hex<N> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.digits().as_str())
    }
}

impl<const N: usize> fmt::Debug for Hex<N> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl<const N: usize> serde::Serialize for Hex<N> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.digits().as_str())
    }
}

impl<'de, const N: usize> serde::Deserialize<'de> for Hex<N> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text<const N: usize>;
        impl<const N: usize> serde::de::Visitor<'_> for Text<N> {
            type Value = Hex<N>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, "{} lower-case hex digits", 2 * N)
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Hex<N>, E> {
                Hex::parse(text)
                    .ok_or_else(|| E::invalid_value(serde::de::Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::Hex;

    #[test]
    fn reads_what_it_writes_and_nothing_else() {
        let id = Hex([0x00, 0x9f, 0xff]);
        assert_eq!(id.to_string(), "009fff");
        assert_eq!(Hex::parse("009fff"), Some(id));
        for bad in [
            "", "009ff", "009fff0", "009FFF", "009fg0", "00 9ff", "é9fff",
        ] {
            assert_eq!(Hex::<3>::parse(bad), None, "{bad}");
        }
    }
}
