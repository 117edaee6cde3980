//! As whom: logins, how they ended, and what came after.

use serde::{Deserialize, Serialize};

use super::Direction::{Either, Machine};
use super::{Feature, feature};
use crate::num::{log1p, share};
use crate::sketch::{Bits, Sample};
use crate::state::Step;

/// Logins of a visit.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Authentication {
    requests: u32,
    pub(crate) attempts: u32,
    pub(crate) failures: u32,
    pub(crate) successes: u32,
    /// Failures without a success in between, now and before the latest success.
    pub(crate) failures_running: u32,
    pub(crate) failures_before_success: u32,
    /// Accounts that failed, where known.
    pub(crate) accounts: Bits<1>,
    pub(crate) accounts_known: u32,
    /// Requests that are no login and no asset.
    pub(crate) others: u32,
    pub(crate) others_after: u32,
    /// Changes (writes) after a success.
    pub(crate) writes_after: u32,
    pub(crate) unusual_after: u32,
    pub(crate) sample: Sample,
}

impl Authentication {
    pub(crate) fn observe(&mut self, step: &Step<'_>) {
        const UNUSUAL: u32 = 4600;
        let event = step.event;
        self.requests = self.requests.saturating_add(1);
        if !event.login {
            let counts = !event.kind.is_asset();
            self.others += u32::from(counts);
            if self.successes > 0 && counts {
                self.others_after = self.others_after.saturating_add(1);
                self.writes_after += u32::from(event.method == crate::event::Method::Write);
                self.unusual_after += u32::from(step.surprise.is_some_and(|it| it > UNUSUAL));
            }
            return;
        }
        self.attempts = self.attempts.saturating_add(1);
        if let Some(account) = event.account {
            self.accounts.insert(account);
            self.accounts_known = self.accounts_known.saturating_add(1);
        }
        if event.login_failed() {
            self.failures = self.failures.saturating_add(1);
            self.failures_running = self.failures_running.saturating_add(1);
            self.sample.add(event.position);
        } else if event.login_succeeded() {
            self.successes = self.successes.saturating_add(1);
            self.failures_before_success = self.failures_before_success.max(self.failures_running);
            self.failures_running = 0;
            self.sample.add(event.position);
        }
    }
}

pub(super) const FEATURES: &[Feature] = &[
    feature("logins", Either, "Share of login attempts.", |view| {
        share(view.visit.authentication.attempts, view.visit.authentication.requests)
    }),
    feature("logins_failed", Machine, "Failed logins, logarithm.", |view| {
        Some(log1p(view.visit.authentication.failures))
    }),
    feature("accounts", Machine, "Accounts tried, where known, logarithm.", |view| {
        let authentication = &view.visit.authentication;
        (authentication.accounts_known > 0).then(|| log1p(authentication.accounts.count()))
    }),
];
