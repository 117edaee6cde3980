//! Where the exchanges that are scored come from.

use crate::event::Exchange;
use crate::event::access_log::{Grouping, Line};

/// A pause longer than this begins another visit, microseconds.
pub(super) const GAP_US: i64 = 30 * 60 * 1_000_000;

/// What the features must not see.
#[derive(Debug, Clone, Copy, Default)]
pub struct Hide {
    /// The user agent; sessions are still told apart by it.
    pub user_agent: bool,
    /// Requests for robots.txt, which are left out altogether.
    pub robots: bool,
}

impl Hide {
    /// Whether an exchange is left out altogether.
    #[must_use]
    pub fn leaves_out(self, exchange: &Exchange<'_>) -> bool {
        self.robots && exchange.path.as_deref() == Some("/robots.txt")
    }
}

/// Traffic that can be gone through more than once.
pub trait Traffic {
    /// Calls `take` with the line number (from 1) and the exchange of everything that `hide` does
    /// not leave out, in the order of the file.
    fn each(&self, hide: Hide, take: &mut dyn FnMut(usize, Exchange<'_>));

    /// Lines of the file.
    fn lines(&self) -> usize;
}

/// A log in the common or combined format. Its sessions are address and user agent, cut at gaps of
/// 30 minutes.
#[derive(Debug, Clone, Copy)]
pub struct AccessLog<'a>(pub &'a str);

impl AccessLog<'_> {
    /// Numbers of the lines in another format; empty ones do not count.
    pub fn unread(&self) -> impl Iterator<Item = usize> {
        let lines = (1..).zip(self.0.lines());
        lines
            .filter(|(_, line)| !line.trim().is_empty() && Line::parse(line).is_none())
            .map(|(number, _)| number)
    }
}

impl Traffic for AccessLog<'_> {
    fn each(&self, hide: Hide, take: &mut dyn FnMut(usize, Exchange<'_>)) {
        let mut grouping = Grouping::new(GAP_US);
        for (number, line) in (1..).zip(self.0.lines()) {
            let Some(line) = Line::parse(line) else {
                continue;
            };
            let mut exchange = line.exchange("site");
            if !hide.leaves_out(&exchange) {
                grouping.assign(&mut exchange);
                take(number, exchange);
            }
        }
    }

    fn lines(&self) -> usize {
        self.0.lines().count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hides_robots_and_counts_what_it_cannot_read() {
        let line = |path: &str| {
            format!("h - - [01/Mar/2024:00:00:00 +0000] \"GET {path} HTTP/1.0\" 200 1\n")
        };
        let text = [
            line("/"),
            "nonsense\n\n".into(),
            line("/robots.txt?a"),
            line("/b"),
        ]
        .concat();
        let log = AccessLog(&text);
        let numbers = |robots| {
            let hide = Hide {
                robots,
                user_agent: false,
            };
            let mut found = Vec::new();
            log.each(hide, &mut |number, _| found.push(number));
            found
        };
        assert_eq!(numbers(false), [1, 4, 5]);
        assert_eq!(numbers(true), [1, 5]);
        assert_eq!(log.unread().collect::<Vec<_>>(), [2]);
        assert_eq!(log.lines(), 5);
    }
}
