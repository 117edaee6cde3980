//! Bearer tokens: what a request carries, and a secret compared with it in constant time.

use http::HeaderMap;
use http::header::AUTHORIZATION;
use sha2::{Digest as _, Sha256};

/// Shorter tokens are refused at start: they can be guessed.
pub const TOKEN_LEN_MIN: usize = 16;

/// A secret, kept only as its hash.
#[derive(Clone)]
pub struct Token([u8; 32]);

impl Token {
    /// Keeps the hash of `secret`; `None` when it has fewer than [`TOKEN_LEN_MIN`] bytes.
    #[must_use]
    pub fn new(secret: &str) -> Option<Self> {
        (secret.len() >= TOKEN_LEN_MIN).then(|| Self(Sha256::digest(secret.as_bytes()).into()))
    }

    /// Whether `headers` carry this token as `Authorization: Bearer …`.
    ///
    /// Hashes are compared, all bytes of them: the time taken says nothing about the secret.
    #[must_use]
    pub fn admits(&self, headers: &HeaderMap) -> bool {
        let Some(given) = given(headers) else {
            return false;
        };
        let differing = self
            .0
            .iter()
            .zip(given)
            .fold(0, |all, (one, other)| all | (one ^ other));
        differing == 0
    }
}

/// SHA-256 of the secret in `Authorization: Bearer …`; `None` where there is none.
pub(super) fn given(headers: &HeaderMap) -> Option<[u8; 32]> {
    let value = headers.get(AUTHORIZATION)?.as_bytes();
    let (scheme, secret) = value.split_at_checked(b"Bearer ".len())?;
    let is_bearer = scheme.eq_ignore_ascii_case(b"Bearer ");
    is_bearer.then(|| Sha256::digest(secret).into())
}

impl std::fmt::Debug for Token {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Token(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn admits_only_its_own_secret() {
        let token = Token::new("0123456789abcdef").unwrap();
        for (header, expected) in [
            ("Bearer 0123456789abcdef", true),
            ("bearer 0123456789abcdef", true),
            ("Bearer 0123456789abcdeF", false),
            ("Bearer 0123456789abcdef ", false),
            ("Basic 0123456789abcdef", false),
            ("Bearer ", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(AUTHORIZATION, header.parse().unwrap());
            assert_eq!(token.admits(&headers), expected, "{header:?}");
        }
        assert!(!token.admits(&HeaderMap::new()));
        assert!(Token::new("short").is_none());
    }
}
