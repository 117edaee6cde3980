//! When a visit ends: what the service's flags say, and what a policy says over them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// When a visit ends where no policy says otherwise, and how many are held open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// A gap longer than this ends a visit, microseconds.
    pub idle_us: i64,
    /// No visit is longer than this, microseconds.
    pub longest_us: i64,
    /// Visits held open over all sessions.
    pub open_max: usize,
}

/// What a policy says of visits; what it leaves open is as the flags say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct VisitRules {
    /// Of all applications that `applications` does not name.
    pub others: VisitRule,
    /// Of some applications, field by field over `others`.
    pub applications: BTreeMap<String, VisitRule>,
}

/// What is said of one application's visits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct VisitRule {
    /// A gap longer than this ends a visit, microseconds.
    pub idle_us: Option<i64>,
    /// No visit is longer than this, microseconds.
    pub longest_us: Option<i64>,
}

impl VisitRules {
    /// Whether it says anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// When a visit of one application ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ends {
    pub(super) idle_us: i64,
    pub(super) longest_us: i64,
}

impl Ends {
    /// How long after its last arrival a visit stays open for late records, microseconds: a
    /// filter may have held its batches back while the aggregator was away.
    fn keep_us(self) -> i64 {
        self.longest_us.max(self.idle_us)
    }
}

/// The flags with a policy over them.
#[derive(Debug)]
pub(super) struct InForce {
    pub(super) flags: Rules,
    pub(super) policy: VisitRules,
    others: Ends,
    applications: BTreeMap<String, Ends>,
}

impl InForce {
    pub(super) fn new(flags: Rules, policy: VisitRules) -> Self {
        let over = |rule: &VisitRule, base: Ends| Ends {
            idle_us: rule.idle_us.unwrap_or(base.idle_us),
            longest_us: rule.longest_us.unwrap_or(base.longest_us),
        };
        let base = Ends {
            idle_us: flags.idle_us,
            longest_us: flags.longest_us,
        };
        let others = over(&policy.others, base);
        let named = policy.applications.iter();
        Self {
            flags,
            others,
            applications: named
                .map(|(name, rule)| (name.clone(), over(rule, others)))
                .collect(),
            policy,
        }
    }

    /// When visits of an application end.
    pub(super) fn of(&self, application: &str) -> Ends {
        let named = self.applications.get(application).copied();
        named.unwrap_or(self.others)
    }

    /// How long visits stay open for late records: as long as the longest of all applications.
    pub(super) fn keep_us(&self) -> i64 {
        let named = self.applications.values().copied();
        named
            .map(Ends::keep_us)
            .fold(self.others.keep_us(), i64::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_application_goes_before_the_others_and_those_before_the_flags() {
        let flags = Rules {
            idle_us: 30,
            longest_us: 100,
            open_max: 1,
        };
        let rule = |idle_us, longest_us| VisitRule {
            idle_us,
            longest_us,
        };
        let ends = |idle_us, longest_us| Ends {
            idle_us,
            longest_us,
        };
        let named = [
            ("shop".to_owned(), rule(None, Some(400))),
            ("bank".to_owned(), rule(Some(5), None)),
        ];
        let policy = VisitRules {
            others: rule(Some(20), None),
            applications: named.into(),
        };
        let rules = InForce::new(flags, policy);
        assert_eq!(rules.of("shop"), ends(20, 400));
        assert_eq!(rules.of("bank"), ends(5, 100));
        assert_eq!(rules.of("default"), ends(20, 100));
        assert_eq!(rules.keep_us(), 400);
        let rules = InForce::new(flags, VisitRules::default());
        assert_eq!((rules.of("shop"), rules.keep_us()), (ends(30, 100), 100));
    }
}
