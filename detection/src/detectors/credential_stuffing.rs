//! Many accounts, few of them right: a list of stolen passwords being tried.

use super::{About, BotType, Detector, Judgement, Limits, Weight};
use crate::event::LogPosition;
use crate::features::View;
use crate::state::campaign::Campaign;
use crate::state::source::Source;

pub(super) struct CredentialStuffing;

static ABOUT: About = About {
    name: "credential_stuffing",
    summary: "Logins that fail one after the other, from one session or one address.",
    bot_type: BotType::AccountTakeover,
    weight: Weight::Abuse(0.98),
    unit: "failed logins (two for each different account, where accounts are known); half the \
           sessions of the address, or of the TLS fingerprint, that failed",
    window: "the visit; for an address or a fingerprint the last 12 hours",
    limit: 8.0,
    below: false,
    adds_up: 0.25,
    enough: "Three failed logins in the visit, at most one in six successful; or a session that \
             does nothing but log in and fails, from an address, or with a TLS fingerprint that \
             the proxy measured, with 16 sessions that failed.",
    why: "A person who forgot a password tries it four or five times, then resets it. Where the \
          tried account is recorded, four different ones are enough: nobody mistypes four names. \
          Behind an address may sit many people: only sessions that themselves fail and do \
          nothing else are judged by it, and the failures that its successful logins let \
          expect are the vote's stated doubt. The same holds of a TLS fingerprint: a tool keeps \
          its own over a thousand addresses, and one that people's browsers share has their \
          successes beside it.",
    fails: "Wrong about a program that keeps trying an expired password; it should be stopped as \
            well, but is no thief. Misses a stuffer that stays below the limit per session and \
            address: low_and_slow_stuffing sees those.",
    tune: "Have the policy record the account that a login tries (a hashed parameter from the \
           login's body) and name it in the profile (`account_parameters`), so that accounts are \
           counted instead of attempts; a `user` parameter of the login counts without. Raise the \
           limit where shared terminals log in.",
};

/// Half of the sessions that failed at the address or, where the login works for others, with the
/// TLS fingerprint, whichever is guiltier; and the share of them that honest mistakes do not explain.
fn beside(view: &View<'_>) -> (f64, f64) {
    let campaign = &view.application.campaign;
    let (usual, _) = campaign.usual();
    let by = |source: &Source| {
        let failed = source.failed_sessions.count();
        let honest = source.logins_succeeded.count(view.now_us) * usual / (1.0 - usual);
        (failed / 2.0, ((failed - honest) / failed.max(1.0)).max(0.0))
    };
    let fingerprint = view.fingerprint.filter(|_| !campaign.is_down(view.now_us));
    let sources = [view.address, fingerprint].into_iter().flatten().map(by);
    let worse = |one: &(f64, f64), two: &(f64, f64)| (one.0 * one.1).total_cmp(&(two.0 * two.1));
    sources.max_by(worse).unwrap_or_default()
}

impl Detector for CredentialStuffing {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn examine(&self, view: &View<'_>, limits: Limits) -> Judgement {
        let own = view.visit.authentication.logins();
        if own.failures == 0 {
            return Judgement::NotEnough;
        }
        let limit = limits.choose(&ABOUT, None);
        let failed = f64::from(own.failures);
        let accounts = own.accounts.count();
        // One account only: a forgotten password, or brute force, which is not stuffing.
        let one_account = own.accounts_known > 2 && accounts < 1.5;
        let failing = own.successes.saturating_mul(6) <= own.attempts;
        let by_session = if own.failures < 3 || !failing || one_account {
            0.0
        } else {
            failed.max(if own.accounts_known > 0 { 2.0 * accounts } else { 0.0 })
        };
        let value = by_session;
        if Campaign::is_bare(view.session) && own.successes == 0 {
            let (sessions, guilty) = beside(view);
            if sessions > value && sessions >= limit.0 {
                return Judgement::of(sessions, limit).at_most(guilty);
            }
        }
        if value == 0.0 {
            return Judgement::NotEnough;
        }
        Judgement::of(value, limit)
    }

    fn records(&self, view: &View<'_>) -> Vec<LogPosition> {
        let own = view.visit.authentication.logins().positions();
        if own.len() > 2 {
            return own;
        }
        let source = view.fingerprint.or(view.address);
        let beside = source.map(|source| source.sample.positions()).unwrap_or_default();
        own.into_iter().chain(beside).collect()
    }
}
