//! As whom: logins, how they ended, and what came after.

use serde::{Deserialize, Serialize};

use super::Direction::{Either, Machine};
use super::{Feature, feature};
use crate::event::LogPosition;
use crate::num::{log1p, share};
use crate::sketch::{Bits, Rare, Sample};
use crate::state::Step;

/// Logins of a visit: few visits have any.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Authentication {
    requests: u32,
    /// Requests that are no login and no asset.
    pub(crate) others: u32,
    logins: Rare<Logins>,
}

/// What is remembered once there was a login.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Logins {
    pub(crate) attempts: u32,
    pub(crate) failures: u32,
    pub(crate) successes: u32,
    /// Failures without a success in between, now and before the latest success.
    pub(crate) failures_running: u32,
    pub(crate) failures_before_success: u32,
    /// Accounts that failed, where known.
    pub(crate) accounts: Bits<1>,
    pub(crate) accounts_known: u32,
    /// Requests after a success that are no login and no asset.
    pub(crate) others_after: u32,
    /// Changes (writes) after a success.
    pub(crate) writes_after: u32,
    pub(crate) unusual_after: u32,
    sample: Sample,
}

impl Logins {
    const NONE: Self = Self {
        attempts: 0,
        failures: 0,
        successes: 0,
        failures_running: 0,
        failures_before_success: 0,
        accounts: Bits::EMPTY,
        accounts_known: 0,
        others_after: 0,
        writes_after: 0,
        unusual_after: 0,
        sample: Sample::EMPTY,
    };

    /// Attempts and what came of them, oldest first.
    pub(crate) fn positions(&self) -> Vec<LogPosition> {
        self.sample.positions()
    }

    fn observe_login(&mut self, step: &Step<'_>) {
        let event = step.event;
        self.attempts = self.attempts.saturating_add(1);
        if event.login_failed() {
            if let Some(account) = event.account {
                self.accounts.insert(account);
                self.accounts_known = self.accounts_known.saturating_add(1);
            }
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

    fn observe_use(&mut self, step: &Step<'_>) {
        const UNUSUAL: u32 = 4600;
        let write = step.event.method == crate::event::Method::Write;
        self.others_after = self.others_after.saturating_add(1);
        self.writes_after += u32::from(write);
        self.unusual_after += u32::from(step.surprise.is_some_and(|it| it > UNUSUAL));
        // What the account was used for first.
        if write && self.writes_after <= 2 && self.failures_before_success > 0 {
            self.sample.add(step.event.position);
        }
    }
}

impl Authentication {
    pub(crate) fn observe(&mut self, step: &Step<'_>) {
        self.requests = self.requests.saturating_add(1);
        if step.event.login {
            self.logins.make().observe_login(step);
        } else if !step.event.kind.is_asset() {
            self.others = self.others.saturating_add(1);
            if self.logins().successes > 0 {
                self.logins.make().observe_use(step);
            }
        }
    }

    /// Its logins.
    pub(crate) fn logins(&self) -> &Logins {
        static NONE: Logins = Logins::NONE;
        self.logins.get().unwrap_or(&NONE)
    }
}

pub(super) const FEATURES: &[Feature] = &[
    feature("logins", Either, "Share of login attempts.", |view| {
        let authentication = &view.visit.authentication;
        share(authentication.logins().attempts, authentication.requests)
    }),
    feature("logins_failed", Machine, "Failed logins, logarithm.", |view| {
        Some(log1p(view.visit.authentication.logins().failures))
    }),
    feature("accounts", Machine, "Accounts that failed, where known, logarithm.", |view| {
        let logins = view.visit.authentication.logins();
        (logins.accounts_known > 0).then(|| log1p(logins.accounts.count()))
    }),
];
