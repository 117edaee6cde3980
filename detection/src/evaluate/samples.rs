//! visits and labels → samples.

use std::collections::HashMap;

use serde::Serialize;
use throughline_session::wire::SessionId;

use super::labels::{Label, Labels};
use super::watch::{Moment, Visit};

/// One labelled visit.
#[derive(Debug, Clone)]
pub struct Sample {
    /// Whose.
    pub session: SessionId,
    /// Whether it is a bot's.
    pub bot: bool,
    /// Its requests that were seen.
    pub requests: u32,
    /// Hash of the address.
    pub address: u64,
    /// Hash of the user agent.
    pub user_agent: u64,
    /// After 3, 5 and 10 requests, where it came so far.
    pub early: [Option<Moment>; 3],
    /// At its end.
    pub last: Moment,
}

/// Where every visit went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Requests, those that are hidden left out.
    pub requests: usize,
    /// Visits of all lengths.
    pub sessions: usize,
    /// Not scored: too few requests.
    pub short: usize,
    /// Not scored: a request has no label or `unknown`.
    pub unknown: usize,
    /// Scored by what most of their requests are labelled (a bot when that is a tie).
    pub mixed: usize,
    /// Scored, and a bot's.
    pub bots: usize,
    /// Scored, and a person's.
    pub people: usize,
}

/// What is scored, in an order that is the same each time.
#[derive(Debug, Clone, Default)]
pub struct Samples {
    /// Scored visits.
    pub samples: Vec<Sample>,
    /// And the others.
    pub counts: Counts,
}

impl Samples {
    /// Joins visits of at least `requests_min` requests with their labels.
    #[must_use]
    pub fn join(
        visits: HashMap<(SessionId, u32), Visit>,
        labels: &Labels,
        requests_min: u32,
    ) -> Self {
        let mut visits: Vec<_> = visits.into_iter().collect();
        visits.sort_unstable_by_key(|(name, _)| *name);
        let mut all = Self::default();
        for ((session, _), visit) in visits {
            all.add(session, visit, labels, requests_min);
        }
        all
    }

    fn add(&mut self, session: SessionId, visit: Visit, labels: &Labels, requests_min: u32) {
        let counts = &mut self.counts;
        let requests = u32::try_from(visit.lines.len()).unwrap_or(u32::MAX);
        counts.requests += visit.lines.len();
        counts.sessions += 1;
        if requests < requests_min {
            counts.short += 1;
            return;
        }
        let labelled = visit.lines.iter().map(|line| labels.of(*line, &session));
        let of = |label| labelled.clone().filter(|it| *it == Some(label)).count();
        let (bot, human) = (of(Label::Bot), of(Label::Human));
        if bot + human < visit.lines.len() {
            counts.unknown += 1;
            return;
        }
        counts.mixed += usize::from(bot > 0 && human > 0);
        let bot = bot >= human;
        counts.bots += usize::from(bot);
        counts.people += usize::from(!bot);
        self.samples.push(Sample {
            session,
            bot,
            requests,
            address: visit.address,
            user_agent: visit.user_agent,
            early: visit.early,
            last: visit.last,
        });
    }
}

#[cfg(test)]
mod tests {
    use throughline_session::hex::Hex;

    use super::*;

    #[test]
    fn every_visit_is_counted_once() {
        let visit = |lines: &[usize]| Visit {
            lines: lines.to_vec(),
            ..Visit::default()
        };
        let visits = [
            ((Hex([1; 16]), 0), visit(&[1, 2, 3])),
            ((Hex([1; 16]), 1), visit(&[4])),
            ((Hex([2; 16]), 0), visit(&[5, 6, 7])),
            ((Hex([3; 16]), 0), visit(&[8, 9, 10])),
            ((Hex([4; 16]), 0), visit(&[11, 12, 13, 14])),
        ];
        let id = Hex([2; 16]);
        let labels = format!(
            "1\thuman\n2\thuman\n3\thuman\n{id}\tbot\n8\tbot\n9\tunknown\n11\tbot\n12\tbot\n13\thuman\n14\thuman"
        );
        let labels = Labels::read(&labels).unwrap();
        let all = Samples::join(visits.into_iter().collect(), &labels, 3);
        assert_eq!(
            all.counts,
            Counts {
                requests: 14,
                sessions: 5,
                short: 1,
                unknown: 1,
                mixed: 1,
                bots: 2,
                people: 1,
            }
        );
        let bots: Vec<_> = all.samples.iter().map(|sample| sample.bot).collect();
        assert_eq!(bots, [false, true, true]);
    }
}
