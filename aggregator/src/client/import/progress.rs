//! How far an import is, how quick, and for how long still: one line that is written again and again
//! on a terminal, a line now and then elsewhere.

use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

/// Between two times that it is shown.
const SHOW_TERMINAL: Duration = Duration::from_millis(250);
const SHOW_ELSEWHERE: Duration = Duration::from_secs(10);
const BAR: usize = 24;

/// One import, to be looked at.
pub(super) struct Progress {
    name: String,
    began: Instant,
    shown: Instant,
    terminal: bool,
    /// Byte at which this run began.
    from: u64,
}

/// How far it is.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Far {
    /// Bytes of the log done.
    pub(super) done: u64,
    /// Bytes of the log; `None` where nobody knows.
    pub(super) all: Option<u64>,
    /// Lines read by this run.
    pub(super) lines: u64,
    /// Lines rejected by this run.
    pub(super) rejected: u64,
}

impl Progress {
    pub(super) fn new(name: &str, from: u64) -> Self {
        Self {
            name: name.to_owned(),
            began: Instant::now(),
            shown: Instant::now(),
            terminal: std::io::stderr().is_terminal(),
            from,
        }
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// Shows it where it was not shown lately.
    pub(super) fn show(&mut self, far: Far) {
        let pause = if self.terminal {
            SHOW_TERMINAL
        } else {
            SHOW_ELSEWHERE
        };
        if self.shown.elapsed() < pause {
            return;
        }
        self.shown = Instant::now();
        let text = line(&self.name, far, self.from, self.began.elapsed());
        let mut out = std::io::stderr().lock();
        // Whoever looks at it may have gone.
        drop(if self.terminal {
            write!(out, "\r\x1b[2K{text}").and_then(|()| out.flush())
        } else {
            writeln!(out, "{text}")
        });
    }

    /// Makes room for what is said at the end.
    pub(super) fn clear(&self) {
        if self.terminal {
            drop(write!(std::io::stderr(), "\r\x1b[2K"));
        }
    }
}

/// What is shown.
fn line(name: &str, far: Far, from: u64, elapsed: Duration) -> String {
    let seconds = elapsed.as_secs_f64().max(0.001);
    let rate = per_second(far.lines, seconds);
    let mut text = format!("{name}  ");
    if let Some(all) = far.all {
        let share = share(far.done, all);
        let full = usize::try_from(share * BAR as u64 / 100)
            .unwrap_or(BAR)
            .min(BAR);
        text.push_str(&format!(
            "[{}{}] {share:>3} %  ",
            "=".repeat(full),
            " ".repeat(BAR - full)
        ));
    }
    text.push_str(&format!("{} lines  {} lines/s", far.lines, rate));
    if far.rejected > 0 {
        text.push_str(&format!("  {} rejected", far.rejected));
    }
    let bytes_rate = per_second(far.done.saturating_sub(from), seconds);
    if let Some(all) = far.all.filter(|_| bytes_rate > 0) {
        let left = all.saturating_sub(far.done) / bytes_rate;
        text.push_str(&format!("  {}:{:02} left", left / 60, left % 60));
    }
    text
}

fn share(done: u64, all: u64) -> u64 {
    done.saturating_mul(100)
        .checked_div(all)
        .unwrap_or(100)
        .min(100)
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rate for people"
)]
pub(super) fn per_second(count: u64, seconds: f64) -> u64 {
    (count as f64 / seconds.max(0.001)) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_how_far_how_quick_and_how_long_still() {
        let far = Far {
            done: 600,
            all: Some(1000),
            lines: 50,
            rejected: 2,
        };
        let text = line("a.log", far, 100, Duration::from_secs(5));
        assert!(text.contains(" 60 %"), "{text}");
        assert!(
            text.contains("50 lines  10 lines/s  2 rejected  0:04 left"),
            "{text}"
        );
        let unknown = Far {
            all: None,
            rejected: 0,
            ..far
        };
        let text = line("-", unknown, 0, Duration::from_secs(5));
        assert_eq!(text, "-  50 lines  10 lines/s");
    }
}
