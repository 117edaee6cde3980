//! Bearer tokens: opaque, random, short-lived, renewed by a refresh token that works once.

use std::time::Duration;

use rand::RngCore;
use rand::rngs::SmallRng;
use tokio::time::Instant;

use crate::bounded::Bounded;

const TOKENS_MAX: usize = 50_000;
/// A refresh token outlives its access token by this factor.
const REFRESH_FACTOR: u32 = 20;

/// What the shop knows about a presented access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Account(u32),
    Expired,
    Unknown,
}

/// A fresh pair for the client.
#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) token: String,
    pub(crate) refresh: String,
}

#[derive(Clone, Debug)]
struct Grant {
    account: u32,
    ends: Instant,
    /// The other half of the pair, so that logging out ends both.
    other: String,
}

#[derive(Debug)]
pub(crate) struct Tokens {
    access: Bounded<String, Grant>,
    refresh: Bounded<String, Grant>,
    lifetime: Duration,
}

/// `bytes` random bytes in hex.
pub(crate) fn opaque(rng: &mut SmallRng, bytes: usize) -> String {
    let mut raw = vec![0; bytes];
    rng.fill_bytes(&mut raw);
    raw.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Tokens {
    pub(crate) fn new(lifetime: Duration) -> Self {
        Self {
            access: Bounded::new(TOKENS_MAX),
            refresh: Bounded::new(TOKENS_MAX),
            lifetime,
        }
    }

    pub(crate) fn issue(&mut self, account: u32, now: Instant, rng: &mut SmallRng) -> Pair {
        let pair = Pair {
            token: opaque(rng, 24),
            refresh: opaque(rng, 32),
        };
        let grant = |ends, other: &String| Grant {
            account,
            ends,
            other: other.clone(),
        };
        self.access.insert(
            pair.token.clone(),
            grant(now + self.lifetime, &pair.refresh),
        );
        self.refresh.insert(
            pair.refresh.clone(),
            grant(now + self.lifetime * REFRESH_FACTOR, &pair.token),
        );
        pair
    }

    pub(crate) fn standing(&self, token: &str, now: Instant) -> Standing {
        match self.access.get(&token.to_owned()) {
            Some(grant) if grant.ends > now => Standing::Account(grant.account),
            Some(_) => Standing::Expired,
            None => Standing::Unknown,
        }
    }

    /// Trades a refresh token for a new pair; the old pair ends.
    pub(crate) fn rotate(
        &mut self,
        refresh: &str,
        now: Instant,
        rng: &mut SmallRng,
    ) -> Option<(u32, Pair)> {
        let grant = self.refresh.remove(&refresh.to_owned())?;
        self.access.remove(&grant.other);
        (grant.ends > now).then(|| (grant.account, self.issue(grant.account, now, rng)))
    }

    pub(crate) fn end(&mut self, token: &str) {
        if let Some(grant) = self.access.remove(&token.to_owned()) {
            self.refresh.remove(&grant.other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn a_token_expires_and_its_refresh_token_works_once() {
        let mut rng = SmallRng::seed_from_u64(1);
        let mut tokens = Tokens::new(Duration::from_secs(10));
        let start = Instant::now();
        let first = tokens.issue(7, start, &mut rng);
        assert_eq!(tokens.standing(&first.token, start), Standing::Account(7));
        let later = start + Duration::from_secs(11);
        assert_eq!(tokens.standing(&first.token, later), Standing::Expired);
        let (account, second) = tokens.rotate(&first.refresh, later, &mut rng).unwrap();
        assert_eq!(account, 7);
        assert_eq!(tokens.standing(&second.token, later), Standing::Account(7));
        assert_eq!(tokens.standing(&first.token, later), Standing::Unknown);
        assert!(tokens.rotate(&first.refresh, later, &mut rng).is_none());
        tokens.end(&second.token);
        assert_eq!(tokens.standing(&second.token, later), Standing::Unknown);
        assert!(tokens.rotate(&second.refresh, later, &mut rng).is_none());
    }
}
