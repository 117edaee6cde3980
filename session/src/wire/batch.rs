//! The header line of a batch, and the ledger it carries.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::BootId;

/// The version of the wire format; a batch of another version is refused whole.
pub const WIRE_VERSION: u32 = 1;

/// First line of a batch: who sends it, which one it is, and how the sender's books stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchHeader<'a> {
    /// Version of the wire format, [`WIRE_VERSION`].
    pub throughline: u32,
    /// Names one run of an Envoy process.
    pub boot: BootId,
    /// Counts the filter instances of that run, from 0: one per Envoy worker, and a new number
    /// for each VM or configuration that starts later.
    pub worker: u32,
    /// Number of this batch within (boot, worker), from 0 without gaps; absent on a heartbeat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<u64>,
    /// How many record lines follow.
    pub records: u32,
    /// When the batch was closed, microseconds since the Unix epoch, Envoy's clock.
    pub closed_us: i64,
    /// Where the exchange was seen, e.g. `gateway` or `sidecar`; from the policy.
    #[serde(borrow)]
    pub capture_point: Cow<'a, str>,
    /// Envoy's `node.id`, empty when it has none.
    #[serde(borrow, default)]
    pub node: Cow<'a, str>,
    /// Version of the policy that every record of this batch was made with.
    #[serde(borrow)]
    pub policy_version: Cow<'a, str>,
    /// Version of the filter.
    #[serde(borrow)]
    pub filter_version: Cow<'a, str>,
    /// The filter's books at the time the batch was closed.
    pub ledger: Ledger,
    /// For each key rule and parameter of this policy: where it was expected, where found.
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    pub shares: Vec<Share<'a>>,
    /// A live policy that this filter could not use; it goes on with the one before.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Refused<'a>>,
}

/// How often a value was where the policy says, cumulative since the policy became active.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Share<'a> {
    /// Name of the key rule or parameter.
    #[serde(borrow)]
    pub name: Cow<'a, str>,
    /// Which of the two it is.
    pub kind: ShareKind,
    /// Exchanges that the rule or parameter is for.
    pub expected: u64,
    /// Exchanges in which it found a value.
    pub found: u64,
}

/// What a [`Share`] is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShareKind {
    /// A key rule.
    Key,
    /// A context parameter.
    Parameter,
}

/// Why a filter did not take a live policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refused<'a> {
    /// The policy's version.
    #[serde(borrow)]
    pub policy_version: Cow<'a, str>,
    /// Place and remedy, at most 512 bytes.
    #[serde(borrow)]
    pub why: Cow<'a, str>,
}

/// Cumulative counts of one (boot, worker) since it started.
///
/// `seen - acknowledged - dropped` is what the filter still holds; this batch included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ledger {
    /// Exchanges that ended, each of which made a record or was dropped.
    pub seen: u64,
    /// Records in batches that the aggregator acknowledged.
    pub acknowledged: u64,
    /// Records given up, by reason.
    pub dropped: Dropped,
}

/// Records that the filter gave up, by reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dropped {
    /// The buffer for unacknowledged batches was full.
    pub buffer_full: u64,
    /// The aggregator refused their batch for good (a 4xx that a retry cannot mend).
    pub rejected: u64,
    /// The record could not be written.
    pub unwritable: u64,
}

impl Dropped {
    /// All reasons together.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.buffer_full
            .saturating_add(self.rejected)
            .saturating_add(self.unwritable)
    }
}

impl Ledger {
    /// What the filter still holds: seen, and neither acknowledged nor dropped.
    #[must_use]
    pub fn held(&self) -> u64 {
        self.seen
            .saturating_sub(self.acknowledged)
            .saturating_sub(self.dropped.total())
    }
}

/// The aggregator's answer to an accepted batch or heartbeat.
///
/// `duplicate` is always there: JSON without it is no reply of an aggregator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The batch's sequence, absent for a heartbeat. Its records are on disk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<u64>,
    /// The batch had been acknowledged before; nothing was stored twice.
    pub duplicate: bool,
    /// The live version, where there is one: a filter that runs another fetches
    /// `GET /v1/policy/live`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live_version: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: Result<(), &str>) {
        match (serde_json::from_str::<BatchHeader<'_>>(line), expected) {
            (Ok(header), Ok(())) => {
                assert_eq!(serde_json::to_string(&header).unwrap(), line);
            }
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
            (outcome, _) => panic!("{line}: {outcome:?}"),
        }
    }

    #[test]
    fn reads_headers_and_refuses_odd_ones() {
        let ledger = r#""ledger":{"seen":9,"acknowledged":4,"dropped":{"buffer_full":1,"rejected":0,"unwritable":0}}"#;
        let ids = r#"{"throughline":1,"boot":"00000000000000ff","worker":3"#;
        let rest = format!(
            r#""records":2,"closed_us":5,"capture_point":"gateway","node":"n","policy_version":"p","filter_version":"0.1.0",{ledger}}}"#
        );
        check(&format!(r#"{ids},"sequence":7,{rest}"#), Ok(()));
        check(&format!("{ids},{rest}"), Ok(()));
        check(
            &format!(r#"{ids},"sequence":-1,{rest}"#),
            Err("invalid value: integer `-1`"),
        );
        check(
            &format!(r#"{ids},"sequenze":1,{rest}"#),
            Err("unknown field `sequenze`"),
        );
        check(r#"{"throughline":1}"#, Err("missing field `boot`"));
        check(
            &format!("{ids},{rest}").replace("00000000000000ff", "FF"),
            Err("16 lower-case hex"),
        );
    }

    #[test]
    fn held_is_what_is_neither_acknowledged_nor_dropped() {
        let dropped = Dropped {
            buffer_full: 1,
            rejected: 2,
            unwritable: 3,
        };
        let ledger = Ledger {
            seen: 20,
            acknowledged: 4,
            dropped,
        };
        assert_eq!(ledger.held(), 10);
    }
}
