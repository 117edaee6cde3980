//! The shop's customers: a pure function of a number, so that the traffic knows whom it may
//! play without asking the shop, and the shop needs no memory for people who never come.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::mix::{mix, pick};

/// How many accounts exist, numbered from 0.
pub const ACCOUNTS: u32 = 100_000;

/// Signs reset links. Anyone may know it: the mail of the demo's users is played, not sent, and
/// the traffic computes the link that the mail would have carried.
const MAIL_SECRET: &[u8] = b"the demo has no mail server";

const FIRST: &[&str] = &[
    "anna", "ben", "carla", "david", "elena", "farid", "greta", "hugo", "ines", "jonas", "kim",
    "lena", "marco", "nadia", "oscar", "priya", "quentin", "rosa", "samir", "tessa", "umar",
    "vera", "will", "xenia", "yusuf", "zoe",
];
const LAST: &[&str] = &[
    "adler", "berg", "costa", "dietz", "evans", "fischer", "gallo", "hansen", "ivanov", "jansen",
    "keller", "lopez", "meyer", "novak", "olsen", "peters", "quinn", "rossi", "schmid", "tanaka",
    "ueda", "vogel", "weber", "young", "zhang",
];
const DOMAINS: &[&str] = &[
    "mail.example",
    "post.example",
    "inbox.example",
    "web.example",
];
const WORDS: &[&str] = &[
    "amber", "birch", "copper", "delta", "ember", "fjord", "garnet", "harbor", "indigo", "jasper",
    "kestrel", "lagoon", "maple", "nectar", "onyx", "pepper", "quartz", "raven", "sierra", "tulip",
];

/// One customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Number of the account, below [`ACCOUNTS`].
    pub index: u32,
    /// The e-mail address, which is also the user name.
    pub email: String,
    /// The password the account starts with.
    pub password: String,
    /// Name for display.
    pub name: String,
}

/// The account with this number; numbers wrap at [`ACCOUNTS`].
#[must_use]
pub fn account(index: u32) -> Account {
    let index = index % ACCOUNTS;
    let hash = mix(u64::from(index));
    let (first, last) = (pick(hash, FIRST), pick(hash >> 16, LAST));
    let secret = mix(hash);
    Account {
        index,
        email: format!("{first}.{last}{index}@{}", pick(hash >> 32, DOMAINS)),
        password: format!(
            "{}-{}-{:04}",
            pick(secret, WORDS),
            pick(secret >> 16, WORDS),
            (secret >> 40) % 10_000
        ),
        name: format!("{first} {last}"),
    }
}

/// The account with this e-mail address.
#[must_use]
pub fn find(email: &str) -> Option<Account> {
    let local = email.split('@').next()?;
    let digits = local.trim_start_matches(|c: char| !c.is_ascii_digit());
    let index: u32 = digits.parse().ok()?;
    let found = account(index);
    (index < ACCOUNTS && found.email == email).then_some(found)
}

/// The token in the reset link that this address gets by mail.
#[must_use]
pub fn reset_token(email: &str) -> String {
    keyed(MAIL_SECRET, email.as_bytes())
}

/// HMAC-SHA256 in hex.
pub(crate) fn keyed(secret: &[u8], text: &[u8]) -> String {
    // An HMAC takes keys of any length, so the empty string is never returned.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else {
        return String::new();
    };
    mac.update(text);
    let digest = mac.finalize().into_bytes();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_account_is_found_by_its_address() {
        for index in [0, 1, 99, 4_711, ACCOUNTS - 1] {
            let account = account(index);
            assert_eq!(find(&account.email), Some(account));
        }
    }

    #[test]
    fn addresses_that_nobody_has_are_not_found() {
        for email in [
            "",
            "@",
            "anna",
            "anna.berg@mail.example",
            "x.y4711@mail.example",
        ] {
            assert_eq!(find(email), None, "{email}");
        }
        let beyond = account(5).email.replace('5', &(ACCOUNTS + 5).to_string());
        assert_eq!(find(&beyond), None);
    }

    #[test]
    fn secrets_differ_between_accounts() {
        assert_ne!(account(1).password, account(2).password);
        assert_ne!(reset_token("a@b"), reset_token("a@c"));
        assert_eq!(reset_token("a@b").len(), 64);
    }
}
