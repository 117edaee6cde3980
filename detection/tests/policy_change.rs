//! A change of the policy in the midst of visits: the new sessions lack their beginning, and the old
//! ones may be a whole office's.

#[expect(dead_code, reason = "each test binary uses its part of the stories")]
mod story;

use std::collections::HashSet;

use story::{Client, bots, honest, merged};
use throughline_detection::{Detection, LogPosition, Settings};
use throughline_session::hex::Hex;
use throughline_session::wire::SessionId;

const CHANGE: f64 = 6.0 * 3600.0;
const OFFICE: SessionId = Hex([9; 16]);

/// Browses in the office's one session, then mistypes a password in one of its own.
fn colleague(id: u64) -> Client {
    let at = f64::from(u32::try_from(id).unwrap_or(0));
    let mut client = Client::new(id * 64 + 300_001, "colleague", CHANGE - 60.0 + at);
    client.ip("203.0.113.7".to_owned());
    client.send("GET", "/", 200, false);
    client.send("GET", "/assets/app.js", 200, true);
    for sent in &mut client.sent {
        (sent.session, sent.request_session) = (OFFICE, OFFICE);
    }
    let before = client.sent.len();
    client.wait(90.0);
    let mut client = client.keyed();
    client.send("POST", "/api/login", 401, true);
    for sent in client.sent.iter_mut().skip(before) {
        sent.before_change = Some(OFFICE);
    }
    client
}

/// Ordinary people, a campaign from everywhere, and an office, when the policy changes.
fn clients() -> Vec<Client> {
    let people = (0..300).map(|at| {
        let start = f64::from(u32::try_from(at).unwrap_or(0)) * 70.0;
        honest::person(at * 64 + 1, 5, start)
    });
    let campaign = (0..60).map(|at| {
        let start = CHANGE + f64::from(u32::try_from(at).unwrap_or(0)) * 10.0;
        let mut bot = bots::low_and_slow(640_001 + at, 5, start);
        // What the policy before would have called it: a session that nobody has seen.
        for sent in &mut bot.sent {
            sent.before_change = Some(Hex([8; 16]));
        }
        bot
    });
    people
        .chain(campaign)
        .chain((0..20).map(colleague))
        .collect()
}

#[test]
fn who_was_cut_in_two_is_not_taken_for_one_who_came_only_to_log_in() {
    let clients = clients();
    let mut detection = Detection::new(Settings::default());
    let mut flagged = HashSet::new();
    for (offset, (_, exchange)) in (1..).zip(merged(&clients)) {
        let position = LogPosition { offset, index: 0 };
        let verdicts = detection.observe_exchange(exchange, position);
        flagged.extend(verdicts.iter().filter(|it| it.flagged).map(|it| it.session));
    }
    let caught = |bot: bool| {
        let all = clients.iter().filter(|it| it.bot == bot);
        let is_flagged = |it: &&Client| it.sent.iter().any(|it| flagged.contains(&it.session));
        all.filter(is_flagged).count()
    };
    assert_eq!(caught(false), 0, "honest clients");
    assert!(caught(true) >= 50, "{} of 60 bots", caught(true));
}
