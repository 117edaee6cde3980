//! One worker's page in the ledger: what it says, what we have, and how the two add up.

use serde::{Deserialize, Serialize};
use throughline_session::wire::{BatchHeader, Dropped, Ledger, ShareKind};
use utoipa::ToSchema;

/// Key rules and parameters that a page lists: more than a policy can have.
const SHARES_MAX: usize = 256;
/// Longest text kept of what a filter says about a policy, characters.
const TEXT_LEN_MAX: usize = 512;

/// How often a key rule or parameter found its value where the policy expects it, since the
/// worker has this policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Share {
    /// Name of the key rule or parameter.
    pub name: String,
    /// `key` or `parameter`.
    pub kind: String,
    /// Exchanges that it is for.
    pub expected: u64,
    /// Those in which it found a value.
    pub found: u64,
}

/// A live policy that a filter could not use; it goes on with the one before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RefusedPolicy {
    /// Version of what was handed out (`live_version`).
    pub live_version: String,
    /// Place and remedy.
    pub why: String,
}

/// Batches may arrive out of order by this much, microseconds; beyond it our clock was set back.
const DISORDER_US: i64 = 1_000_000;

/// What is known of one worker.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkerBook {
    /// Envoy's `node.id`.
    pub node: String,
    /// Where the worker sees exchanges.
    pub capture_point: String,
    /// Policy of its last batch.
    pub policy_version: String,
    /// Version of the filter.
    pub filter_version: String,
    /// When its first batch arrived, microseconds since the Unix epoch.
    pub first_contact_us: i64,
    /// When its last batch arrived, microseconds since the Unix epoch.
    pub last_contact_us: i64,
    /// The highest counts that it reported.
    pub reported: Ledger,
    /// Its records in the store.
    pub stored: u64,
    /// Its record lines in quarantine.
    pub quarantined: u64,
    /// How often rules and parameters found their value.
    pub shares: Vec<Share>,
    /// A live policy that it could not use.
    pub refused: Option<RefusedPolicy>,
    /// What its clock is behind ours, with the way here, microseconds; and when that was seen.
    /// Not known of a worker that was not heard of since the start.
    pub behind: Option<(i64, i64)>,
}

/// A clock is looked at anew after this long: what was sent again after a while says too much.
const CLOCK_LOOK_US: i64 = 60_000_000;

/// A page that adds up: `seen = stored + quarantined + dropped + pending + lost`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Balance {
    /// Exchanges that ended.
    pub seen: u64,
    /// Records in the store.
    pub stored: u64,
    /// Record lines in quarantine.
    pub quarantined: u64,
    /// Records given up by the filter and not stored.
    pub dropped: Dropped,
    /// Not yet stored: in the filter, on the way, or in the log.
    pub pending: u64,
    /// What was pending when the worker vanished.
    pub lost: u64,
    /// Records that the filter gave up although they had been stored: the reply did not reach it.
    pub recovered: u64,
}

impl Balance {
    /// Whether the equation holds.
    #[must_use]
    pub fn holds(&self) -> bool {
        let right = [
            self.stored,
            self.quarantined,
            self.dropped.total(),
            self.pending,
            self.lost,
        ];
        right.into_iter().map(u128::from).sum::<u128>() == u128::from(self.seen)
    }
}

fn highest(one: &Ledger, other: &Ledger) -> Ledger {
    let dropped = Dropped {
        buffer_full: one.dropped.buffer_full.max(other.dropped.buffer_full),
        rejected: one.dropped.rejected.max(other.dropped.rejected),
        unwritable: one.dropped.unwritable.max(other.dropped.unwritable),
    };
    let acknowledged = one.acknowledged.max(other.acknowledged);
    Ledger {
        seen: one.seen.max(other.seen),
        acknowledged,
        dropped,
    }
}

impl WorkerBook {
    /// Takes down what a batch or heartbeat says. Batches may come late and out of order; counts
    /// only grow, so the highest is the latest.
    pub fn hear(&mut self, header: &BatchHeader<'_>, arrived_us: i64) {
        let behind_us = arrived_us.saturating_sub(header.closed_us);
        // The quickest says most.
        if self.behind.is_none_or(|(least_us, seen_us)| {
            behind_us < least_us || arrived_us.saturating_sub(seen_us) > CLOCK_LOOK_US
        }) {
            self.behind = Some((behind_us, arrived_us));
        }
        if self.last_contact_us == 0 {
            self.first_contact_us = arrived_us;
        }
        // A contact that lies ahead of our clock would keep the worker live until that time.
        let set_back = self.last_contact_us.saturating_sub(arrived_us) > DISORDER_US;
        if arrived_us >= self.last_contact_us || set_back {
            self.last_contact_us = arrived_us;
            self.node = header.node.to_string();
            self.capture_point = header.capture_point.to_string();
            self.policy_version = header.policy_version.to_string();
            self.filter_version = header.filter_version.to_string();
            self.hear_policy(header);
        }
        self.reported = highest(&self.reported, &header.ledger);
    }

    /// Takes over what another copy of this page has heard meanwhile.
    pub fn catch_up(&mut self, other: &Self) {
        self.last_contact_us = self.last_contact_us.max(other.last_contact_us);
        self.reported = highest(&self.reported, &other.reported);
    }

    fn hear_policy(&mut self, header: &BatchHeader<'_>) {
        let cut = |text: &str| text.chars().take(TEXT_LEN_MAX).collect::<String>();
        let shares = header.shares.iter().take(SHARES_MAX);
        self.shares = shares
            .map(|share| Share {
                name: cut(&share.name),
                kind: match share.kind {
                    ShareKind::Key => "key".into(),
                    ShareKind::Parameter => "parameter".into(),
                },
                expected: share.expected,
                found: share.found,
            })
            .collect();
        self.refused = header.refused.as_ref().map(|refused| RefusedPolicy {
            live_version: cut(&refused.policy_version),
            why: cut(&refused.why),
        });
    }

    /// More arrived than the worker says it has seen: its books are wrong.
    #[must_use]
    pub fn overdrawn(&self) -> bool {
        self.stored.saturating_add(self.quarantined) > self.reported.seen
    }

    /// Adds the page up. What is missing from a `vanished` worker is lost, else pending.
    #[must_use]
    pub fn balance(&self, vanished: bool) -> Balance {
        let here = self.stored.saturating_add(self.quarantined);
        let seen = self.reported.seen.max(here);
        let mut dropped = self.reported.dropped;
        // What was given up and is here all the same cannot be missing as well.
        let recovered = dropped.total().saturating_sub(seen - here);
        let mut excess = recovered;
        let reasons = [
            &mut dropped.buffer_full,
            &mut dropped.rejected,
            &mut dropped.unwritable,
        ];
        for reason in reasons {
            let less = excess.min(*reason);
            *reason -= less;
            excess -= less;
        }
        let missing = seen.saturating_sub(here).saturating_sub(dropped.total());
        let (pending, lost) = if vanished { (0, missing) } else { (missing, 0) };
        let (stored, quarantined) = (self.stored, self.quarantined);
        Balance {
            seen,
            stored,
            quarantined,
            dropped,
            pending,
            lost,
            recovered,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn book(seen: u64, dropped: [u64; 3], stored: u64, quarantined: u64) -> WorkerBook {
        let [buffer_full, rejected, unwritable] = dropped;
        let dropped = Dropped {
            buffer_full,
            rejected,
            unwritable,
        };
        let reported = Ledger {
            seen,
            acknowledged: 0,
            dropped,
        };
        WorkerBook {
            reported,
            stored,
            quarantined,
            ..WorkerBook::default()
        }
    }

    /// seen, dropped, stored, quarantined → pending (live) or lost (vanished), recovered.
    fn check(seen: u64, dropped: u64, stored: u64, quarantined: u64, expected: (u64, u64)) {
        let book = book(seen, [dropped, 0, 0], stored, quarantined);
        let (live, gone) = (book.balance(false), book.balance(true));
        assert_eq!((live.pending, live.recovered), expected, "{live:?}");
        assert_eq!((gone.lost, gone.pending, live.lost), (expected.0, 0, 0));
    }

    #[test]
    fn what_is_missing_is_pending_or_lost() {
        check(10, 0, 10, 0, (0, 0));
        check(10, 2, 5, 1, (2, 0));
        check(10, 4, 8, 0, (0, 2));
        check(5, 0, 8, 0, (0, 0));
        check(5, 3, 8, 0, (0, 3));
    }

    proptest! {
        #[test]
        fn the_equation_always_holds(
            seen in any::<u32>(), dropped in any::<[u32; 3]>(),
            stored in any::<u32>(), quarantined in any::<u32>(), vanished in any::<bool>(),
        ) {
            let (seen, stored, quarantined) = (seen.into(), stored.into(), quarantined.into());
            let book = book(seen, dropped.map(u64::from), stored, quarantined);
            let balance = book.balance(vanished);
            prop_assert!(balance.holds(), "{balance:?}");
            prop_assert_eq!(balance.seen, seen.max(stored + quarantined));
        }
    }

    #[test]
    fn late_batches_do_not_turn_the_books_back() {
        let line = |seen: u64, policy: &str| {
            format!(
                r#"{{"throughline":1,"boot":"00000000000000ff","worker":3,"records":0,"closed_us":5,"capture_point":"gateway","node":"n","policy_version":"{policy}","filter_version":"0.1.0","ledger":{{"seen":{seen},"acknowledged":4,"dropped":{{"buffer_full":0,"rejected":0,"unwritable":0}}}}}}"#
            )
        };
        let (new, old) = (line(9, "new"), line(5, "old"));
        let mut book = WorkerBook::default();
        book.hear(&serde_json::from_str(&new).unwrap(), 20);
        book.hear(&serde_json::from_str(&old).unwrap(), 10);
        assert_eq!(
            (book.reported.seen, book.policy_version.as_str()),
            (9, "new")
        );
        assert_eq!((book.first_contact_us, book.last_contact_us), (20, 20));
        // Unless it is our clock that was turned back.
        book.hear(&serde_json::from_str(&new).unwrap(), DISORDER_US + 100);
        book.hear(&serde_json::from_str(&old).unwrap(), 99);
        assert_eq!((book.reported.seen, book.last_contact_us), (9, 99));
    }
}
