//! Who really came, held against what was found. The aggregator never sees this file.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;
use std::path::Path;

use anyhow::Context;
use serde::Deserialize;

/// A line of the truth: a request, or a client.
#[derive(Debug, Deserialize)]
struct Line {
    r#type: String,
    #[serde(flatten)]
    sent: Sent,
    #[serde(default)]
    request_id: String,
}

/// Who sent a request, from where, when.
#[derive(Debug, Clone, Deserialize)]
struct Sent {
    client: String,
    class: String,
    actor: String,
    #[serde(default)]
    ip: String,
    #[serde(default)]
    start_us: u64,
}

/// The clients of one actor.
#[derive(Debug, Default, Clone)]
pub struct Clients {
    /// Those that came.
    pub came: HashSet<String>,
    /// Those of them with a request in a flagged session.
    pub flagged: HashSet<String>,
}

/// By class and actor.
pub type Actors = BTreeMap<(String, String), Clients>;

/// How much of the truth was found. A client counts once, over all its sessions.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Score {
    /// Bots that are flagged.
    pub caught: usize,
    /// Bots that are not.
    pub missed: usize,
    /// People and honest machines that are.
    pub falsely: usize,
    /// People and honest machines in all.
    pub honest: usize,
}

/// All requests that were sent.
#[derive(Debug)]
pub struct Truth(HashMap<String, Sent>);

impl Truth {
    /// Reads what `traffic` wrote.
    ///
    /// # Errors
    /// When it is not such a file.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
        let mut sent = HashMap::new();
        for line in text.lines() {
            let line: Line = serde_json::from_str(line)?;
            if line.r#type == "request" {
                sent.insert(line.request_id, line.sent);
            }
        }
        Ok(Self(sent))
    }

    /// Who sent something at that time (microseconds since 1970), and who of them is found by a
    /// request of these ids; with an address, only there.
    pub fn held_against<'a>(
        &self,
        time_us: &Range<u64>,
        ip: Option<&str>,
        flagged: impl IntoIterator<Item = &'a String>,
    ) -> Actors {
        let counts =
            |sent: &&Sent| time_us.contains(&sent.start_us) && ip.is_none_or(|ip| ip == sent.ip);
        let mut actors = Actors::new();
        let actor = |sent: &Sent| (sent.class.clone(), sent.actor.clone());
        for sent in self.0.values().filter(counts) {
            let clients = actors.entry(actor(sent)).or_default();
            clients.came.insert(sent.client.clone());
        }
        for id in flagged {
            if let Some(sent) = self.0.get(id).filter(counts)
                && let Some(clients) = actors.get_mut(&actor(sent))
            {
                clients.flagged.insert(sent.client.clone());
            }
        }
        actors
    }
}

impl Score {
    /// The sums over all actors.
    #[must_use]
    pub fn of(actors: &Actors) -> Self {
        let mut score = Self::default();
        for ((class, _), clients) in actors {
            let (came, flagged) = (clients.came.len(), clients.flagged.len());
            if class == "bot" {
                score.caught += flagged;
                score.missed += came - flagged;
            } else {
                score.honest += came;
                score.falsely += flagged;
            }
        }
        score
    }
}

/// What became of the clients of a class, in a word.
#[must_use]
pub fn outcome(class: &str, clients: &Clients) -> &'static str {
    match (class, clients.came.len(), clients.flagged.len()) {
        (_, 0, _) => "",
        ("bot", came, flagged) if came == flagged => "caught",
        ("bot", _, 0) => "missed",
        ("bot", ..) => "missed some",
        (_, _, 0) => "",
        _ => "FALSE",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRUTH: &str = r#"{"type":"request","client":"a-1","class":"person","actor":"a","request_id":"1","start_us":10,"ip":"192.0.2.1"}
{"type":"request","client":"b-1","class":"bot","actor":"b","request_id":"2","start_us":20,"ip":"192.0.2.1"}
{"type":"request","client":"b-1","class":"bot","actor":"b","request_id":"3","start_us":30,"ip":"192.0.2.2"}
{"type":"client","client":"b-1","class":"bot","actor":"b","requests":2,"accounts":[],"ips":[]}
"#;

    #[test]
    fn clients_count_once_where_and_when_they_came() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), TRUTH).unwrap();
        let truth = Truth::read(file.path()).unwrap();
        let score = |time: Range<u64>, ip, flagged: &[&str]| {
            let flagged: Vec<String> = flagged.iter().map(|&id| id.to_owned()).collect();
            let score = Score::of(&truth.held_against(&time, ip, &flagged));
            (score.caught, score.missed, score.falsely, score.honest)
        };
        assert_eq!(score(0..100, None, &["2", "3", "9"]), (1, 0, 0, 1));
        assert_eq!(score(0..100, None, &["1"]), (0, 1, 1, 1));
        // What was found later says nothing about who came before.
        assert_eq!(score(0..25, None, &["3"]), (0, 1, 0, 1));
        assert_eq!(score(0..100, Some("192.0.2.2"), &["3"]), (1, 0, 0, 0));
    }

    #[test]
    fn the_word_says_what_became_of_them() {
        let clients = |came: &[&str], flagged: &[&str]| Clients {
            came: came.iter().map(|&name| name.to_owned()).collect(),
            flagged: flagged.iter().map(|&name| name.to_owned()).collect(),
        };
        for (class, came, flagged, word) in [
            ("bot", &["a"][..], &["a"][..], "caught"),
            ("bot", &["a", "b"], &["a"], "missed some"),
            ("bot", &["a"], &[], "missed"),
            ("bot", &[], &[], ""),
            ("person", &["a"], &[], ""),
            ("machine", &["a"], &["a"], "FALSE"),
        ] {
            assert_eq!(outcome(class, &clients(came, flagged)), word);
        }
    }
}
