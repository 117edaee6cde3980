//! The truth, by line or by session id: tab-separated, a name, `bot`, `human` or `unknown`, and a
//! reason that nobody reads.

use std::collections::HashMap;
use std::fmt;

use throughline_session::hex::Hex;
use throughline_session::wire::SessionId;

use super::traffic::{Hide, Traffic};

/// What somebody says of a line or a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Label {
    /// Not a person with a browser.
    Bot,
    /// A person.
    Human,
    /// Not to be scored.
    Unknown,
}

/// What a row of labels is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Named {
    /// A line of the traffic's file, from 1.
    Line(usize),
    /// A session.
    Session(SessionId),
}

impl Named {
    fn read(text: &str) -> Option<Self> {
        let session = || SessionId::parse(text).map(Self::Session);
        let line = || text.parse().ok().filter(|line| *line > 0).map(Self::Line);
        session().or_else(line)
    }
}

impl fmt::Display for Named {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => write!(formatter, "line {line}"),
            Self::Session(session) => write!(formatter, "session {session}"),
        }
    }
}

/// What is wrong with labels, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LabelError {
    /// Neither a line number nor a session id.
    #[error(
        "line {row}: `{found}` names nothing: begin each line with a line number from 1 or with a \
         session id of 32 lower-case hex digits, then a tab and the label"
    )]
    Name {
        /// Line of the labels.
        row: usize,
        /// What stands there.
        found: String,
    },
    /// Not a label.
    #[error("line {row}: `{found}` is no label: write bot, human or unknown after the first tab")]
    Label {
        /// Line of the labels.
        row: usize,
        /// What stands there.
        found: String,
    },
    /// Two labels for one thing.
    #[error("line {row}: {named} has another label in line {first}: keep one of the two")]
    Contradiction {
        /// Line of the labels.
        row: usize,
        /// What both are about.
        named: Named,
        /// The line of the first label.
        first: usize,
    },
    /// A label for a line that is not there.
    #[error(
        "line {row}: labels line {line}, but the traffic ends at line {end}: give the labels that \
         were made for this file"
    )]
    PastTheEnd {
        /// Line of the labels.
        row: usize,
        /// The line it is about.
        line: usize,
        /// Lines of the traffic.
        end: usize,
    },
    /// Session ids of other traffic.
    #[error(
        "line {row}: no session that is labelled here is in the traffic (one that is: {example}): \
         give the labels that were made for this file"
    )]
    NoSession {
        /// Line of the first label.
        row: usize,
        /// A session of the traffic.
        example: String,
    },
    /// No label at all.
    #[error(
        "line 1: there is no label: write a line number or session id, a tab, and bot, human or unknown"
    )]
    Empty,
}

/// All labels, each with the line it stands in.
#[derive(Debug, Clone, Default)]
pub struct Labels(HashMap<Named, (usize, Label)>);

/// Text of a file in an error, characters.
const FOUND_LEN_MAX: usize = 60;

fn excerpt(text: &str) -> String {
    text.chars().take(FOUND_LEN_MAX).collect()
}

impl Labels {
    /// Reads labels. The first line may be a heading, `line` or `session` and `label`.
    ///
    /// # Errors
    /// The first line that cannot be read, or that contradicts an earlier one.
    pub fn read(text: &str) -> Result<Self, LabelError> {
        let mut labels = HashMap::new();
        for (row, line) in (1..).zip(text.lines()) {
            let mut cells = line.split('\t').map(str::trim);
            let (name, label) = (cells.next().unwrap_or(""), cells.next().unwrap_or(""));
            let heading = row == 1 && ["line", "session"].contains(&name);
            if heading || line.trim().is_empty() {
                continue;
            }
            let named = Named::read(name).ok_or_else(|| LabelError::Name {
                row,
                found: excerpt(name),
            })?;
            let label = match label {
                "bot" => Label::Bot,
                "human" => Label::Human,
                "unknown" => Label::Unknown,
                found => {
                    let found = excerpt(found);
                    return Err(LabelError::Label { row, found });
                }
            };
            match labels.insert(named, (row, label)) {
                Some((first, before)) if before != label => {
                    return Err(LabelError::Contradiction { row, named, first });
                }
                _ => {}
            }
        }
        if labels.is_empty() {
            return Err(LabelError::Empty);
        }
        Ok(Self(labels))
    }

    /// Whether they can have been made for this traffic.
    ///
    /// # Errors
    /// A line past the traffic's end, or sessions of which the traffic has none.
    pub fn check(&self, traffic: &dyn Traffic) -> Result<(), LabelError> {
        let end = traffic.lines();
        let rows = self.0.iter().map(|(named, (row, _))| (*row, *named));
        let first = rows.clone().min_by_key(|(row, _)| *row);
        let past = rows.filter(|(_, named)| matches!(named, Named::Line(line) if *line > end));
        if let Some((row, Named::Line(line))) = past.min_by_key(|(row, _)| *row) {
            return Err(LabelError::PastTheEnd { row, line, end });
        }
        let (mut known, mut example) = (false, None::<SessionId>);
        traffic.each(Hide::default(), &mut |line, exchange| {
            known |= self.of(line, &exchange.session).is_some();
            example.get_or_insert(exchange.session);
        });
        match (first, known) {
            (Some((row, Named::Session(_))), false) => Err(LabelError::NoSession {
                row,
                example: example.unwrap_or(Hex([0; 16])).to_string(),
            }),
            _ => Ok(()),
        }
    }

    /// The label of a request; its line's goes before its session's.
    #[must_use]
    pub fn of(&self, line: usize, session: &SessionId) -> Option<Label> {
        let by_line = self.0.get(&Named::Line(line));
        by_line
            .or_else(|| self.0.get(&Named::Session(*session)))
            .map(|(_, label)| *label)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: Result<usize, &str>) {
        match (Labels::read(text), expected) {
            (Ok(labels), Ok(count)) => assert_eq!(labels.0.len(), count, "{text}"),
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
            (outcome, _) => panic!("{text}: {outcome:?}"),
        }
    }

    #[test]
    fn reads_lines_and_sessions_and_says_what_is_wrong() {
        let id = "0123456789abcdef0123456789abcdef";
        check("line\tlabel\twhy\n1\tbot\tua\n\n2\thuman\n", Ok(2));
        check(&format!("session\tlabel\r\n{id}\tunknown\r\n"), Ok(1));
        check("1\tbot\n1\tbot\n", Ok(1));
        check(
            "1\tbot\n1\thuman\n",
            Err("line 2: line 1 has another label in line 1"),
        );
        check("1\tbot\n0\tbot", Err("line 2: `0` names nothing"));
        check("1\tbot\nline\tlabel", Err("line 2: `line` names nothing"));
        check(&id.to_uppercase(), Err("names nothing"));
        check("1 bot", Err("line 1: `1 bot` names nothing"));
        check("1\tBot?", Err("line 1: `Bot?` is no label"));
        check("7", Err("line 1: `` is no label"));
        check("line\tlabel\n", Err("there is no label"));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[0-9a-f\tbothumanl \n\\PC]{0,80}") {
            drop(Labels::read(&text));
        }
    }
}
