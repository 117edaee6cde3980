//! A source that is not ours: an access log with labels, scored line by line under three groupings.
//!
//! A line is the unit because sessions differ. Its score is how machine-like the rules find the visit
//! that it is part of, at the visit's end; visits of fewer than three requests are not judged and score
//! 0. As in `docs/EVALUATION.md` the user agent is hidden from all features, though it may group, and
//! requests for robots.txt are left out: labels were derived from both.

use serde::Serialize;
use shop::mix::text as hash;
use throughline_detection::Exchange;
use throughline_detection::evaluate::{Figures, Hide, Label, Labels, Traffic, watch};
use throughline_detection::event::access_log::{Grouping, Line};
use throughline_session::hex::Hex;
use throughline_session::wire::SessionId;

/// A pause longer than this begins another visit, microseconds.
const GAP_US: i64 = 30 * 60 * 1_000_000;
/// Resamplings for the intervals.
const ROUNDS: u64 = 300;

/// What makes a session of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The address.
    Address,
    /// Its /24.
    Network,
    /// Address and user agent.
    AddressUserAgent,
}

/// All groupings with their names in the table.
pub const ALL: [(By, &str); 3] = [
    (By::Address, "address"),
    (By::Network, "network (/24)"),
    (By::AddressUserAgent, "address and user agent"),
];

/// What came out for one grouping.
#[derive(Debug, Clone, Serialize)]
pub struct LogRow {
    /// Its name.
    pub by: &'static str,
    /// Visits of three requests and more.
    pub visits: usize,
    /// Lines scored, and those of bots.
    pub lines: usize,
    /// Of bots.
    pub bots: usize,
    /// Lines that are in a visit of three and more.
    pub judged: usize,
    /// Figures with their intervals, by address.
    pub figures: Figures,
}

/// A log under a grouping.
struct Grouped<'a>(&'a str, By);

impl Traffic for Grouped<'_> {
    fn each(&self, hide: Hide, take: &mut dyn FnMut(usize, Exchange<'_>)) {
        let mut grouping = Grouping::new(GAP_US);
        for (number, line) in (1..).zip(self.0.lines()) {
            let Some(line) = Line::parse(line) else {
                continue;
            };
            let mut exchange = line.exchange("site");
            if hide.leaves_out(&exchange) {
                continue;
            }
            exchange.session = self.1.session(&line);
            grouping.assign(&mut exchange);
            take(number, exchange);
        }
    }

    fn lines(&self) -> usize {
        self.0.lines().count()
    }
}

impl By {
    fn session(self, line: &Line<'_>) -> SessionId {
        let network = line.client_ip.rsplit_once('.');
        let network = network.map_or(line.client_ip, |(network, _)| network);
        let (place, agent) = match self {
            Self::Address => (line.client_ip, ""),
            Self::Network => (network, ""),
            Self::AddressUserAgent => (line.client_ip, line.user_agent.unwrap_or_default()),
        };
        let half = |seed| hash(hash(seed, place), agent).to_be_bytes();
        let mut id = [0; 16];
        for (to, from) in id.iter_mut().zip(half(1).into_iter().chain(half(2))) {
            *to = from;
        }
        Hex(id)
    }
}

/// Scores a log under every grouping.
///
/// # Errors
/// When labels cannot be read, or there are not both bots and people.
pub fn score(log: &str, labels: &str) -> anyhow::Result<Vec<LogRow>> {
    let labels = Labels::read(labels)?;
    ALL.iter()
        .map(|(by, name)| score_by(log, &labels, *by, name))
        .collect()
}

fn score_by(log: &str, labels: &Labels, by: By, name: &'static str) -> anyhow::Result<LogRow> {
    let hide = Hide {
        user_agent: true,
        robots: true,
    };
    let visits = watch(&Grouped(log, by), hide, false);
    let mut visits: Vec<_> = visits.into_iter().collect();
    visits.sort_by_key(|(named, _)| *named);
    let mut ranked = Vec::new();
    let mut judged = 0;
    for ((session, _), visit) in &visits {
        for line in &visit.lines {
            let bot = match labels.of(*line, session) {
                Some(Label::Bot) => true,
                Some(Label::Human) => false,
                _ => continue,
            };
            judged += usize::from(visit.lines.len() >= 3);
            ranked.push((visit.last.rules, bot, visit.address));
        }
    }
    let figures = Figures::of(&ranked, ROUNDS);
    let figures = figures.ok_or_else(|| anyhow::anyhow!("there are not both bots and people"))?;
    Ok(LogRow {
        by: name,
        visits: visits.iter().filter(|it| it.1.lines.len() >= 3).count(),
        lines: ranked.len(),
        bots: ranked.iter().filter(|(_, bot, _)| *bot).count(),
        judged,
        figures,
    })
}

/// The rows as a table.
#[must_use]
pub fn markdown(rows: &[LogRow]) -> String {
    let mut text = String::from(
        "| grouped by | visits of 3 and more | lines in them | AUC | recall at 1 % false | recall at 95 % precision |\n|---|--:|--:|---|---|---|\n",
    );
    for row in rows {
        let figure = |of: throughline_detection::evaluate::Figure| {
            format!(
                "{:.3} ({:.3}–{:.3})",
                of.value, of.interval.low, of.interval.high
            )
        };
        text += &format!(
            "| {} | {} | {} of {} | {} | {} | {} |\n",
            row.by,
            row.visits,
            row.judged,
            row.lines,
            figure(row.figures.auc),
            figure(row.figures.tpr_at_1_fpr),
            figure(row.figures.recall_at_95_precision),
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groupings_differ_in_what_they_join() {
        let line = |ip: &str, agent: &str| {
            format!(r#"{ip} - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 5 "-" "{agent}""#)
        };
        let lines = [
            line("203.0.113.7", "a"),
            line("203.0.113.7", "b"),
            line("203.0.113.8", "a"),
        ];
        for (by, expected) in [
            (By::Address, [true, false]),
            (By::Network, [true, true]),
            (By::AddressUserAgent, [false, false]),
        ] {
            let sessions = lines
                .each_ref()
                .map(|line| by.session(&Line::parse(line).unwrap()));
            let [one, same_address, same_network] = sessions;
            assert_eq!(
                [one == same_address, one == same_network],
                expected,
                "{by:?}"
            );
        }
    }
}
