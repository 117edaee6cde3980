//! The story in words: numbers in, lines out.

use super::{ADDRESS, Compared, Crowd, Evidence};
use crate::truth::{Clients, outcome};
use crate::{Score, Status};

/// Under the second that a scene begins with.
const INDENT: &str = "       ";

pub(super) fn opening(seed: u64, crowd: u32) -> String {
    format!(
        "\ndemo: a minute's story, seed {seed}: the usual people, machines and bots, and {crowd} more \
         behind {ADDRESS}.\n\
         demo: sessions go by address for now (examples/demo/story/by_address.yaml). Traffic runs;\n\
         demo: it holds still while numbers are read."
    )
}

pub(super) fn books(at: u64, base: &str, status: &Status) -> String {
    let handled = status.handled();
    let number = |count: Option<i128>| count.map_or("?".to_owned(), |count| count.to_string());
    format!(
        "\n{at:>3} s  open {base}/sessions in a browser; {base}/sessions?tour=1 tells this story there\n\
         {INDENT}requests handled by Envoy {} = records {}; unrecorded {}",
        number(handled.map(i128::from)),
        status.totals.stored,
        number(status.missing()),
    )
}

pub(super) fn by_address(at: u64, crowd: &Crowd) -> String {
    let sessions = match crowd.sessions {
        1 => "one session".to_owned(),
        count => format!("{count} sessions"),
    };
    let held = match &crowd.reason {
        Some(reason) => format!("Held for a bot: {reason}."),
        None => "Not held for a bot: what one of them may do is lost among the others.".to_owned(),
    };
    format!(
        "\n{at:>3} s  by address: {ADDRESS}: {} clients in {sessions}, {} requests\n\
         {INDENT}{held}\n\
         {INDENT}If it is one of them, blocking the address would hit {} others.",
        crowd.clients,
        crowd.requests,
        crowd.clients.saturating_sub(1),
    )
}

pub(super) fn change(at: u64) -> String {
    format!(
        "\n{at:>3} s  one key rule is put in place while Envoy runs: the shop's cookie\n\
         {INDENT}{{\"name\": \"shop_cookie\", \"from\": {{\"cookie\": \"sid\"}}}}   \
         (examples/demo/story/by_cookie.yaml)"
    )
}

pub(super) fn side_by_side(at: u64, before: &Crowd, after: &Crowd) -> String {
    let (others_before, others_after) = others(before, after);
    let headline = format!(
        "\n{at:>3} s  by the key: {ADDRESS}: {}, {} held for {}; others hit by blocking: {}",
        plural(after.sessions, "session"),
        after.held,
        if after.held == 1 { "a bot" } else { "bots" },
        others_after,
    );
    let mut text = format!(
        "{headline}\n{INDENT}{:<34}{:>12}{:>12}",
        "", "by address", "by the key"
    );
    for (name, one, two) in [
        ("sessions", before.sessions, after.sessions),
        ("clients", before.clients, after.clients),
        ("sessions held for bots", before.held, after.held),
        ("clients in these", before.clients_held, after.clients_held),
        (
            "others whom blocking would hit",
            others_before,
            others_after,
        ),
    ] {
        // A write to a text does not fail.
        text += &format!("\n{INDENT}{name:<34}{one:>12}{two:>12}");
    }
    if after.clients < before.clients {
        text += &format!(
            "\n{INDENT}(who left before the change, or has not been back, is in the first only)"
        );
    }
    text
}

/// Who is blocked besides the bots that the key has found, when the address is, and when the
/// sessions that are held for bots are.
fn others(before: &Crowd, after: &Crowd) -> (u64, u64) {
    let bots = after.held;
    (
        before.clients.saturating_sub(bots.max(1)),
        after.clients_held.saturating_sub(bots),
    )
}

pub(super) fn evidence(at: u64, base: &str, evidence: Option<&Evidence>) -> String {
    let Some(found) = evidence else {
        return format!(
            "\n{at:>3} s  the evidence: nobody behind {ADDRESS} is held for a bot yet; try a longer run"
        );
    };
    let mut text = format!(
        "\n{at:>3} s  the evidence: {} for {} from {}\n{INDENT}{}\n{INDENT}{base}/sessions/{}",
        plural(found.failures as u64, "login failure"),
        plural(found.users as u64, "user"),
        plural(found.addresses as u64, "address"),
        sentence(&found.reason),
        found.session,
    );
    for login in &found.logins {
        text += &format!(
            "\n{INDENT}  POST /api/login {} for {}\n{INDENT}    {base}/sessions/{}?at={}",
            login.status, login.user, found.session, login.record
        );
    }
    text
}

pub(super) fn truth(at: u64, compared: &Compared, status: &Status) -> String {
    let Compared { by_address, by_key } = compared;
    let mut text = format!(
        "\n{at:>3} s  the truth about this minute, by client; the aggregator never sees it\n\
         {INDENT}{:<30}{:>18}{:>20}\n{INDENT}{:<30}{:>9}{:>9}{:>11}{:>9}",
        "", "by address", "by the key", "", "came", "flagged", "came", "flagged"
    );
    let none = Clients::default();
    let mut actors: Vec<_> = by_address
        .actors
        .keys()
        .chain(by_key.actors.keys())
        .collect();
    actors.sort();
    actors.dedup();
    for actor in actors {
        let before = by_address.actors.get(actor).unwrap_or(&none);
        let after = by_key.actors.get(actor).unwrap_or(&none);
        let (class, name) = actor;
        let row = format!(
            "{INDENT}{class:<8} {name:<21}{:>9}{:>9}{:>11}{:>9}  {}",
            before.came.len(),
            before.flagged.len(),
            after.came.len(),
            after.flagged.len(),
            outcome(class, after),
        );
        text += &format!("\n{}", row.trim_end());
    }
    for (name, one, two) in [
        ("everywhere", by_address.everywhere, by_key.everywhere),
        (ADDRESS, by_address.here, by_key.here),
    ] {
        text += &format!(
            "\n{INDENT}{name}\n{INDENT}  by address: {}\n{INDENT}  by the key: {}",
            score(one),
            score(two)
        );
    }
    let missing = status
        .missing()
        .map_or("?".to_owned(), |count| count.to_string());
    text += &format!(
        "\n{INDENT}records {}, unrecorded {missing}",
        status.totals.stored
    );
    text
}

fn score(score: Score) -> String {
    format!(
        "bots caught {}, missed {}; honest clients {}, hit {}",
        score.caught, score.missed, score.honest, score.falsely
    )
}

fn plural(count: u64, word: &str) -> String {
    match (count, word) {
        (1, _) => format!("1 {word}"),
        (_, "address") => format!("{count} addresses"),
        _ => format!("{count} {word}s"),
    }
}

/// With a capital letter and a full stop.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(char::to_uppercase);
    let first: String = first.into_iter().flatten().collect();
    format!("{first}{}.", letters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crowd(sessions: u64, clients: u64, held: u64, clients_held: u64) -> Crowd {
        Crowd {
            sessions,
            clients,
            requests: 2_310,
            held,
            clients_held,
            reason: (held > 0).then(|| "credential stuffing: 43 failed logins".to_owned()),
        }
    }

    #[test]
    fn an_address_is_held_or_not_and_blocking_it_hits_the_others() {
        let text = by_address(20, &crowd(1, 214, 1, 214));
        assert_eq!(
            text,
            "\n 20 s  by address: 203.0.113.7: 214 clients in one session, 2310 requests\n       \
             Held for a bot: credential stuffing: 43 failed logins.\n       \
             If it is one of them, blocking the address would hit 213 others."
        );
        let text = by_address(20, &crowd(1, 214, 0, 0));
        assert!(text.contains("Not held for a bot"), "{text}");
    }

    #[test]
    fn both_sides_stand_beside_each_other() {
        let text = side_by_side(35, &crowd(1, 214, 1, 214), &crowd(209, 209, 1, 1));
        let rows: Vec<Vec<&str>> = text
            .lines()
            .map(|line| line.split_whitespace().rev().take(2).collect())
            .collect();
        assert!(
            text.contains("209 sessions, 1 held for a bot; others hit by blocking: 0"),
            "{text}"
        );
        assert_eq!(rows[3], ["209", "1"], "{text}");
        assert_eq!(rows[7], ["0", "213"], "{text}");
        assert!(text.contains("left before the change"), "{text}");
        // Two bots: neither of them is another.
        let text = side_by_side(35, &crowd(1, 214, 0, 0), &crowd(214, 214, 2, 3));
        assert!(
            text.contains("2 held for bots; others hit by blocking: 1"),
            "{text}"
        );
        assert!(
            text.contains("212") && !text.contains("left before"),
            "{text}"
        );
    }

    #[test]
    fn the_evidence_is_a_sentence_with_its_requests() {
        let login = super::super::Login {
            record: "b.0.1.2".to_owned(),
            user: "ann@example.com".to_owned(),
            status: 401,
        };
        let found = Evidence {
            session: "ab".to_owned(),
            failures: 37,
            users: 37,
            addresses: 1,
            reason: "credential stuffing: 37 failed logins".to_owned(),
            logins: vec![login],
        };
        let text = evidence(50, "http://h", Some(&found));
        for part in [
            "37 login failures for 37 users from 1 address\n",
            "http://h/sessions/ab\n",
            "POST /api/login 401 for ann@example.com",
            "http://h/sessions/ab?at=b.0.1.2",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(evidence(50, "http://h", None).contains("nobody"));
    }

    #[test]
    fn the_truth_says_caught_missed_and_false_on_both_sides() {
        let clients = |all: &[&str], flagged: &[&str]| Clients {
            came: all.iter().map(|&it| it.to_owned()).collect(),
            flagged: flagged.iter().map(|&it| it.to_owned()).collect(),
        };
        let grouping = |bots: Clients, people: Clients| {
            let name = |class: &str| (class.to_owned(), format!("{class}_actor"));
            let actors = [(name("bot"), bots), (name("person"), people)]
                .into_iter()
                .collect();
            let everywhere = Score::of(&actors);
            super::super::Grouping {
                here: everywhere,
                everywhere,
                actors,
            }
        };
        let compared = Compared {
            by_address: grouping(clients(&["b"], &["b"]), clients(&["p", "q"], &["p", "q"])),
            by_key: grouping(clients(&["b", "c"], &["b"]), clients(&["p"], &[])),
        };
        let totals = r#"{"totals":{"seen":5,"stored":5,"quarantined":0,"dropped":0,"pending":0,
            "lost":0,"unknown":{"workers":0,"at_least":0},"bypassed":0,"balanced":true},
            "envoys":[{"handled":5,"last_scrape":"now"}],"store":{"position":9,"summed":9}}"#;
        let text = truth(60, &compared, &serde_json::from_str(totals).unwrap());
        for part in [
            "by address: bots caught 1, missed 0; honest clients 2, hit 2",
            "by the key: bots caught 1, missed 1; honest clients 1, hit 0",
            "missed some",
            "records 5, unrecorded 0",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}
