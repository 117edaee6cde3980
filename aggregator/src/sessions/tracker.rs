//! Splits a session's records into visits.

use std::collections::{BTreeMap, HashMap};

use throughline_session::wire::SessionId;

use super::rules::{Ends, InForce};
use super::{Rules, VisitRules};

/// Open visits of one session; the one idle for longest is closed when there are more.
const VISITS_PER_SESSION_MAX: usize = 16;
/// Arrivals may be out of order by this much, microseconds; beyond it our clock was set back.
const DISORDER_US: i64 = 60_000_000;

/// A visit that a record may still join.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenVisit {
    /// Names the visit within its session: start of the record that opened it, microseconds.
    pub start_us: i64,
    /// Earliest start of a record, microseconds.
    pub first_us: i64,
    /// Latest start of a record, microseconds.
    pub last_us: i64,
    /// Number, in log order, of the record that joined last.
    pub ordinal: u64,
    /// When that record arrived, microseconds.
    pub arrived_us: i64,
}

impl OpenVisit {
    fn takes(&self, at_us: i64, ends: Ends) -> bool {
        let near = at_us >= self.first_us.saturating_sub(ends.idle_us)
            && at_us <= self.last_us.saturating_add(ends.idle_us);
        let length = self
            .last_us
            .max(at_us)
            .saturating_sub(self.first_us.min(at_us));
        near && length <= ends.longest_us
    }
}

/// Nearly all sessions have one: a list that grows has room for four at once.
fn one_visit() -> Vec<OpenVisit> {
    Vec::with_capacity(1)
}

/// All open visits.
#[derive(Debug)]
pub struct Tracker {
    rules: InForce,
    sessions: HashMap<SessionId, Vec<OpenVisit>>,
    /// Ordinal of the last record → whose visit it joined: the one idle for longest is first.
    idle: BTreeMap<u64, SessionId>,
    /// Latest arrival, unless our clock was set back since.
    latest_us: i64,
    /// Visits whose last record arrived before are closed, whatever the rules of today say.
    closed_us: i64,
    /// Visits that were closed as more were open than may be.
    closed_early: u64,
}

impl Tracker {
    /// No visits yet, and no policy.
    #[must_use]
    pub fn new(flags: Rules) -> Self {
        Self {
            rules: InForce::new(flags, VisitRules::default()),
            sessions: HashMap::new(),
            idle: BTreeMap::new(),
            latest_us: i64::MIN,
            closed_us: i64::MIN,
            closed_early: 0,
        }
    }

    /// From here on a policy rules, which came into the log at `arrived_us`. A visit that is open
    /// goes on or ends by the new rules; what the rules before had closed stays closed.
    pub fn follow(&mut self, policy: &VisitRules, arrived_us: i64) {
        if *policy == self.rules.policy {
            return;
        }
        self.expire(arrived_us);
        let before_us = arrived_us.saturating_sub(self.rules.keep_us());
        self.closed_us = self.closed_us.max(before_us);
        self.rules = InForce::new(self.rules.flags, policy.clone());
    }

    /// Visits whose last record arrived before this are not open at `now_us`, microseconds.
    #[must_use]
    pub fn open_since_us(&self, now_us: i64) -> i64 {
        let before_us = now_us.saturating_sub(self.rules.keep_us());
        before_us.max(self.closed_us)
    }

    /// Puts back a visit that was open before a restart.
    pub fn restore(&mut self, session: SessionId, visit: OpenVisit) {
        self.latest_us = self.latest_us.max(visit.arrived_us);
        self.idle.insert(visit.ordinal, session);
        let visits = self.sessions.entry(session).or_insert_with(one_visit);
        visits.push(visit);
        bound_session(visits, &mut self.idle);
        self.bound();
    }

    /// The visit that the record with number `ordinal` joins: the start that names it.
    ///
    /// `at_us` is the record's start and `arrived_us` when its batch arrived. Ordinals grow.
    pub fn assign(
        &mut self,
        session: SessionId,
        application: &str,
        at_us: i64,
        ordinal: u64,
        arrived_us: i64,
    ) -> i64 {
        self.expire(arrived_us);
        let ends = self.rules.of(application);
        let visits = self.sessions.entry(session).or_insert_with(one_visit);
        let fitting = visits.iter_mut().filter(|visit| visit.takes(at_us, ends));
        // Between two visits that both would take it, the later one.
        let start_us = if let Some(visit) = fitting.max_by_key(|visit| visit.start_us) {
            self.idle.remove(&visit.ordinal);
            visit.first_us = visit.first_us.min(at_us);
            visit.last_us = visit.last_us.max(at_us);
            visit.ordinal = ordinal;
            visit.arrived_us = arrived_us;
            visit.start_us
        } else {
            visits.push(OpenVisit {
                start_us: at_us,
                first_us: at_us,
                last_us: at_us,
                ordinal,
                arrived_us,
            });
            bound_session(visits, &mut self.idle);
            at_us
        };
        self.idle.insert(ordinal, session);
        self.bound();
        start_us
    }

    /// Whether the session has an open visit.
    #[must_use]
    pub fn has(&self, session: SessionId) -> bool {
        self.sessions.contains_key(&session)
    }

    /// Number of open visits.
    #[must_use]
    pub fn open(&self) -> usize {
        self.idle.len()
    }

    /// How many visits were closed since the start as more were open than may be.
    #[must_use]
    pub fn closed_early(&self) -> u64 {
        self.closed_early
    }

    fn expire(&mut self, now_us: i64) {
        if now_us < self.latest_us.saturating_sub(DISORDER_US) {
            // Visits from the future would keep all those behind them from being closed.
            let visits = self.sessions.values_mut().flatten();
            visits.for_each(|visit| visit.arrived_us = visit.arrived_us.min(now_us));
            self.latest_us = now_us;
        }
        self.latest_us = self.latest_us.max(now_us);
        let before_us = now_us.saturating_sub(self.rules.keep_us());
        while let Some((ordinal, session)) = self.idle.first_key_value() {
            let (ordinal, session) = (*ordinal, *session);
            let visits = self.sessions.get(&session);
            let visit = visits.and_then(|all| all.iter().find(|visit| visit.ordinal == ordinal));
            if visit.is_some_and(|visit| visit.arrived_us >= before_us) {
                return;
            }
            self.close(ordinal, session);
        }
    }

    fn bound(&mut self) {
        while self.idle.len() > self.rules.flags.open_max
            && let Some((ordinal, session)) = self.idle.first_key_value()
        {
            self.close(*ordinal, *session);
            self.closed_early += 1;
        }
    }

    fn close(&mut self, ordinal: u64, session: SessionId) {
        self.idle.remove(&ordinal);
        if let Some(visits) = self.sessions.get_mut(&session) {
            visits.retain(|visit| visit.ordinal != ordinal);
            if visits.is_empty() {
                self.sessions.remove(&session);
            }
        }
    }
}

fn bound_session(visits: &mut Vec<OpenVisit>, idle: &mut BTreeMap<u64, SessionId>) {
    if visits.len() > VISITS_PER_SESSION_MAX
        && let Some(oldest) = visits.iter().map(|visit| visit.ordinal).min()
    {
        visits.retain(|visit| visit.ordinal != oldest);
        idle.remove(&oldest);
    }
}

#[cfg(test)]
mod tests {
    use super::super::VisitRule;
    use super::*;
    use proptest::prelude::*;
    use throughline_session::hex::Hex;

    const RULES: Rules = Rules {
        idle_us: 30,
        longest_us: 100,
        open_max: 1000,
    };

    /// Records of one session at `times`, all arriving at once → the visit of each.
    fn check(times: &[i64], expected: &[i64]) {
        let mut tracker = Tracker::new(RULES);
        let assign =
            |(ordinal, at): (u64, &i64)| tracker.assign(Hex([1; 16]), "a", *at, ordinal, 0);
        let visits: Vec<i64> = (0..).zip(times).map(assign).collect();
        assert_eq!(visits, expected, "{times:?}");
    }

    #[test]
    fn splits_at_gaps_and_at_the_longest_length() {
        check(&[0, 30, 60], &[0, 0, 0]);
        check(&[0, 31], &[0, 31]);
        check(&[0, 30, 60, 90, 100, 101], &[0, 0, 0, 0, 0, 101]);
    }

    #[test]
    fn late_records_join_the_visit_they_fit() {
        check(&[100, 80, 60], &[100, 100, 100]);
        check(&[0, 100, 10, 90], &[0, 100, 0, 100]);
        check(&[0, 50, 25], &[0, 50, 50]);
        check(&[100, 0, 100], &[100, 0, 100]);
        check(&[100, 71, 42, 0], &[100, 100, 100, 0]);
    }

    #[test]
    fn sessions_do_not_mix_and_old_visits_are_closed() {
        let mut tracker = Tracker::new(Rules {
            open_max: 2,
            ..RULES
        });
        let session = |name| Hex([name; 16]);
        assert_eq!(tracker.assign(session(1), "a", 0, 0, 0), 0);
        assert_eq!(tracker.assign(session(2), "a", 5, 1, 0), 5);
        assert_eq!(tracker.assign(session(1), "a", 9, 2, 0), 0);
        assert_eq!(tracker.assign(session(3), "a", 9, 3, 0), 9);
        assert_eq!(tracker.open(), 2);
        assert_eq!(
            tracker.assign(session(2), "a", 9, 4, 0),
            9,
            "idle for longest, so closed"
        );
        assert_eq!(tracker.closed_early(), 2);
        assert_eq!(tracker.assign(session(3), "a", 10, 5, 100), 9);
        assert_eq!(tracker.open(), 2);
        assert_eq!(tracker.assign(session(3), "a", 11, 6, 101), 9);
        assert_eq!(tracker.open(), 1, "nothing arrived for session 2 in 100 µs");
    }

    #[test]
    fn a_policy_rules_from_its_arrival_on_and_opens_nothing_again() {
        let rule = |idle_us, longest_us| VisitRules {
            others: VisitRule {
                idle_us: Some(idle_us),
                longest_us: Some(longest_us),
            },
            ..VisitRules::default()
        };
        let session = |name| Hex([name; 16]);
        let mut tracker = Tracker::new(RULES);
        tracker.assign(session(1), "a", 0, 0, 0);
        tracker.assign(session(2), "a", 0, 1, 150);
        assert_eq!(
            tracker.open(),
            1,
            "nothing of session 1 for longer than 100"
        );
        tracker.follow(&rule(300, 300), 160);
        assert_eq!(tracker.assign(session(2), "a", 290, 2, 170), 0);
        assert_eq!(
            tracker.assign(session(1), "a", 290, 3, 170),
            290,
            "closed before"
        );
        assert_eq!(
            tracker.open_since_us(170),
            60,
            "and so it is after a restart"
        );
        tracker.follow(&rule(1, 300), 180);
        assert_eq!(tracker.assign(session(2), "a", 292, 4, 190), 292);
        tracker.follow(&VisitRules::default(), 200);
        assert_eq!(
            tracker.assign(session(2), "a", 320, 5, 210),
            292,
            "as the flags say"
        );
    }

    #[test]
    fn a_clock_that_is_set_back_keeps_no_visit_open() {
        let session = |name| Hex([name; 16]);
        let now_us = 10 * DISORDER_US;
        let mut tracker = Tracker::new(RULES);
        tracker.assign(session(1), "a", 0, 0, now_us);
        tracker.assign(session(2), "a", 0, 1, now_us);
        let mut restarted = Tracker::new(RULES);
        for (id, visits) in &tracker.sessions {
            visits
                .iter()
                .for_each(|visit| restarted.restore(*id, *visit));
        }
        for mut tracker in [tracker, restarted] {
            tracker.assign(session(3), "a", 0, 2, 0);
            assert_eq!(tracker.open(), 3, "none is closed before its time");
            tracker.assign(session(3), "a", 0, 3, 101);
            assert_eq!(tracker.open(), 1);
        }
    }

    #[test]
    fn one_session_cannot_take_all_visits() {
        let mut tracker = Tracker::new(RULES);
        for n in 0..100_u32 {
            tracker.assign(Hex([1; 16]), "a", i64::from(n) * 1000, u64::from(n), 0);
        }
        assert_eq!(tracker.open(), VISITS_PER_SESSION_MAX);
    }

    proptest! {
        /// A restart anywhere gives the same visits: the state is what the visits and the
        /// policies say.
        #[test]
        fn a_restart_changes_nothing(
            records in proptest::collection::vec(
                (0_u8..4, 0_i64..400, proptest::option::weighted(0.2, (1_i64..60, 1_i64..200))),
                1..60),
            restart in 0_usize..60,
        ) {
            let rules = Rules { open_max: 5, ..RULES };
            let run = |restart: usize| {
                let mut tracker = Tracker::new(rules);
                let (mut visits, mut policies) = (Vec::new(), Vec::new());
                let mut arrived = 0;
                let mut known: HashMap<(u8, i64), (SessionId, OpenVisit)> = HashMap::new();
                for (ordinal, (session, at, policy)) in records.iter().enumerate() {
                    if ordinal == restart {
                        tracker = Tracker::new(rules);
                        for (policy, at) in &policies {
                            tracker.follow(policy, *at);
                        }
                        // What the store reads back: the latest that may be open.
                        let since = tracker.open_since_us(arrived);
                        let mut open: Vec<_> =
                            known.values().filter(|(_, it)| it.arrived_us >= since).collect();
                        open.sort_by_key(|(_, visit)| visit.ordinal);
                        for (id, visit) in open.iter().skip(open.len().saturating_sub(5)) {
                            tracker.restore(*id, *visit);
                        }
                    }
                    if let Some((idle, longest)) = policy {
                        let others = VisitRule { idle_us: Some(*idle), longest_us: Some(*longest) };
                        let policy = VisitRules { others, ..VisitRules::default() };
                        policies.push((policy, arrived + 2));
                        tracker.follow(&policies[policies.len() - 1].0, arrived + 2);
                    }
                    arrived = i64::try_from(ordinal).unwrap() * 3;
                    let id = Hex([*session; 16]);
                    let start = tracker.assign(id, "a", *at, ordinal as u64, arrived);
                    visits.push(start);
                    let all = tracker.sessions[&id].iter();
                    known.extend(all.map(|visit| ((*session, visit.start_us), (id, *visit))));
                }
                visits
            };
            prop_assert_eq!(run(usize::MAX), run(restart));
        }

        /// Every visit keeps its promises, whatever arrives in whatever order.
        #[test]
        fn no_visit_is_too_long(times in proptest::collection::vec(0_i64..1000, 1..80)) {
            let mut tracker = Tracker::new(RULES);
            let mut visits: HashMap<i64, Vec<i64>> = HashMap::new();
            for (ordinal, at) in (0..).zip(&times) {
                let visit = tracker.assign(Hex([1; 16]), "a", *at, ordinal, 0);
                visits.entry(visit).or_default().push(*at);
            }
            for members in visits.values_mut() {
                members.sort_unstable();
                prop_assert!(members[members.len() - 1] - members[0] <= RULES.longest_us);
                prop_assert!(members.windows(2).all(|pair| pair[1] - pair[0] <= RULES.idle_us));
            }
        }
    }
}
