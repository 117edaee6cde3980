//! A fast keyed 64-bit hash for sketches and table keys.
//!
//! Std's hash maps keep their own random keys. Sketches cannot: the same log must give the same
//! verdicts after a restart, so the key is [`crate::Settings::seed`], which whoever runs the
//! detection keeps secret: a client that knew it could choose values that fall into one slot.

const MUL: u64 = 0x9e37_79b9_7f4a_7c15;

/// Mixes 64 bits so that each input bit reaches every output bit.
pub(crate) fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    let value = (value ^ (value >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    value ^ (value >> 32)
}

fn fold(left: u64, right: u64) -> u64 {
    let product = u128::from(left) * u128::from(right);
    let [low, high] = [product & u128::from(u64::MAX), product >> 64];
    u64::try_from(low).unwrap_or(0) ^ u64::try_from(high).unwrap_or(0)
}

/// Hash of some bytes under a key.
pub(crate) fn bytes(seed: u64, bytes: &[u8]) -> u64 {
    let (chunks, rest) = bytes.as_chunks::<8>();
    let mut state = seed ^ (bytes.len() as u64).wrapping_mul(MUL);
    for chunk in chunks {
        state = fold(
            state ^ u64::from_le_bytes(*chunk),
            MUL ^ seed.rotate_left(17),
        );
    }
    let mut tail = [0_u8; 8];
    for (to, from) in tail.iter_mut().zip(rest) {
        *to = *from;
    }
    mix(fold(state ^ u64::from_le_bytes(tail), MUL))
}

/// Hash of two hashes, order kept.
pub(crate) fn pair(one: u64, two: u64) -> u64 {
    mix(one.wrapping_mul(MUL).rotate_left(23) ^ two)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_lengths_matter() {
        assert_ne!(bytes(1, b"abc"), bytes(2, b"abc"));
        assert_ne!(bytes(1, b"abc"), bytes(1, b"abc\0"));
        assert_ne!(bytes(1, b""), bytes(1, b"\0"));
        assert_ne!(pair(1, 2), pair(2, 1));
        assert_eq!(bytes(7, b"12345678x"), bytes(7, b"12345678x"));
    }
}
