//! policy → filter: what a worker works by, and how a live change reaches it.

use std::rc::Rc;

use crate::policy::{ConfigError, LiveDocument, Policy, PolicyDocument, Sample};
use crate::wire::{Share, ShareKind};

/// What a worker works by at one time.
#[derive(Debug)]
pub(super) struct Active {
    /// The aggregator's name for it; `None` for the plugin configuration.
    pub(super) live_version: Option<String>,
    pub(super) policy: Rc<Policy>,
    pub(super) before: Option<Before>,
    pub(super) candidates: Vec<Candidate>,
    pub(super) finder: Option<Sample>,
}

/// The policy before this one: its sessions are linked to those that take their place.
#[derive(Debug, Clone)]
pub(super) struct Before {
    pub(super) policy: Rc<Policy>,
    /// Until when, microseconds since the Unix epoch.
    until_us: i64,
}

/// As long as a visit may pause by default: whoever was there at the change and goes on is linked.
const BEFORE_US: i64 = 30 * 60_000_000;

/// A policy that is only tried.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) policy: Rc<Policy>,
    pub(super) sample: Sample,
}

/// The policy of the plugin configuration: where everything starts.
#[derive(Debug)]
pub(super) struct Bootstrap {
    pub(super) document: PolicyDocument,
    pub(super) version: String,
}

impl Active {
    pub(super) fn start(bootstrap: &Bootstrap) -> Self {
        Self {
            live_version: None,
            policy: Rc::new(Policy::new(&bootstrap.document, &bootstrap.version)),
            before: None,
            candidates: Vec::new(),
            finder: None,
        }
    }

    /// What the aggregator handed out. Where that is the policy of `self`, it is kept as it is,
    /// with what is known of it: only candidates or the key finder have changed.
    pub(super) fn live(
        &self,
        json: &[u8],
        bootstrap: &Bootstrap,
        now_us: i64,
    ) -> Result<Self, ConfigError> {
        let live = LiveDocument::parse(json)?;
        let policy = match &live.policy {
            Some(document) => Policy::new(document, &live.live_version),
            None => Policy::new(&bootstrap.document, &bootstrap.version),
        };
        let candidate =
            |(index, candidate): (usize, &crate::policy::CandidateDocument)| Candidate {
                policy: Rc::new(Policy::new(
                    &candidate.policy,
                    &format!("candidate-{index}"),
                )),
                sample: candidate.sample,
            };
        let (policy, before) = if policy == *self.policy {
            (Rc::clone(&self.policy), self.before.clone())
        } else {
            let before = Before {
                policy: Rc::clone(&self.policy),
                until_us: now_us.saturating_add(BEFORE_US),
            };
            (Rc::new(policy), Some(before))
        };
        Ok(Self {
            policy,
            before,
            candidates: live.candidates.iter().enumerate().map(candidate).collect(),
            finder: live.finder,
            live_version: Some(live.live_version),
        })
    }

    /// The policy before, while its sessions are linked.
    pub(super) fn before(&self, at_us: i64) -> Option<&Rc<Policy>> {
        let before = self.before.as_ref().filter(|it| at_us < it.until_us);
        before.map(|before| &before.policy)
    }

    /// Whether anything has to be drawn for clients.
    pub(super) fn samples(&self) -> bool {
        self.finder.is_some() || !self.candidates.is_empty()
    }
}

/// How often rules and parameters found their value, since the policy became active.
#[derive(Debug, Default)]
pub(super) struct Shares {
    rules: Vec<(u64, u64)>,
    parameters: Vec<(u64, u64)>,
}

impl Shares {
    pub(super) fn count(&mut self, hits: &crate::policy::Hits) {
        let parameters = (
            hits.parameters_expected.into(),
            hits.parameters_found.into(),
        );
        add(&mut self.rules, hits.rules_expected, hits.rules_found);
        add(&mut self.parameters, parameters.0, parameters.1);
    }

    /// As the batch header shows them; a built-in rule only where it ever found something.
    pub(super) fn shown<'p>(&self, policy: &'p Policy) -> Vec<Share<'p>> {
        let shown = policy
            .counted()
            .filter_map(|(kind, name, number, is_builtin)| {
                let counts = match kind {
                    ShareKind::Key => &self.rules,
                    ShareKind::Parameter => &self.parameters,
                };
                let (expected, found) = *counts.get(usize::try_from(number).ok()?)?;
                let shows = expected > 0 && (found > 0 || !is_builtin);
                shows.then(|| Share {
                    name: name.into(),
                    kind,
                    expected,
                    found,
                })
            });
        shown.collect()
    }
}

/// Counts up where `expected` and `found` have their bits.
fn add(counts: &mut Vec<(u64, u64)>, expected: u128, found: u128) {
    let mut rest = expected;
    while rest != 0 {
        let bit = rest.trailing_zeros();
        let index = usize::try_from(bit).unwrap_or(usize::MAX);
        if counts.len() <= index {
            counts.resize(index.saturating_add(1), (0, 0));
        }
        if let Some((expected, with_value)) = counts.get_mut(index) {
            *expected = expected.saturating_add(1);
            *with_value = with_value.saturating_add(u64::from(found >> bit & 1 == 1));
        }
        rest &= rest.wrapping_sub(1);
    }
}
