//! session key → session id: keyed hashes that replace every value worth protecting.
//!
//! A session id is HMAC-SHA-256 under the session secret, over a purpose and length-prefixed parts,
//! so that no two inputs of different shape or purpose can give the same bytes. The 64-bit hashes
//! of everything else are SipHash-2-4, each purpose with a key that HMAC derives from the secret:
//! as hard to guess without the secret, and a tenth of the price.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use siphasher::sip::SipHasher24;
use std::hash::Hasher as _;

use self::memo::Memo;
use crate::hex::Hex;
use crate::wire::{QueryHash, SessionId};

mod memo;

/// Shortest session secret that is accepted, in bytes.
pub const SECRET_BYTES_MIN: usize = 16;

/// The session secret, ready to hash: the two HMAC pads are computed once.
#[derive(Clone)]
pub struct Hasher {
    hmac: Hmac<Sha256>,
    memo: Memo,
    path: SipHasher24,
    parameter: SipHasher24,
    finder: SipHasher24,
    sample: SipHasher24,
    query: SipHasher24,
}

/// The session secret is shorter than [`SECRET_BYTES_MIN`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the session secret has {bytes} bytes; it needs at least {SECRET_BYTES_MIN}")]
pub struct ShortSecret {
    /// Length of the secret that was given.
    pub bytes: usize,
}

impl Hasher {
    /// Prepares the secret.
    ///
    /// # Errors
    /// [`ShortSecret`] when it could be guessed.
    pub fn new(secret: &[u8]) -> Result<Self, ShortSecret> {
        let short = ShortSecret {
            bytes: secret.len(),
        };
        if secret.len() < SECRET_BYTES_MIN {
            return Err(short);
        }
        let hmac = Hmac::new_from_slice(secret).map_err(|_| short)?;
        let keyed = |purpose: &[u8]| SipHasher24::new_with_key(&digest(&hmac, purpose, []).0);
        Ok(Self {
            path: keyed(b"path"),
            parameter: keyed(b"parameter"),
            finder: keyed(b"finder"),
            sample: keyed(b"sample"),
            query: keyed(b"query"),
            memo: Memo::new(&digest(&hmac, b"memo", []).0),
            hmac,
        })
    }

    /// The session that these key values belong to.
    ///
    /// The same values give different sessions in another application or namespace.
    #[must_use]
    pub fn session<'a>(
        &self,
        application: &'a str,
        namespace: Namespace<'a>,
        values: impl IntoIterator<Item = &'a [u8]> + Clone,
    ) -> SessionId {
        let tag = self.memo.tag(application, namespace, values.clone());
        self.memo
            .session(tag, || self.compute(application, namespace, values))
    }

    fn compute<'a>(
        &self,
        application: &'a str,
        namespace: Namespace<'a>,
        values: impl IntoIterator<Item = &'a [u8]>,
    ) -> SessionId {
        let (purpose, name) = match namespace {
            Namespace::Named(name) => (&b"session"[..], name),
            Namespace::Fallback(name) => (&b"session-fallback"[..], name),
        };
        let parts = [application.as_bytes(), name.as_bytes()];
        digest(&self.hmac, purpose, parts.into_iter().chain(values))
    }

    /// A stand-in for one path segment that must not be stored.
    #[must_use]
    pub fn path_segment(&self, segment: &[u8]) -> Hex<8> {
        short(&self.path, [segment])
    }

    /// A stand-in for a parameter's value that must not be stored.
    #[must_use]
    pub fn parameter(&self, name: &str, value: &[u8]) -> Hex<8> {
        short(&self.parameter, [name.as_bytes(), value])
    }

    /// A stand-in for a value that the key finder saw; the same wherever it was seen.
    #[must_use]
    pub fn finder(&self, value: &[u8]) -> Hex<8> {
        short(&self.finder, [value])
    }

    /// Picks clients for a sample: the same for all exchanges of one client.
    #[must_use]
    pub fn sample(&self, client_ip: &[u8], user_agent: &[u8]) -> u64 {
        u64::from_be_bytes(short(&self.sample, [client_ip, user_agent]).0)
    }

    /// Tells query strings apart without storing them.
    #[must_use]
    pub fn query(&self, query: &[u8]) -> QueryHash {
        short(&self.query, [query])
    }
}

/// The first `N` bytes of the HMAC over purpose and parts, each with its length in front.
fn digest<'a, const N: usize>(
    hmac: &Hmac<Sha256>,
    purpose: &'a [u8],
    parts: impl IntoIterator<Item = &'a [u8]>,
) -> Hex<N> {
    let mut hmac = hmac.clone();
    for part in std::iter::once(purpose).chain(parts) {
        hmac.update(&length(part));
        hmac.update(part);
    }
    let digest = hmac.finalize().into_bytes();
    let mut bytes = [0; N];
    for (byte, digested) in bytes.iter_mut().zip(digest) {
        *byte = digested;
    }
    Hex(bytes)
}

/// The keyed 64-bit hash of parts, each with its length in front.
fn short<'a>(keyed: &SipHasher24, parts: impl IntoIterator<Item = &'a [u8]>) -> Hex<8> {
    let mut hasher = *keyed;
    for part in parts {
        hasher.write(&length(part));
        hasher.write(part);
    }
    Hex(hasher.finish().to_be_bytes())
}

fn length(part: &[u8]) -> [u8; 8] {
    u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes()
}

/// Which values may meet in one session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Namespace<'a> {
    /// Of a key rule; rules share one only where the policy says so.
    Named(&'a str),
    /// Of a fallback; no rule's namespace can be the same.
    Fallback(&'a str),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(application: &str, namespace: Namespace<'_>, values: &[&[u8]]) -> SessionId {
        let hasher = Hasher::new(b"0123456789abcdef").unwrap();
        hasher.session(application, namespace, values.iter().copied())
    }

    #[test]
    fn the_same_values_give_the_same_session() {
        let named = Namespace::Named("token");
        assert_eq!(
            id("shop", named, &[b"a", b"b"]),
            id("shop", named, &[b"a", b"b"])
        );
    }

    #[test]
    fn nothing_else_gives_the_same_session() {
        let base = id("shop", Namespace::Named("token"), &[b"ab", b"c"]);
        for other in [
            id("shop2", Namespace::Named("token"), &[b"ab", b"c"]),
            id("shop", Namespace::Named("cookie"), &[b"ab", b"c"]),
            id("shop", Namespace::Fallback("token"), &[b"ab", b"c"]),
            id("shop", Namespace::Named("token"), &[b"a", b"bc"]),
            id("shop", Namespace::Named("token"), &[b"abc"]),
            id("shop", Namespace::Named("token"), &[b"ab", b"c", b""]),
            id("shoptoken", Namespace::Named(""), &[b"ab", b"c"]),
        ] {
            assert_ne!(base, other);
        }
    }

    #[test]
    fn a_remembered_session_is_the_computed_one() {
        let hasher = Hasher::new(b"0123456789abcdef").unwrap();
        for round in 0..2 {
            for number in 0..3_000_u32 {
                let value = number.to_string();
                let values = || [value.as_bytes(), b"x"];
                for namespace in [Namespace::Named("token"), Namespace::Fallback("token")] {
                    let session = hasher.session("shop", namespace, values());
                    let computed = hasher.compute("shop", namespace, values());
                    assert_eq!(session, computed, "{round} {number} {namespace:?}");
                }
            }
        }
    }

    #[test]
    fn nothing_else_has_the_same_tag() {
        let hasher = Hasher::new(b"0123456789abcdef").unwrap();
        let tag = |application, namespace, values: &[&[u8]]| {
            let values = values.iter().copied();
            hasher.memo.tag(application, namespace, values)
        };
        let base = tag("shop", Namespace::Named("token"), &[b"ab", b"c"]);
        assert_eq!(base, tag("shop", Namespace::Named("token"), &[b"ab", b"c"]));
        for other in [
            tag("shop2", Namespace::Named("token"), &[b"ab", b"c"]),
            tag("shop", Namespace::Named("cookie"), &[b"ab", b"c"]),
            tag("shop", Namespace::Fallback("token"), &[b"ab", b"c"]),
            tag("shop", Namespace::Named("token"), &[b"a", b"bc"]),
            tag("shop", Namespace::Named("token"), &[b"abc"]),
            tag("shop", Namespace::Named("token"), &[b"ab", b"c", b""]),
            tag("shoptoken", Namespace::Named(""), &[b"ab", b"c"]),
        ] {
            assert_ne!(base, other);
        }
    }

    #[test]
    fn another_secret_gives_other_hashes() {
        let one = Hasher::new(&[1; 16]).unwrap();
        let two = Hasher::new(&[2; 16]).unwrap();
        assert_ne!(one.query(b"q=1"), two.query(b"q=1"));
        assert_ne!(one.query(b"q=1"), one.path_segment(b"q=1"));
    }

    #[test]
    fn a_short_secret_is_refused() {
        let error = Hasher::new(b"short").err().unwrap();
        assert_eq!(
            error.to_string(),
            "the session secret has 5 bytes; it needs at least 16"
        );
    }
}
